//! What a request can meet.

/// What one request meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Token PUTs: a new token of the TTL that was asked for.
    IssueToken,
    /// GETs: the body to requests that carry a token of this server, 401 to all others.
    Serve(Vec<u8>),
    /// The answer, whatever the request carries.
    Answer(Answer),
    /// Silence: the request is read and never answered.
    Stall,
    /// The head and the first bytes of the answer's body, then a TCP reset.
    Reset {
        /// The answer that is cut.
        answer: Answer,
        /// How many bytes of its body are sent.
        body_bytes: usize,
    },
    /// The connection is closed without a byte.
    Hangup,
}

/// How a response announces the end of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By a `Content-Length` that is true.
    Length,
    /// By a `Content-Length` that names this many bytes, whatever the body has.
    LengthSaid(usize),
    /// In chunks of this many bytes.
    Chunked(usize),
    /// By the end of the connection.
    UntilClose,
}

/// One answer, to the byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub(super) version: &'static str,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) framing: Framing,
    pub(super) close: bool,
    pub(super) lower_case: bool,
}

impl Answer {
    /// An empty answer of this status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self {
            version: "HTTP/1.1",
            status,
            headers: Vec::new(),
            body: Vec::new(),
            framing: Framing::Length,
            close: false,
            lower_case: false,
        }
    }

    /// 200 with this body.
    #[must_use]
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::status(200) }.header("Content-Type", "text/plain")
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// A redirect to another place.
    #[must_use]
    pub fn redirect(location: &str) -> Self {
        Self::status(302).header("Location", location)
    }

    /// What a captive portal or a web server puts in the way: 200 and a page.
    #[must_use]
    pub fn captive_portal() -> Self {
        let page =
            "<!DOCTYPE html>\n<html><head><title>Welcome</title></head>\n<body>Please log in</body></html>\n";
        Self { body: page.into(), ..Self::status(200) }.header("Content-Type", "text/html")
    }

    /// The same with this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with another way to tell the body's end.
    #[must_use]
    pub fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// The same as `HTTP/1.0`, as the Xen-era service answers; the connection is closed after it.
    #[must_use]
    pub fn http_1_0(mut self) -> Self {
        self.version = "HTTP/1.0";
        self.close = true;
        self
    }

    /// The same with `Connection: close`, and the connection closed after it.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    /// The same with header names in lower case.
    #[must_use]
    pub fn lower_case_headers(mut self) -> Self {
        self.lower_case = true;
        self
    }

    /// Cut by a TCP reset after this many bytes of the body.
    #[must_use]
    pub fn reset_after(self, body_bytes: usize) -> Behaviour {
        Behaviour::Reset { answer: self, body_bytes }
    }

    /// Whether the connection ends with this answer.
    pub(super) fn ends_connection(&self) -> bool {
        let short = matches!(self.framing, Framing::LengthSaid(said) if said != self.body.len());
        self.close || short || self.framing == Framing::UntilClose
    }

    /// The head, its empty line included.
    pub(super) fn head(&self, keep_alive: bool) -> Vec<u8> {
        let mut head = format!("{} {} {}\r\n", self.version, self.status, reason(self.status));
        let mut push = |name: &str, value: &str| {
            let name = if self.lower_case { name.to_ascii_lowercase() } else { name.to_owned() };
            head.push_str(&format!("{name}: {value}\r\n"));
        };
        for (name, value) in &self.headers {
            push(name, value);
        }
        match self.framing {
            Framing::Length => push("Content-Length", &self.body.len().to_string()),
            Framing::LengthSaid(said) => push("Content-Length", &said.to_string()),
            Framing::Chunked(_) => push("Transfer-Encoding", "chunked"),
            Framing::UntilClose => {}
        }
        push("Server", "EC2ws");
        if !keep_alive {
            push("Connection", "close");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// The body as it goes over the wire.
    pub(super) fn framed_body(&self) -> Vec<u8> {
        let Framing::Chunked(size) = self.framing else { return self.body.clone() };
        let mut framed = Vec::new();
        for chunk in self.body.chunks(size.max(1)) {
            framed.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            framed.extend_from_slice(chunk);
            framed.extend_from_slice(b"\r\n");
        }
        framed.extend_from_slice(b"0\r\n\r\n");
        framed
    }
}

impl From<Answer> for Behaviour {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Not Allowed",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Something",
    }
}
