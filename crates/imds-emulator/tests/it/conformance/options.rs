//! Which data requests are served: session tokens, proxies, methods, metadata options.

use super::Setup::{Disabled, NoTags, Optional, Required};
use super::{Row, bare, page, value};

const ID: &str = "i-1234567890abcdef0";

#[rustfmt::skip]
pub(crate) fn rows() -> Vec<Row> {
    let row = |fact, setup, request, expected| Row { fact, setup, request, expected };
    let text = |body| value(None, "text/plain", body);
    let refused = || bare("401 Unauthorized", "");
    let head_only = |answer: String| answer.split_once("\r\n\r\n").map(|(head, _)| format!("{head}\r\n\r\n")).unwrap();
    vec![
        row("IMDSv1: no token, tokens optional, no TTL header", Optional,
            "GET /latest/meta-data/instance-id HTTP/1.1\r\n\r\n", text(ID)),
        row("no Host is no reason to refuse", Optional,
            "GET /latest/meta-data/mac HTTP/1.1\r\n\r\n", text("02:29:96:8f:6a:2d")),
        row("IMDSv2", Required,
            "GET /latest/meta-data/instance-id HTTP/1.1\r\nX-aws-ec2-metadata-token: TOKEN\r\n\r\n", value(Some(21_600), "text/plain", ID)),
        row("no token, tokens required: 401, no body (captures of 2020 to 2026)", Required,
            "GET /latest/meta-data/instance-id HTTP/1.1\r\n\r\n", refused()),
        row("that goes for every path: /", Required, "GET / HTTP/1.1\r\n\r\n", refused()),
        row("that goes for every path: one that does not exist", Required, "GET /nothing HTTP/1.1\r\n\r\n", refused()),
        row("that goes for HEAD", Required, "HEAD /latest/meta-data/ HTTP/1.1\r\n\r\n", refused()),
        row("a token that is none: 401 even while optional (EC2 User Guide)", Optional,
            "GET /latest/meta-data/instance-id HTTP/1.1\r\nX-aws-ec2-metadata-token: garbage\r\n\r\n", refused()),
        row("another instance's token, or a changed one, likewise", Optional,
            "GET /latest/meta-data/instance-id HTTP/1.1\r\nX-aws-ec2-metadata-token: xTOKEN\r\n\r\n", refused()),
        row("an empty token: 401 even while optional (osquery/osquery#7084)", Optional,
            "GET /latest/meta-data/instance-id HTTP/1.1\r\nX-aws-ec2-metadata-token:\r\n\r\n", refused()),
        row("a token through a proxy: 403 (kube2iam#279)", Optional,
            "GET /latest/meta-data/instance-id HTTP/1.1\r\nX-aws-ec2-metadata-token: TOKEN\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n",
            bare("403 Forbidden", "")),
        row("the same while required", Required,
            "GET /latest/meta-data/instance-id HTTP/1.1\r\nX-aws-ec2-metadata-token: TOKEN\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n",
            bare("403 Forbidden", "")),
        row("no token through a proxy: served as IMDSv1 (kube2iam relies on it)", Optional,
            "GET /latest/meta-data/instance-id HTTP/1.1\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n", text(ID)),
        row("no token through a proxy, tokens required", Required,
            "GET /latest/meta-data/instance-id HTTP/1.1\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n", refused()),
        row("HEAD: the head of the GET (EC2 Instance Connect uses it)", Optional,
            "HEAD /latest/meta-data/instance-id HTTP/1.1\r\n\r\n", head_only(text(ID))),
        row("HEAD with a token", Required,
            "HEAD /latest/meta-data/instance-id HTTP/1.1\r\nX-aws-ec2-metadata-token: TOKEN\r\n\r\n", head_only(value(Some(21_600), "text/plain", ID))),
        row("HEAD of what is not there", Optional,
            "HEAD /latest/meta-data/managed-ssh-keys/active-keys/ec2-user/ HTTP/1.1\r\n\r\n", head_only(page("404 Not Found", None))),
        row("OPTIONS of data is answered (kube2iam#283)", Optional,
            "OPTIONS /latest/meta-data/ HTTP/1.1\r\n\r\n", bare("200 OK", "Allow: OPTIONS, GET, HEAD\r\n")),
        row("POST of data: by analogy with the token path", Optional,
            "POST /latest/meta-data/ HTTP/1.1\r\nContent-Length: 0\r\n\r\n", bare("405 Not Allowed", "Allow: OPTIONS, GET, HEAD\r\n")),
        row("Accept is ignored", Optional,
            "GET /latest/meta-data/instance-id HTTP/1.1\r\nAccept: application/json\r\n\r\n", text(ID)),
        row("endpoint disabled: 403, no body", Disabled,
            "GET /latest/meta-data/instance-id HTTP/1.1\r\n\r\n", bare("403 Forbidden", "")),
        row("endpoint disabled: / too", Disabled, "GET / HTTP/1.1\r\n\r\n", bare("403 Forbidden", "")),
        row("endpoint disabled: no token helps", Disabled,
            "GET / HTTP/1.1\r\nX-aws-ec2-metadata-token: garbage\r\n\r\n", bare("403 Forbidden", "")),
        row("tags disabled: tags/ is not there (amazon-ec2-metadata-mock#189)", NoTags,
            "GET /latest/meta-data/tags/ HTTP/1.1\r\n\r\n", page("404 Not Found", None)),
        row("tags disabled: tags/instance is there and empty (amazon-ec2-metadata-mock#189)", NoTags,
            "GET /latest/meta-data/tags/instance HTTP/1.1\r\n\r\n", text("")),
        row("tags disabled: no tag is there", NoTags,
            "GET /latest/meta-data/tags/instance/Name HTTP/1.1\r\n\r\n", page("404 Not Found", None)),
        row("tags enabled", Optional, "GET /latest/meta-data/tags/ HTTP/1.1\r\n\r\n", text("instance/")),
        row("tags enabled: keys", Optional, "GET /latest/meta-data/tags/instance HTTP/1.1\r\n\r\n",
            text("Name\naws:autoscaling:groupName")),
        row("tags enabled: a value", Optional, "GET /latest/meta-data/tags/instance/aws:autoscaling:groupName HTTP/1.1\r\n\r\n",
            text("my-group")),
        row("an encoded colon is a colon", Optional, "GET /latest/meta-data/tags/instance/aws%3Aautoscaling%3AgroupName HTTP/1.1\r\n\r\n",
            text("my-group")),
    ]
}
