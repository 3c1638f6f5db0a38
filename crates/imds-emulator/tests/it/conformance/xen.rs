//! The Xen profile.

use super::DATE;
use super::Row;
use super::Setup::{Xen, XenRequired};

fn page(status: &str) -> String {
    let (code, reason) = status.split_once(' ').unwrap();
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 \
         Transitional//EN\"\n\t\t\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n\
         <html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n <head>\n  \
         <title>{code} - {reason}</title>\n </head>\n <body>\n  <h1>{code} - {reason}</h1>\n </body>\n</html>"
    );
    format!(
        "HTTP/1.0 {status}\r\nContent-Length: {}\r\nContent-Type: text/html\r\nDate: {DATE}\r\nConnection: close\r\n\
         Server: EC2ws\r\n\r\n{body}",
        body.len()
    )
}

fn value(ttl: &str, body: &str) -> String {
    format!(
        "HTTP/1.0 200 OK\r\nAccept-Ranges: bytes\r\nContent-Length: {}\r\nContent-Type: text/plain\r\nDate: {DATE}\r\n\
         Last-Modified: {DATE}\r\n{ttl}Connection: close\r\nServer: EC2ws\r\n\r\n{body}",
        body.len()
    )
}

#[rustfmt::skip]
pub(crate) fn rows() -> Vec<Row> {
    let row = |fact, setup, request, expected| Row { fact, setup, request, expected };
    vec![
        row("a token: HTTP/1.0, its own order (s3fs-fuse/s3fs-fuse#1766)", Xen,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 21600\r\n\r\n",
            format!("HTTP/1.0 200 OK\r\nContent-Length: 56\r\nContent-Type: text/plain\r\nDate: {DATE}\r\n\
                     X-Aws-Ec2-Metadata-Token-Ttl-Seconds: 21600\r\nConnection: close\r\nServer: EC2ws\r\n\r\nTOKEN")),
        row("a value (s3fs-fuse/s3fs-fuse#1743)", Xen, "GET /latest/meta-data/instance-id HTTP/1.1\r\n\r\n", value("", "i-1234567890abcdef0")),
        row("a value with a token", XenRequired, "GET /latest/meta-data/instance-id HTTP/1.1\r\nX-aws-ec2-metadata-token: TOKEN\r\n\r\n",
            value("X-Aws-Ec2-Metadata-Token-Ttl-Seconds: 21600\r\n", "i-1234567890abcdef0")),
        row("401: a page of 343 bytes (DataDog/datadog-agent#4857)", XenRequired, "GET / HTTP/1.1\r\n\r\n", page("401 Unauthorized")),
        row("404: a page of 337 bytes", Xen, "GET /latest/meta-data/nothing HTTP/1.1\r\n\r\n", page("404 Not Found")),
        row("keep-alive is not granted: HTTP/1.0, assume close (s3fs-fuse/s3fs-fuse#1743)", Xen,
            "GET /latest/meta-data/instance-id HTTP/1.1\r\nConnection: keep-alive\r\n\r\n", value("", "i-1234567890abcdef0")),
        row("OPTIONS of the token path (kubernetes-sigs/cluster-api-provider-aws#1609)", Xen, "OPTIONS /latest/api/token HTTP/1.1\r\n\r\n",
            format!("HTTP/1.0 200 OK\r\nAllow: OPTIONS, PUT\r\nContent-Length: 0\r\nContent-Type: text/plain\r\nDate: {DATE}\r\n\
                     Connection: close\r\nServer: EC2ws\r\n\r\n")),
        row("a directory without its slash: no redirect any more (uswitch/kiam#490)", Xen, "GET /latest/meta-data/iam/security-credentials HTTP/1.1\r\n\r\n",
            value("", "my-role")),
        row("an empty chunked upload is fine (s3fs-fuse/s3fs-fuse#1766)", Xen,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            format!("HTTP/1.0 200 OK\r\nContent-Length: 56\r\nContent-Type: text/plain\r\nDate: {DATE}\r\n\
                     X-Aws-Ec2-Metadata-Token-Ttl-Seconds: 60\r\nConnection: close\r\nServer: EC2ws\r\n\r\nTOKEN")),
        row("Expect: 100-continue: lighttpd's own page, of 363 bytes (s3fs-fuse/s3fs-fuse#1765)", Xen,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\nExpect: 100-continue\r\n\r\n",
            page("417 Expectation Failed").replace("\t\t\"", "         \"").replace("</html>", "</html>\n").replace("Length: 355", "Length: 363")),
        row("an HTTP/1.0 request is answered alike", Xen, "GET /latest/meta-data/mac HTTP/1.0\r\n\r\n", value("", "02:29:96:8f:6a:2d")),
        row("405 on the token path", Xen, "GET /latest/api/token HTTP/1.1\r\n\r\n",
            format!("HTTP/1.0 405 Not Allowed\r\nAllow: OPTIONS, PUT\r\nContent-Length: 0\r\nContent-Type: text/plain\r\nDate: {DATE}\r\n\
                     Connection: close\r\nServer: EC2ws\r\n\r\n")),
    ]
}
