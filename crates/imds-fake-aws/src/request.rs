//! Takes a request apart: who calls, where, what, with which parameters.

use std::collections::BTreeMap;

use crate::answer::Dialect;

/// A request to one of the services.
#[derive(Clone, Debug)]
pub struct Request {
    /// The account that the credentials belong to.
    pub account: String,
    /// The Region it was signed for.
    pub region: String,
    /// The service it was signed for.
    pub service: String,
    /// The action.
    pub action: String,
    /// How the service speaks.
    pub dialect: Dialect,
    /// Form parameters (EC2 and Query).
    pub form: BTreeMap<String, String>,
    /// The body as JSON.
    pub json: serde_json::Value,
    /// The body as CBOR.
    pub cbor: ciborium::Value,
}

impl Request {
    /// Reads a request.
    #[must_use]
    pub fn read(
        home: &str,
        path: &str,
        authorization: &str,
        target: Option<&str>,
        body: &[u8],
    ) -> Option<Self> {
        // Credential=KEY/DATE/REGION/SERVICE/aws4_request
        let scope = authorization.split("Credential=").nth(1)?.split(',').next()?;
        let mut scope = scope.split('/');
        let (key, _date, region, service) = (scope.next()?, scope.next()?, scope.next()?, scope.next()?);
        // The keys that our AssumeRole hands out hold the account's digits.
        let account = key.strip_prefix("ASIA").filter(|digits| digits.len() == 12).unwrap_or(home);
        let mut request = Self {
            account: account.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            action: String::new(),
            dialect: Dialect::Query,
            form: BTreeMap::new(),
            json: serde_json::Value::Null,
            cbor: ciborium::Value::Null,
        };
        if let Some(operation) =
            path.strip_prefix("/service/").and_then(|rest| rest.split("/operation/").nth(1))
        {
            request.dialect = Dialect::Cbor;
            operation.clone_into(&mut request.action);
            request.cbor = ciborium::from_reader(body).ok()?;
        } else if let Some(target) = target {
            request.dialect = Dialect::Json;
            target.rsplit('.').next()?.clone_into(&mut request.action);
            request.json = serde_json::from_slice(body).ok()?;
        } else {
            request.form = form(std::str::from_utf8(body).ok()?);
            request.action = request.form.get("Action")?.clone();
            if service == "ec2" {
                request.dialect = Dialect::Ec2;
            }
        }
        Some(request)
    }

    /// The IAM action that it takes.
    #[must_use]
    pub fn iam_action(&self) -> String {
        let service = match self.service.as_str() {
            "monitoring" => "cloudwatch",
            other => other,
        };
        format!("{service}:{}", self.action)
    }

    /// A form parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.form.get(name).map(String::as_str)
    }

    /// The values of `NAME.1`, `NAME.2`, ...
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<&str> {
        (1..).map_while(|n| self.get(&format!("{name}.{n}"))).collect()
    }

    /// The filters: name and values.
    #[must_use]
    pub fn filters(&self) -> Vec<(&str, Vec<&str>)> {
        (1..)
            .map_while(|n| {
                Some((self.get(&format!("Filter.{n}.Name"))?, self.list(&format!("Filter.{n}.Value"))))
            })
            .collect()
    }

    /// A page of `items`: where it starts, where it ends, and the token of the next.
    #[must_use]
    pub fn page(&self, total: usize, size: usize) -> (std::ops::Range<usize>, Option<String>) {
        let token =
            self.get("NextToken").or_else(|| self.json.get("NextToken").and_then(|token| token.as_str()));
        let start = token.and_then(|token| token.strip_prefix("page-")?.parse().ok()).unwrap_or(0).min(total);
        let end = start.saturating_add(size).min(total);
        (start..end, (end < total).then(|| format!("page-{end}")))
    }
}

/// The parameters of a form.
pub(crate) fn form(text: &str) -> BTreeMap<String, String> {
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'+' => bytes.push(b' '),
            b'%' if rest.len() >= 2 => {
                let digits = std::str::from_utf8(&rest[..2]).ok();
                bytes.extend(digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()));
                rest = &rest[2..];
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
