//! Answers, in the dialect of each protocol.

use crate::xml::Xml;

/// How a service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// EC2's own XML.
    Ec2,
    /// The XML of STS and Auto Scaling.
    Query,
    /// JSON with a target header.
    Json,
    /// Smithy RPC v2 CBOR.
    Cbor,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The content type.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// A refusal: status, code, message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub u16, pub String, pub String);

impl Refusal {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self(400, code.to_owned(), message.into())
    }
}

/// What EC2 says to a dry run that would have succeeded (status 412).
pub(crate) fn dry_run() -> Refusal {
    Refusal(
        412,
        "DryRunOperation".to_owned(),
        "Request would have succeeded, but DryRun flag is set.".to_owned(),
    )
}

const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";

impl Answer {
    pub(crate) fn ec2(action: &str, content: impl FnOnce(&mut Xml)) -> Self {
        let mut xml = Xml::default();
        xml.text("requestId", REQUEST_ID);
        content(&mut xml);
        let name = format!("{action}Response");
        let body = format!(
            "<{name} xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">{}</{name}>",
            xml.into_text()
        );
        Self { status: 200, content_type: "text/xml;charset=UTF-8", body: body.into_bytes() }
    }

    pub(crate) fn query(action: &str, content: impl FnOnce(&mut Xml)) -> Self {
        let mut xml = Xml::default();
        xml.element(&format!("{action}Response"), |xml| {
            xml.element(&format!("{action}Result"), content);
            xml.element("ResponseMetadata", |xml| {
                xml.text("RequestId", REQUEST_ID);
            });
        });
        Self { status: 200, content_type: "text/xml", body: xml.into_text().into_bytes() }
    }

    pub(crate) fn json(value: &serde_json::Value) -> Self {
        Self { status: 200, content_type: "application/x-amz-json-1.1", body: value.to_string().into_bytes() }
    }

    pub(crate) fn cbor(value: &ciborium::Value) -> Self {
        let mut body = Vec::new();
        // Writing to memory cannot fail.
        let _ = ciborium::into_writer(value, &mut body);
        Self { status: 200, content_type: "application/cbor", body }
    }

    /// A refusal in the dialect of the service.
    #[must_use]
    pub fn refusal(dialect: Dialect, refusal: &Refusal) -> Self {
        let Refusal(status, code, message) = refusal;
        let mut answer = match dialect {
            Dialect::Ec2 => {
                let mut xml = Xml::default();
                xml.element("Response", |xml| {
                    xml.element("Errors", |xml| {
                        xml.element("Error", |xml| {
                            xml.text("Code", code).text("Message", message);
                        });
                    });
                    xml.text("RequestID", REQUEST_ID);
                });
                Self { status: 0, content_type: "text/xml", body: xml.into_text().into_bytes() }
            }
            Dialect::Query => {
                let mut xml = Xml::default();
                xml.element("ErrorResponse", |xml| {
                    xml.element("Error", |xml| {
                        xml.text("Type", "Sender").text("Code", code).text("Message", message);
                    });
                    xml.text("RequestId", REQUEST_ID);
                });
                Self { status: 0, content_type: "text/xml", body: xml.into_text().into_bytes() }
            }
            Dialect::Json => Self::json(&serde_json::json!({ "__type": code, "message": message })),
            Dialect::Cbor => {
                let text = |text: &str| ciborium::Value::Text(text.to_owned());
                Self::cbor(&ciborium::Value::Map(vec![
                    (text("__type"), text(code)),
                    (text("message"), text(message)),
                ]))
            }
        };
        answer.status = *status;
        answer
    }
}
