//! `PUT /latest/api/token`.

use super::Setup::{Disabled, Optional, Required};
use super::{Row, bare, page};

const TTL: &str = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds: 21600\r\n";

fn issued(seconds: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nX-Aws-Ec2-Metadata-Token-Ttl-Seconds: {seconds}\r\nContent-Length: 56\r\nDate: {}\r\n\
         Server: EC2ws\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\nTOKEN",
        super::DATE
    )
}

#[rustfmt::skip]
pub(crate) fn rows() -> Vec<Row> {
    let row = |fact, setup, request, expected| Row { fact, setup, request, expected };
    let not_allowed = || bare("405 Not Allowed", "Allow: OPTIONS, PUT\r\n");
    vec![
        row("a token of the TTL asked for, 56 characters (capture, July 2025)", Optional,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 21600\r\n\r\n", issued("21600")),
        row("the same while tokens are required", Required,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 21600\r\n\r\n", issued("21600")),
        row("the header's name is compared without case", Optional,
            "PUT /latest/api/token HTTP/1.1\r\nx-AWS-ec2-METADATA-token-ttl-SECONDS: 60\r\n\r\n", issued("60")),
        row("doubled slashes are tolerated, as in data paths (ex-aws/ex_aws#496): AWS CLI v2 needs an endpoint with a slash behind (aws/aws-cli#9281), others add one", Optional,
            "PUT //latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n", issued("60")),
        row("shortest TTL", Optional,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 1\r\n\r\n", issued("1")),
        row("TTL 0 is refused", Optional,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 0\r\n\r\n", bare("400 Bad Request", "")),
        row("longest TTL is 21600 (EC2 User Guide)", Optional,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 21601\r\n\r\n", bare("400 Bad Request", "")),
        row("a TTL is needed (EC2 User Guide)", Optional,
            "PUT /latest/api/token HTTP/1.1\r\n\r\n", bare("400 Bad Request", "")),
        row("a misspelt TTL header is none (apache/opendal-reqsign#197)", Optional,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-second: 60\r\n\r\n", bare("400 Bad Request", "")),
        row("a TTL is a number", Optional,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: abc\r\n\r\n", bare("400 Bad Request", "")),
        row("a negative TTL is refused", Optional,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: -1\r\n\r\n", bare("400 Bad Request", "")),
        row("an empty TTL is refused", Optional,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds:\r\n\r\n", bare("400 Bad Request", "")),
        row("a body is read and ignored", Optional,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\nContent-Length: 5\r\n\r\nhello", issued("60")),
        row("Content-Length 0 is fine", Optional,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\nContent-Length: 0\r\n\r\n", issued("60")),
        row("an empty chunked upload is fine (s3fs-fuse/s3fs-fuse#1766)", Optional,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", issued("60")),
        row("Expect: 100-continue is refused with lighttpd's page (s3fs-fuse/s3fs-fuse#1765)", Optional,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\nExpect: 100-continue\r\n\r\n",
            page("417 Expectation Failed", None)),
        row("Expect with a body that is not sent is refused at once", Optional,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
            page("417 Expectation Failed", None)),
        row("a PUT through a proxy is refused (kube2iam#241)", Optional,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n",
            bare("403 Forbidden", "")),
        row("a dated token path is refused (EC2 User Guide)", Optional,
            "PUT /2021-03-23/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n", bare("403 Forbidden", "")),
        row("the oldest version likewise", Optional,
            "PUT /1.0/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n", bare("403 Forbidden", "")),
        row("a slash behind is refused (aws-beam/aws_credentials#47)", Optional,
            "PUT /latest/api/token/ HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n", bare("403 Forbidden", "")),
        row("GET of the token path (jtblin/aws-mock-metadata, capture of April 2020)", Optional,
            "GET /latest/api/token HTTP/1.1\r\n\r\n", not_allowed()),
        row("the same while tokens are required", Required,
            "GET /latest/api/token HTTP/1.1\r\n\r\n", not_allowed()),
        row("POST of the token path", Optional,
            "POST /latest/api/token HTTP/1.1\r\nContent-Length: 0\r\n\r\n", not_allowed()),
        row("DELETE of the token path", Optional,
            "DELETE /latest/api/token HTTP/1.1\r\n\r\n", not_allowed()),
        row("OPTIONS of the token path gives no token (kubernetes-sigs/cluster-api-provider-aws#1609)", Optional,
            "OPTIONS /latest/api/token HTTP/1.1\r\n\r\n", bare("200 OK", "Allow: OPTIONS, PUT\r\n")),
        row("the token tree is not listed (jtblin/aws-mock-metadata)", Optional,
            "GET /latest/api HTTP/1.1\r\n\r\n", page("404 Not Found", None)),
        row("with a slash neither", Optional,
            "GET /latest/api/ HTTP/1.1\r\n\r\n", page("404 Not Found", None)),
        row("IMDS switched off (ansible/ansible#68098)", Disabled,
            "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n", bare("403 Forbidden", "")),
        row("a token's answers tell the seconds that remain", Optional,
            "GET /latest/meta-data/instance-id HTTP/1.1\r\nX-aws-ec2-metadata-token: TOKEN\r\n\r\n",
            super::value(Some(21_600), "text/plain", "i-1234567890abcdef0")),
        row("OPTIONS with a token tells them too", Optional,
            "OPTIONS /latest/meta-data/ HTTP/1.1\r\nX-aws-ec2-metadata-token: TOKEN\r\n\r\n",
            bare("200 OK", &format!("{TTL}Allow: OPTIONS, GET, HEAD\r\n"))),
    ]
}
