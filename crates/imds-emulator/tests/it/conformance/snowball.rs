//! The Snowball profile (AWS Snowball Edge Developer Guide).

use super::DATE;
use super::Row;
use super::Setup::Snowball;

fn value(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.0 200 OK\r\nDate: {DATE}\r\nContent-Length: {length}\r\nContent-Type: text/plain\r\nServer: EC2ws\r\n\r\n{body}"
    )
}

#[rustfmt::skip]
pub(crate) fn rows() -> Vec<Row> {
    let row = |fact, request, body: &str| Row { fact, setup: Snowball, request, expected: value(body) };
    vec![
        row("the list of versions: 274 bytes, four headers", "GET / HTTP/1.1\r\n\r\n",
            "1.0\n2007-01-19\n2007-03-01\n2007-08-29\n2007-10-10\n2007-12-15\n2008-02-01\n2008-09-01\n2009-04-04\n\
             2011-01-01\n2011-05-01\n2012-01-12\n2014-02-25\n2014-11-05\n2015-10-20\n2016-04-19\n2016-06-30\n2016-09-02\n\
             2018-03-28\n2018-08-17\n2018-09-24\n2019-10-01\n2020-10-27\n2021-01-03\n2021-03-23\nlatest"),
        Row { fact: "a token: 56 characters, no TTL echo", setup: Snowball, request: "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n", expected: value(&"T".repeat(56)).replace(&"T".repeat(56), "TOKEN") },
        row("a value with a token: no TTL echo", "GET /latest/meta-data/instance-id HTTP/1.1\r\nX-aws-ec2-metadata-token: TOKEN\r\n\r\n", "i-1234567890abcdef0"),
        row("its categories", "GET /latest/meta-data/ HTTP/1.1\r\n\r\n",
            "ami-id\nhostname\ninstance-id\ninstance-type\nlocal-hostname\nlocal-ipv4\nmac\nnetwork/\npublic-ipv4\npublic-keys/\nreservation-id"),
        row("its public keys", "GET /latest/meta-data/public-keys/ HTTP/1.1\r\n\r\n", "0=my-key"),
        row("its MAC address below its interfaces", "GET /latest/meta-data/network/interfaces/macs/02:29:96:8f:6a:2d/mac HTTP/1.1\r\n\r\n", "02:29:96:8f:6a:2d"),
        row("its public address there", "GET /latest/meta-data/network/interfaces/macs/02:29:96:8f:6a:2d/public-ipv4s HTTP/1.1\r\n\r\n", "203.0.113.25"),
        row("its interfaces", "GET /latest/meta-data/network/interfaces/macs/02:29:96:8f:6a:2d/ HTTP/1.1\r\n\r\n", "local-hostname\nlocal-ipv4s\nmac\npublic-ipv4s"),
        row("its identity document: four values", "GET /latest/dynamic/instance-identity/document HTTP/1.1\r\n\r\n",
            "{\n  \"accountId\" : null,\n  \"architecture\" : null,\n  \"availabilityZone\" : null,\n  \"billingProducts\" : null,\n  \
             \"devpayProductCodes\" : null,\n  \"marketplaceProductCodes\" : null,\n  \"imageId\" : \"ami-0abcdef1234567890\",\n  \
             \"instanceId\" : \"i-1234567890abcdef0\",\n  \"instanceType\" : \"m5.large\",\n  \"kernelId\" : null,\n  \
             \"pendingTime\" : null,\n  \"privateIp\" : \"10.0.0.157\",\n  \"ramdiskId\" : null,\n  \"region\" : null,\n  \"version\" : null\n}"),
        Row { fact: "a token PUT without a TTL: 400", setup: Snowball, request: "PUT /latest/api/token HTTP/1.1\r\n\r\n",
            expected: format!("HTTP/1.0 400 Bad Request\r\nDate: {DATE}\r\nContent-Length: 0\r\nContent-Type: text/plain\r\nServer: EC2ws\r\n\r\n") },
    ]
}
