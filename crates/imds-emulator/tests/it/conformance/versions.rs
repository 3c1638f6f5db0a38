//! Versions, and which of them shows what.

use super::Setup::Optional;
use super::{Row, page, value};

const VERSIONS: &str = "1.0\n2007-01-19\n2007-03-01\n2007-08-29\n2007-10-10\n2007-12-15\n2008-02-01\n2008-09-01\n\
                        2009-04-04\n2011-01-01\n2011-05-01\n2012-01-12\n2014-02-25\n2014-11-05\n2015-10-20\n\
                        2016-04-19\n2016-06-30\n2016-09-02\n2018-03-28\n2018-08-17\n2018-09-24\n2019-10-01\n\
                        2020-10-27\n2021-01-03\n2021-03-23\n2021-07-15\n2022-07-09\n2022-09-24\n2024-04-11\nlatest";

#[rustfmt::skip]
pub(crate) fn rows() -> Vec<Row> {
    let row = |fact, request, body: &str| Row { fact, setup: Optional, request, expected: value(None, "text/plain", body) };
    let missing = |fact, request| Row { fact, setup: Optional, request, expected: page("404 Not Found", None) };
    vec![
        row("the list of versions: 318 bytes (capture, August 2024)", "GET / HTTP/1.1\r\n\r\n", VERSIONS),
        row("an absolute request target", "GET http://169.254.169.254/ HTTP/1.1\r\n\r\n", VERSIONS),
        row("1.0 has the oldest categories", "GET /1.0/meta-data/instance-id HTTP/1.1\r\n\r\n", "i-1234567890abcdef0"),
        row("1.0 lists no others", "GET /1.0/meta-data/ HTTP/1.1\r\n\r\n",
            "ami-id\nami-launch-index\nami-manifest-path\nhostname\ninstance-id\nlocal-ipv4\nprofile\npublic-keys/\nreservation-id\nsecurity-groups"),
        row("2021-07-15 brought the target lifecycle state", "GET /2021-07-15/meta-data/autoscaling/target-lifecycle-state HTTP/1.1\r\n\r\n", "InService"),
        missing("2021-03-23 has it not (cloud-init pins it)", "GET /2021-03-23/meta-data/autoscaling/target-lifecycle-state HTTP/1.1\r\n\r\n"),
        row("2021-03-23 brought tags", "GET /2021-03-23/meta-data/tags/instance/Name HTTP/1.1\r\n\r\n", "my-instance"),
        missing("2021-01-03 has them not (afterburn and bottlerocket pin it)", "GET /2021-01-03/meta-data/tags/instance/Name HTTP/1.1\r\n\r\n"),
        row("2020-10-27 is after the Region's 2020-08-24", "GET /2020-10-27/meta-data/placement/region HTTP/1.1\r\n\r\n", "us-east-1"),
        missing("2019-10-01 has no Region", "GET /2019-10-01/meta-data/placement/region HTTP/1.1\r\n\r\n"),
        row("2018-09-24 is after the identity credentials' 2018-05-23", "GET /2018-09-24/meta-data/identity-credentials/ec2/ HTTP/1.1\r\n\r\n", "info\nsecurity-credentials/"),
        missing("2018-03-28 has none", "GET /2018-03-28/meta-data/identity-credentials/ec2/ HTTP/1.1\r\n\r\n"),
        row("2016-09-02 (cloud-init's oldest but one)", "GET /2016-09-02/meta-data/placement/ HTTP/1.1\r\n\r\n", "availability-zone"),
        row("2009-04-04 (cloud-init's oldest) has the identity document's directory", "GET /2009-04-04/dynamic/ HTTP/1.1\r\n\r\n", "fws/\ninstance-identity/\n"),
        missing("2008-09-01 has no dynamic data", "GET /2008-09-01/dynamic/ HTTP/1.1\r\n\r\n"),
        row("system came with 2022-09-24", "GET /2022-09-24/meta-data/system HTTP/1.1\r\n\r\n", "nitro"),
        missing("2022-07-09 has it not", "GET /2022-07-09/meta-data/system HTTP/1.1\r\n\r\n"),
        missing("a release that the list does not name", "GET /2018-05-23/meta-data/ HTTP/1.1\r\n\r\n"),
        missing("a version to come", "GET /2031-01-01/meta-data/ HTTP/1.1\r\n\r\n"),
        missing("no version at all", "GET /meta-data/instance-id HTTP/1.1\r\n\r\n"),
    ]
}
