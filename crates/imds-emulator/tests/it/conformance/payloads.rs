//! Payloads.

use super::Setup::{Announced, Bare, Interrupted, Optional, Required};
use super::{Row, page, value};

/// Credentials of a role. Their token is as the emulator makes it.
fn credentials(key: &str, secret: &str, token: &str) -> String {
    format!(
        "{{\n  \"Code\" : \"Success\",\n  \"LastUpdated\" : \"2026-01-15T10:00:00Z\",\n  \"Type\" : \"AWS-HMAC\",\n  \
         \"AccessKeyId\" : \"{key}\",\n  \"SecretAccessKey\" : \"{secret}\",\n  \"Token\" : \"{token}\",\n  \
         \"Expiration\" : \"2026-01-15T16:00:00Z\"\n}}"
    )
}

#[rustfmt::skip]
pub(crate) fn rows() -> Vec<Row> {
    let row = |fact, setup, request, body: &str| Row { fact, setup, request, expected: value(None, "text/plain", body) };
    let with_token = |fact, request, body: &str| Row { fact, setup: Required, request, expected: value(Some(21_600), "text/plain", body) };
    vec![
        row("a Region without newline: 9 bytes", Optional, "GET /latest/meta-data/placement/region HTTP/1.1\r\n\r\n", "us-east-1"),
        row("botocore's path, with a slash", Optional, "GET /latest/meta-data/placement/availability-zone/ HTTP/1.1\r\n\r\n", "us-east-1a"),
        Row { fact: "user data: opaque bytes", setup: Optional, request: "GET /latest/user-data HTTP/1.1\r\n\r\n",
            expected: value(None, "application/octet-stream",
                r#"{"autoScalingGroup":"my-group","lifecycleHook":"my-hook","environment":"test"}"#) },
        Row { fact: "user data with a slash (saltstack/salt#55298)", setup: Optional, request: "GET /latest/user-data/ HTTP/1.1\r\n\r\n",
            expected: value(None, "application/octet-stream",
                r#"{"autoScalingGroup":"my-group","lifecycleHook":"my-hook","environment":"test"}"#) },
        Row { fact: "no user data: 404 (coreos/init#48)", setup: Bare, request: "GET /latest/user-data HTTP/1.1\r\n\r\n", expected: page("404 Not Found", None) },
        row("iam/info: text/plain, two spaces, ` : `, no newline at the end", Optional, "GET /latest/meta-data/iam/info HTTP/1.1\r\n\r\n",
            "{\n  \"Code\" : \"Success\",\n  \"LastUpdated\" : \"2026-01-15T10:00:00Z\",\n  \
             \"InstanceProfileArn\" : \"arn:aws:iam::123456789012:instance-profile/my-role\",\n  \
             \"InstanceProfileId\" : \"AIPAABCDEFGHIJKLMN123\"\n}"),
        with_token("identity-credentials/ec2/info: the same family", "GET /latest/meta-data/identity-credentials/ec2/info HTTP/1.1\r\nX-aws-ec2-metadata-token: TOKEN\r\n\r\n",
            "{\n  \"Code\" : \"Success\",\n  \"LastUpdated\" : \"2026-01-15T10:00:00Z\",\n  \"AccountId\" : \"123456789012\"\n}"),
        row("the identity document: members in the service's order", Optional, "GET /latest/dynamic/instance-identity/document HTTP/1.1\r\n\r\n",
            "{\n  \"accountId\" : \"123456789012\",\n  \"architecture\" : \"x86_64\",\n  \"availabilityZone\" : \"us-east-1a\",\n  \
             \"billingProducts\" : null,\n  \"devpayProductCodes\" : null,\n  \"marketplaceProductCodes\" : null,\n  \
             \"imageId\" : \"ami-0abcdef1234567890\",\n  \"instanceId\" : \"i-1234567890abcdef0\",\n  \"instanceType\" : \"m5.large\",\n  \
             \"kernelId\" : null,\n  \"pendingTime\" : \"2026-01-15T09:30:00Z\",\n  \"privateIp\" : \"10.0.0.157\",\n  \
             \"ramdiskId\" : null,\n  \"region\" : \"us-east-1\",\n  \"version\" : \"2017-09-30\"\n}"),
        row("no maintenance: an empty list (amazonlinux/amazon-ec2-utils#46)", Optional, "GET /latest/meta-data/events/maintenance/scheduled HTTP/1.1\r\n\r\n", "[]"),
        row("no history: an empty list", Optional, "GET /latest/meta-data/events/maintenance/history HTTP/1.1\r\n\r\n", "[]"),
        row("target lifecycle state", Optional, "GET /latest/meta-data/autoscaling/target-lifecycle-state HTTP/1.1\r\n\r\n", "InService"),
        with_token("the role's credentials: members in the order that clients with regular expressions rely on (uswitch/kiam#97)",
            "GET /latest/meta-data/iam/security-credentials/my-role HTTP/1.1\r\nX-aws-ec2-metadata-token: TOKEN\r\n\r\n",
            &credentials("ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "IQoJb3JpZ2luX2VjSK7Zr0NgURhURb/ropj74r6SVFRoqJy0HEsPcyy9PHQAWdbaDZyKpoaeNWPdUhferiPEaSbWpGGtRCAV0aHFnasAtb5izivZU2a6BULLzpsyA876y3A334FIs0ta2kkdxEgAK1EBoUVydh3mBcagryoEFKnF0Tm6rxtke/1cFOCUmt8A")),
        row("a Spot stop (EC2 User Guide, \"Spot Instance interruption notices\")", Announced, "GET /latest/meta-data/spot/instance-action HTTP/1.1\r\n\r\n",
            "{\"action\": \"stop\", \"time\": \"2026-01-15T10:02:00Z\"}"),
        row("a Spot termination, two minutes ahead", Interrupted, "GET /latest/meta-data/spot/instance-action HTTP/1.1\r\n\r\n",
            "{\"action\": \"terminate\", \"time\": \"2026-01-15T10:02:00Z\"}"),
        row("the older leaf of it: a time alone", Interrupted, "GET /latest/meta-data/spot/termination-time HTTP/1.1\r\n\r\n", "2026-01-15T10:02:00Z"),
        row("a rebalance recommendation (EC2 User Guide)", Announced, "GET /latest/meta-data/events/recommendations/rebalance HTTP/1.1\r\n\r\n",
            "{\"noticeTime\": \"2026-01-15T10:00:00Z\"}"),
        row("maintenance: the day without a zero in front (amazonlinux/amazon-ec2-utils#46)", Announced,
            "GET /latest/meta-data/events/maintenance/scheduled HTTP/1.1\r\n\r\n",
            "[ {\n  \"NotBefore\" : \"1 Feb 2026 02:00:00 GMT\",\n  \"Code\" : \"system-reboot\",\n  \"Description\" : \"scheduled reboot\",\n  \
             \"EventId\" : \"instance-event-2\",\n  \"NotAfter\" : \"1 Feb 2026 04:00:00 GMT\",\n  \"State\" : \"active\"\n} ]"),
        row("history: what became of it, in front of the description; `NotAfter` may be missing", Announced,
            "GET /latest/meta-data/events/maintenance/history HTTP/1.1\r\n\r\n",
            "[ {\n  \"NotBefore\" : \"1 Jan 2021 02:00:00 GMT\",\n  \"Code\" : \"system-reboot\",\n  \
             \"Description\" : \"[Completed] scheduled reboot\",\n  \"EventId\" : \"instance-event-1\",\n  \"State\" : \"completed\"\n} ]"),
        row("a key that EC2 Instance Connect pushed (aws/aws-ec2-instance-connect-config)", Announced,
            "GET /latest/meta-data/managed-ssh-keys/active-keys/ec2-user/ HTTP/1.1\r\n\r\n", "ssh-ed25519 AAAA"),
        row("monitoring", Optional, "GET /latest/dynamic/fws/instance-monitoring HTTP/1.1\r\n\r\n", "disabled"),
        row("owner of an interface: twelve digits", Optional, "GET /latest/meta-data/network/interfaces/macs/02:29:96:8f:6a:2d/owner-id HTTP/1.1\r\n\r\n", "123456789012"),
        row("private addresses behind a public one", Optional,
            "GET /latest/meta-data/network/interfaces/macs/02:29:96:8f:6a:2d/ipv4-associations/203.0.113.25 HTTP/1.1\r\n\r\n", "10.0.0.157"),
        row("an encoded MAC address", Optional,
            "GET /latest/meta-data/network/interfaces/macs/02%3a29%3A96%3a8f%3a6a%3a2d/device-number HTTP/1.1\r\n\r\n", "0"),
    ]
}
