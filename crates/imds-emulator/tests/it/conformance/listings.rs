//! Directories and their listings.

use super::Setup::{Announced, Bare, Interrupted, Optional};
use super::{Row, page, value};

const TOP: &str = "ami-id\nami-launch-index\nami-manifest-path\nautoscaling/\nblock-device-mapping/\nevents/\nhostname\n\
                   iam/\nidentity-credentials/\ninstance-action\ninstance-id\ninstance-life-cycle\ninstance-type\n\
                   local-hostname\nlocal-ipv4\nmac\nmetrics/\nnetwork/\nplacement/\nprofile\npublic-hostname\n\
                   public-ipv4\npublic-keys/\nreservation-id\nsecurity-groups\nservices/\nsystem\ntags/";

/// The names on an instance without role, key and tags.
const BARE_TOP: &str = "ami-id\nami-launch-index\nami-manifest-path\nblock-device-mapping/\nevents/\nhostname\n\
                        identity-credentials/\ninstance-action\ninstance-id\ninstance-life-cycle\ninstance-type\n\
                        local-hostname\nlocal-ipv4\nmac\nmetrics/\nnetwork/\nplacement/\nprofile\npublic-hostname\n\
                        public-ipv4\nreservation-id\nsecurity-groups\nservices/\nsystem";

#[test]
fn the_bare_listing_is_as_long_as_captured() {
    // The capture counts 312 bytes, on an instance with a role and without a key.
    assert_eq!(BARE_TOP.len() + "iam/\n".len(), 312);
}

