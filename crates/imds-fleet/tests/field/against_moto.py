"""imds-fleet against moto: what it says and does agrees with what boto3 says, instance by instance."""
import json, os, subprocess, sys, tempfile
import boto3
from moto.server import ThreadedMotoServer

binary = sys.argv[1]
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
url = "http://%s:%d" % server.get_host_and_port()
KEYS = dict(aws_access_key_id="test", aws_secret_access_key="test")
HOME, OTHER = "123456789012", "444455556666"
REGIONS = ["us-east-1", "eu-west-1"]


def client(service, region, account):
    keys = KEYS
    if account != HOME:
        sts = boto3.client("sts", region_name="us-east-1", endpoint_url=url, **KEYS)
        given = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/audit", RoleSessionName="test")["Credentials"]
        keys = dict(
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
    return boto3.client(service, region_name=region, endpoint_url=url, **keys)


FIELDS = {
    "http_tokens": "HttpTokens",
    "http_endpoint": "HttpEndpoint",
    "http_put_response_hop_limit": "HttpPutResponseHopLimit",
    "http_protocol_ipv6": "HttpProtocolIpv6",
    "instance_metadata_tags": "InstanceMetadataTags",
}


def boto_says():
    says = {}
    for account in (HOME, OTHER):
        for region in REGIONS:
            for page in client("ec2", region, account).get_paginator("describe_instances").paginate():
                for reservation in page["Reservations"]:
                    for instance in reservation["Instances"]:
                        options = instance["MetadataOptions"]
                        says[account, region, instance["InstanceId"]] = {
                            ours: options.get(theirs) for ours, theirs in FIELDS.items()
                        }
    return says


def fleet(*args, status=0):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    ran = subprocess.run([binary, *args, "--backoff", "1ms"], env=environment, capture_output=True, text=True)
    assert ran.returncode == status, (args, ran)
    return ran.stdout


for account in (HOME, OTHER):
    for region in REGIONS:
        ec2 = client("ec2", region, account)
        image = ec2.describe_images()["Images"][0]["ImageId"]
        # moto puts the hop limit back to 1 when another option is modified, so it starts at 1 here.
        for tokens, endpoint, ipv6, tags in [
            ("optional", "enabled", "disabled", "disabled"),
            ("optional", "disabled", "enabled", "enabled"),
            ("required", "enabled", "disabled", "enabled"),
        ]:
            ec2.run_instances(
                ImageId=image, MinCount=2, MaxCount=2,
                MetadataOptions=dict(
                    HttpTokens=tokens, HttpEndpoint=endpoint, HttpPutResponseHopLimit=1,
                    HttpProtocolIpv6=ipv6, InstanceMetadataTags=tags,
                ),
            )

with tempfile.TemporaryDirectory() as directory:
    accounts = os.path.join(directory, "accounts")
    with open(accounts, "w") as file:
        file.write(f"{HOME}\n{OTHER}\n")
    where = ["--accounts", accounts, "--role-name", "audit", "--regions", ",".join(REGIONS)]
    before = boto_says()
    assert len(before) == 24, before

    def we_say():
        document = json.loads(fleet("state", *where, "--instances-only", "--output", "json"))
        return {
            (it["account"], it["region"], it["id"]): {name: it["options"].get(name) for name in FIELDS}
            for it in document["resources"]
        }

    assert we_say() == before
    findings = json.loads(fleet("audit", *where, "--instances-only", "--output", "json", status=1))["findings"]
    v1 = {(it["account"], it["region"], it["id"]) for it in findings if it["rule"] == "v1-allowed"}
    expected = {
        key for key, it in before.items() if it["http_tokens"] == "optional" and it["http_endpoint"] == "enabled"
    }
    assert v1 == expected, (v1, expected)

    plan = os.path.join(directory, "plan.json")
    # moto knows no account defaults, so that whether there is a rollback cannot be read.
    fleet("plan", *where, "--instances-only", "--allow-irreversible", "--http-tokens", "required",
          "--include-unknown", "--out", plan)
    planned = {(it["account"], it["region"], it["id"]): it for it in json.load(open(plan))["changes"]}
    assert set(planned) == {key for key, it in before.items() if it["http_tokens"] == "optional"}
    for key, change in planned.items():
        assert change["prior"] == before[key] and change["new"] == {"http_tokens": "required"}, change
    # moto's dry run makes the change.
    fleet("apply", plan, "--role-name", "audit", "--no-probe", "--no-gate-metric", "--pause", "0", "--poll", "1ms")
    after = boto_says()
    assert all(it["http_tokens"] == "required" for it in after.values()), after
    fleet("rollback", plan + ".journal", "--role-name", "audit")
    # A change of one option wipes the others in moto; what rollback sends is the one that the plan changed.
    assert {key: it["http_tokens"] for key, it in boto_says().items()} == {
        key: it["http_tokens"] for key, it in before.items()
    }

    whole = json.loads(fleet("state", *where, "--output", "json", status=3))
    for scan in whole["summary"]["incomplete"]:
        (gap,) = scan["gaps"]
        assert gap["call"] == "GetInstanceMetadataDefaults", gap
        assert gap["message"] == "status 500 without an AWS error code", gap
server.stop()
