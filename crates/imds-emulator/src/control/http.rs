//! HTTP for the control API: one request per connection.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::api;
use super::guard::{ControlToken, Refusal, Sender};
use super::message::{Answer, Request};
use crate::base::limits::{CONTROL_BYTES, CONTROL_TIME};
use crate::server::Service;

pub(crate) async fn serve(
    mut stream: TcpStream,
    service: Service,
    endpoint: String,
    token: Option<ControlToken>,
) {
    let exchange = async {
        let answer = match read(&mut stream, token.as_ref()).await? {
            Ok(request) => {
                if request.path == api::CERTIFICATES {
                    service.make_keys().await;
                }
                api::answer(&service, &endpoint, &request)
            }
            Err(refused) => refused,
        };
        let head = format!(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nContent-Security-Policy: default-src 'none'; \
             style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; \
             form-action 'none'\r\nConnection: close\r\n\r\n",
            answer.status,
            answer.content_type,
            answer.body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(answer.body.as_bytes()).await?;
        stream.shutdown().await
    };
    // A client that goes away, or sends nothing for half a minute, is nobody's problem but its own.
    let _: Result<io::Result<()>, _> = timeout(CONTROL_TIME, exchange).await;
}

async fn read(stream: &mut TcpStream, token: Option<&ControlToken>) -> io::Result<Result<Request, Answer>> {
    let mut bytes = Vec::with_capacity(1024);
    loop {
        if let Some(request) = parse(&bytes, token) {
            return Ok(request);
        }
        if bytes.len() > CONTROL_BYTES || stream.read_buf(&mut bytes).await? == 0 {
            return Ok(Err(api::problem("400 Bad Request", "the request is incomplete or too long")));
        }
    }
}

/// The request in these bytes, once all of it is there.
fn parse(bytes: &[u8], token: Option<&ControlToken>) -> Option<Result<Request, Answer>> {
    let refused = |status, message: &str| Some(Err(api::problem(status, message)));
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Request::new(&mut headers);
    let length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return None,
        Err(_) => return refused("400 Bad Request", "the request is no HTTP"),
    };
    let header = |name: &str| {
        let found = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok()
    };
    // The page and the document hold no data: a browser can open them without a header of its own.
    let open = matches!(head.path, Some("/" | "/openapi.json"));
    let admitted = Sender::of(head.headers).ok_or(Refusal::Foreign);
    match admitted.and_then(|sender| sender.admit(token, open)) {
        Ok(()) => {}
        Err(Refusal::Foreign) => {
            let message = "`Host` and `Origin` have to be this loopback address, once each";
            return refused("403 Forbidden", message);
        }
        Err(Refusal::Unauthorized) => {
            let message = "the control API needs `Authorization: Bearer TOKEN`, with its `--control-token`";
            return refused("401 Unauthorized", message);
        }
    }
    if header("transfer-encoding").is_some() {
        return refused("411 Length Required", "the body needs a `Content-Length`");
    }
    let body_length = match header("content-length").map(str::parse) {
        None => 0,
        Some(Ok(length)) if length <= CONTROL_BYTES => length,
        Some(_) => return refused("413 Content Too Large", "the body is too long"),
    };
    let body = bytes.get(length..length + body_length)?.to_vec();
    let (path, query) =
        head.path.unwrap_or_default().split_once('?').unwrap_or((head.path.unwrap_or_default(), ""));
    let json = header("content-type").is_some_and(|kind| kind.split(';').next() == Some("application/json"));
    Some(Ok(Request {
        method: head.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        body,
        json,
    }))
}