#[rustfmt::skip]
pub(crate) fn rows() -> Vec<Row> {
    let row = |fact, setup, request, body: &str| Row { fact, setup, request, expected: value(None, "text/plain", body) };
    let missing = |fact, setup, request| Row { fact, setup, request, expected: page("404 Not Found", None) };
    vec![
        row("names are sorted, directories end with a slash, no newline at the end", Optional, "GET /latest/meta-data/ HTTP/1.1\r\n\r\n", TOP),
        row("without role, key and tags", Bare, "GET /latest/meta-data/ HTTP/1.1\r\n\r\n", BARE_TOP),
        row("a directory without its slash is the same, no redirect (kube2iam#130)", Optional, "GET /latest/meta-data HTTP/1.1\r\n\r\n", TOP),
        row("what lies below a version has no slash", Optional, "GET /latest/ HTTP/1.1\r\n\r\n", "dynamic\nmeta-data\nuser-data"),
        row("the same without slash", Optional, "GET /latest HTTP/1.1\r\n\r\n", "dynamic\nmeta-data\nuser-data"),
        row("without user data it is not listed", Bare, "GET /latest/ HTTP/1.1\r\n\r\n", "dynamic\nmeta-data"),
        row("dynamic/ ends with a newline (jtblin/aws-mock-metadata)", Optional, "GET /latest/dynamic/ HTTP/1.1\r\n\r\n", "fws/\ninstance-identity/\n"),
        row("instance-identity/ too, in an order of its own (EC2 User Guide)", Optional, "GET /latest/dynamic/instance-identity/ HTTP/1.1\r\n\r\n",
            "rsa2048\npkcs7\ndocument\nsignature\n"),
        row("spot/, once something is scheduled", Announced, "GET /latest/meta-data/spot/ HTTP/1.1\r\n\r\n", "instance-action"),
        row("spot/ of a termination", Interrupted, "GET /latest/meta-data/spot/ HTTP/1.1\r\n\r\n", "instance-action\ntermination-time"),
        row("spot/ is listed then", Interrupted, "GET /latest/meta-data/ HTTP/1.1\r\n\r\n", &TOP.replace("services/\n", "services/\nspot/\n")),
        row("events/ with a recommendation", Announced, "GET /latest/meta-data/events/ HTTP/1.1\r\n\r\n", "maintenance/\nrecommendations/"),
        row("placement/", Optional, "GET /latest/meta-data/placement/ HTTP/1.1\r\n\r\n", "availability-zone\navailability-zone-id\nregion"),
        row("services/", Optional, "GET /latest/meta-data/services/ HTTP/1.1\r\n\r\n", "domain\npartition"),
        row("iam/", Optional, "GET /latest/meta-data/iam/ HTTP/1.1\r\n\r\n", "info\nsecurity-credentials/"),
        row("the role's name alone (EC2 User Guide)", Optional, "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1\r\n\r\n", "my-role"),
        row("the same without slash (uswitch/kiam#490)", Optional, "GET /latest/meta-data/iam/security-credentials HTTP/1.1\r\n\r\n", "my-role"),
        row("keys are listed as index=name", Optional, "GET /latest/meta-data/public-keys/ HTTP/1.1\r\n\r\n", "0=my-key"),
        row("the same without slash (coreos/afterburn)", Optional, "GET /latest/meta-data/public-keys HTTP/1.1\r\n\r\n", "0=my-key"),
        row("and descended into by index", Optional, "GET /latest/meta-data/public-keys/0/ HTTP/1.1\r\n\r\n", "openssh-key"),
        row("macs/ lists with a slash (awslabs/amazon-eks-ami)", Optional, "GET /latest/meta-data/network/interfaces/macs/ HTTP/1.1\r\n\r\n", "02:29:96:8f:6a:2d/"),
        row("an interface", Optional, "GET /latest/meta-data/network/interfaces/macs/02:29:96:8f:6a:2d/ HTTP/1.1\r\n\r\n",
            "device-number\ninterface-id\nipv4-associations/\nlocal-hostname\nlocal-ipv4s\nmac\nowner-id\npublic-hostname\n\
             public-ipv4s\nsecurity-group-ids\nsecurity-groups\nsubnet-id\nsubnet-ipv4-cidr-block\nvpc-id\n\
             vpc-ipv4-cidr-block\nvpc-ipv4-cidr-blocks"),
        row("an association", Optional, "GET /latest/meta-data/network/interfaces/macs/02:29:96:8f:6a:2d/ipv4-associations/ HTTP/1.1\r\n\r\n", "203.0.113.25"),
        row("events/", Optional, "GET /latest/meta-data/events/ HTTP/1.1\r\n\r\n", "maintenance/"),
        row("events/maintenance/", Optional, "GET /latest/meta-data/events/maintenance/ HTTP/1.1\r\n\r\n", "history\nscheduled"),
        row("a leaf with a slash is the leaf (uswitch/kiam#383)", Optional, "GET /latest/meta-data/instance-id/ HTTP/1.1\r\n\r\n", "i-1234567890abcdef0"),
        row("two slashes are one (ex-aws/ex_aws#496)", Optional, "GET /latest/meta-data//iam/security-credentials/ HTTP/1.1\r\n\r\n", "my-role"),
        row("also in front", Optional, "GET //latest/meta-data/instance-id HTTP/1.1\r\n\r\n", "i-1234567890abcdef0"),
        row("dots are resolved", Optional, "GET /latest/meta-data/iam/../instance-id HTTP/1.1\r\n\r\n", "i-1234567890abcdef0"),
        missing("a child of a leaf (amazon-ec2-metadata-mock#81)", Optional, "GET /latest/meta-data/instance-life-cycle/on-demand HTTP/1.1\r\n\r\n"),
        missing("what is not there: 339 bytes (capture)", Optional, "GET /latest/meta-data/nothing HTTP/1.1\r\n\r\n"),
        missing("names are compared with case", Optional, "GET /latest/meta-data/Instance-Id HTTP/1.1\r\n\r\n"),
        missing("no role: iam/ is not there", Bare, "GET /latest/meta-data/iam/ HTTP/1.1\r\n\r\n"),
        missing("no role: nor is its list (ex-aws/ex_aws#449)", Bare, "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1\r\n\r\n"),
        missing("no key: public-keys/ is not there", Bare, "GET /latest/meta-data/public-keys/ HTTP/1.1\r\n\r\n"),
        missing("spot/ is not there until something is scheduled (ec2-spot-labs#23)", Optional, "GET /latest/meta-data/spot HTTP/1.1\r\n\r\n"),
        missing("nor is its notice", Optional, "GET /latest/meta-data/spot/instance-action HTTP/1.1\r\n\r\n"),
        missing("nor a rebalance recommendation", Optional, "GET /latest/meta-data/events/recommendations/rebalance HTTP/1.1\r\n\r\n"),
        missing("no target lifecycle state before the first transition", Bare, "GET /latest/meta-data/autoscaling/target-lifecycle-state HTTP/1.1\r\n\r\n"),
        missing("no time of a termination where it is a stop", Announced, "GET /latest/meta-data/spot/termination-time HTTP/1.1\r\n\r\n"),
        missing("no certificate of EC2 Instance Connect unless a key was pushed", Optional, "GET /latest/meta-data/managed-ssh-keys/signer-cert HTTP/1.1\r\n\r\n"),
        missing("no managed SSH keys unless they were pushed", Optional, "GET /latest/meta-data/managed-ssh-keys/active-keys/ec2-user/ HTTP/1.1\r\n\r\n"),
    ]
}
