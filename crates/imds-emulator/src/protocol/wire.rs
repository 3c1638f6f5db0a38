//! From an answer to its bytes, in the header order of each wire profile.

use imds_model::header;

use super::{Response, Shape};
use crate::base::profile::Profile;
use crate::base::status::Status;
use crate::base::time::Timestamp;

/// Dates as the headers spell them, kept so that they are written once per second and not once per
/// answer.
#[derive(Debug, Default)]
pub(crate) struct Dates {
    second: Option<i64>,
    text: String,
}

impl Dates {
    fn text(&mut self, now: Timestamp) -> &str {
        if self.second != Some(now.seconds()) {
            self.second = Some(now.seconds());
            self.text = now.http_date();
        }
        &self.text
    }
}

/// Puts answers into bytes.
#[derive(Debug)]
pub(crate) struct Encoder {
    profile: Profile,
    /// Whether a Snowball names the token TTL as EC2 does.
    snowball_token_ttl: bool,
    dates: Dates,
    last_modified: String,
}

impl Encoder {
    /// An encoder of this profile, whose values were last changed at `last_modified`.
    #[must_use]
    pub(crate) fn new(profile: Profile, last_modified: Timestamp) -> Self {
        Self {
            profile,
            snowball_token_ttl: false,
            dates: Dates::default(),
            last_modified: last_modified.http_date(),
        }
    }

    /// The same, with the token TTL in the answers of a Snowball if `sent`.
    #[must_use]
    pub(crate) fn with_snowball_token_ttl(self, sent: bool) -> Self {
        Self { snowball_token_ttl: sent, ..self }
    }

    /// The values were changed at this time.
    pub(crate) fn set_last_modified(&mut self, time: Timestamp) {
        self.last_modified = time.http_date();
    }

    /// Whether a connection stays open after an answer, given that the client asked for it. On
    /// Nitro it does (aws-beam/aws_credentials#47); the older front ends answer in HTTP/1.0 and
    /// close.
    #[must_use]
    pub(crate) const fn keeps_alive(&self, asked_for: bool) -> bool {
        asked_for && matches!(self.profile, Profile::Nitro)
    }

    /// Appends the bytes of an answer.
    pub(crate) fn encode(
        &mut self,
        response: &Response,
        keep_alive: bool,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) {
        let protocol = match self.profile {
            Profile::Nitro => "HTTP/1.1 ",
            Profile::Xen | Profile::Snowball => "HTTP/1.0 ",
        };
        out.extend_from_slice(protocol.as_bytes());
        out.extend_from_slice(response.status.line().as_bytes());
        out.extend_from_slice(b"\r\n");
        for field in fields(self.profile, response.shape, self.snowball_token_ttl) {
            self.field(*field, response, keep_alive, now, out);
        }
        out.extend_from_slice(b"\r\n");
        if !response.head {
            out.extend_from_slice(response.body.bytes());
        }
    }

    fn field(
        &mut self,
        field: Field,
        response: &Response,
        keep_alive: bool,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) {
        let mut line = |name: &str, value: &[u8]| {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        };
        match field {
            Field::TokenTtl => {
                if let Some(seconds) = response.token_ttl {
                    line(header::TOKEN_TTL, decimal(&mut [0; 20], seconds as usize));
                }
            }
            Field::Allow => {
                if let Some(methods) = response.allow {
                    line("Allow", methods.as_bytes());
                }
            }
            Field::ContentType => line("Content-Type", response.content_type.as_bytes()),
            Field::ContentLength => {
                line("Content-Length", decimal(&mut [0; 20], response.body.bytes().len()));
            }
            Field::AcceptRanges => {
                let unit = if self.profile == Profile::Xen { "bytes" } else { "none" };
                line("Accept-Ranges", unit.as_bytes());
            }
            Field::LastModified => line("Last-Modified", self.last_modified.as_bytes()),
            Field::Date => line("Date", self.dates.text(now).as_bytes()),
            Field::Server => line("Server", header::SERVER_NAME.as_bytes()),
            Field::Connection => {
                if !keep_alive {
                    line("Connection", b"close");
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Field {
    TokenTtl,
    Allow,
    ContentType,
    ContentLength,
    AcceptRanges,
    LastModified,
    Date,
    Server,
    Connection,
}

/// Header orders. Captured: Nitro's value and token, Xen's value and token, a Snowball's value. The
/// order of an error page's headers was never captured; it follows the value's.
fn fields(profile: Profile, shape: Shape, snowball_token_ttl: bool) -> &'static [Field] {
    use Field::{
        AcceptRanges, Allow, Connection, ContentLength, ContentType, Date, LastModified, Server, TokenTtl,
    };
    match (profile, shape) {
        (Profile::Nitro, Shape::Value) => {
            &[TokenTtl, ContentType, AcceptRanges, LastModified, ContentLength, Date, Server, Connection]
        }
        (Profile::Nitro, Shape::Page) => {
            &[TokenTtl, Allow, ContentType, ContentLength, Date, Server, Connection]
        }
        (Profile::Nitro, Shape::Bare) => {
            &[TokenTtl, Allow, ContentLength, Date, Server, Connection, ContentType]
        }
        (Profile::Xen, Shape::Value) => {
            &[AcceptRanges, ContentLength, ContentType, Date, LastModified, TokenTtl, Connection, Server]
        }
        (Profile::Xen, Shape::Bare | Shape::Page) => {
            &[Allow, ContentLength, ContentType, Date, TokenTtl, Connection, Server]
        }
        (Profile::Snowball, _) if snowball_token_ttl => {
            &[Allow, Date, ContentLength, ContentType, TokenTtl, Server]
        }
        (Profile::Snowball, _) => &[Allow, Date, ContentLength, ContentType, Server],
    }
}

/// Decimal digits of a number.
fn decimal(buffer: &mut [u8; 20], mut number: usize) -> &[u8] {
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        if number == 0 {
            return &buffer[at..];
        }
    }
}

/// The answer to a head that is no HTTP: closes the connection. What the real service does is
/// unknown.
#[must_use]
pub(crate) fn malformed() -> Response {
    Response::bare(Status::BadRequest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals() {
        for (number, text) in [(0, "0"), (7, "7"), (21_600, "21600"), (usize::MAX, "18446744073709551615")] {
            assert_eq!(decimal(&mut [0; 20], number), text.as_bytes());
        }
    }

    #[test]
    fn date_changes_with_the_second() {
        let mut dates = Dates::default();
        assert_eq!(dates.text(Timestamp::from_millis(999)), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(dates.text(Timestamp::from_millis(1000)), "Thu, 01 Jan 1970 00:00:01 GMT");
    }
}
