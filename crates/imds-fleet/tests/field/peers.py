"""imds-fleet beside prowler, Cloud Custodian and a boto3 script, in one run on the same account of known cases.

peers.py FAKE IMDS_FLEET PROWLER CUSTODIAN DOCS check|write: runs in a network namespace that has only `lo` (it checks
that), starts the fake AWS, asks all four, and compares the table of docs/fleet.md with what they say, or writes it.
"""
import csv, json, os, pathlib, socket, subprocess, sys, tempfile
import boto3

*paths, mode = sys.argv[1:]
fake, fleet, prowler, custodian, docs = map(os.path.abspath, paths)
interfaces = [name for _, name in socket.if_nameindex() if name != "lo"]
assert not any(pathlib.Path(f"/sys/class/net/{name}/operstate").read_text().strip() == "up" for name in interfaces), interfaces
cases = [line.split("\t") for line in subprocess.check_output([fake, "cases", "list"], text=True).splitlines()]
server = subprocess.Popen([fake, "cases"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
url = server.stdout.readline().strip()
home = tempfile.TemporaryDirectory()
REGIONS = ["eu-west-1", "eu-west-2"]
environment = {
    "PATH": os.environ["PATH"], "HOME": home.name, "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true", "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1", "AWS_MAX_ATTEMPTS": "1",
}
os.environ.update(environment)


def run(*command):
    return subprocess.run(command, env=environment, cwd=home.name, capture_output=True, text=True, timeout=300)


def of_boto3():
    """What most scripts do: every instance whose tokens are optional."""
    said, denied = {}, None
    for region in REGIONS:
        ec2 = boto3.client("ec2", region_name=region)
        try:
            for page in ec2.get_paginator("describe_instances").paginate():
                for reservation in page["Reservations"]:
                    for instance in reservation["Instances"]:
                        tokens = instance.get("MetadataOptions", {}).get("HttpTokens")
                        said[instance["InstanceId"]] = "v1" if tokens == "optional" else "no v1"
        except Exception as error:
            denied = str(error)
    said["denied"] = "unknown" if denied else "silent"
    return said


def of_prowler():
    out = pathlib.Path(home.name, "prowler")
    ran = run(prowler, "aws", "--checks", "ec2_instance_imdsv2_enabled", "ec2_instance_account_imdsv2_enabled",
              "--region", *REGIONS, "--output-formats", "csv", "--output-directory", str(out), "--no-banner")
    (report,) = [path for path in out.glob("*.csv")] or [None]
    assert report, ran
    said = {"denied": "silent"}
    for row in csv.DictReader(open(report), delimiter=";"):
        word = "v1" if row["STATUS"] == "FAIL" else "no v1"
        if row["CHECK_ID"] == "ec2_instance_account_imdsv2_enabled":
            said["default"] = word
        else:
            said[row["RESOURCE_UID"].rsplit("/")[-1]] = word
    # Its status is 3 where a check fails, whatever could not be read.
    assert ran.returncode == 3, ran
    return said


POLICY = {"policies": [
    # An endpoint that is disabled answers nobody: the policy that its users write.
    {"name": "instances", "resource": "aws.ec2", "filters": [
        {"MetadataOptions.HttpTokens": "optional"}, {"MetadataOptions.HttpEndpoint": "enabled"}]},
    {"name": "templates", "resource": "aws.launch-template-version", "filters": [
        {"DefaultVersion": True},
        {"type": "value", "key": "LaunchTemplateData.MetadataOptions.HttpTokens", "value": "required", "op": "ne"}]},
    {"name": "configurations", "resource": "aws.launch-config", "filters": [
        {"type": "value", "key": "MetadataOptions.HttpTokens", "value": "required", "op": "ne"}]},
    {"name": "default", "resource": "aws.account", "filters": [
        {"or": [{"type": "ec2-metadata-defaults", "key": "HttpTokens", "value": value} for value in ("optional", "absent")]}]},
]}


def of_custodian():
    path, out = pathlib.Path(home.name, "policy.json"), pathlib.Path(home.name, "custodian")
    path.write_text(json.dumps(POLICY))
    ran = run(custodian, "run", "--cache", "", "--region", "eu-west-1", "--region", "eu-west-2", "-s", str(out), str(path))
    found = {}
    for resources in out.rglob("resources.json"):
        name = resources.parent.name
        for it in json.loads(resources.read_text()):
            ids = {"instances": "InstanceId", "templates": "LaunchTemplateId", "configurations": "LaunchConfigurationName"}
            found[it[ids[name]] if name in ids else "default"] = "v1"
    # What it does not list it says nothing of, as the others; a plain listing leaves out what is hidden.
    covered = [id for id, *_ in cases if id.startswith(("i-", "lt-")) or id in ("config", "default")]
    covered.remove("i-hidden")
    said = {id: found.get(id, "no v1") for id in covered}
    assert found, ran
    said["denied"] = "unknown" if "UnauthorizedOperation" in ran.stderr + ran.stdout and ran.returncode else "silent"
    return said


def of_fleet():
    ran = run(fleet, "state", "--regions", ",".join(REGIONS), "--output", "json", "--backoff", "1ms")
    document = json.loads(ran.stdout)
    words = {"v1-allowed": "v1", "v2-required": "no v1", "endpoint-disabled": "no v1", "unknown": "unknown", "v2-pending": "v1"}
    said = {"denied": "unknown" if ran.returncode == 3 and document["summary"]["incomplete"] else "silent"}
    for it in document["resources"]:
        if it["region"] != "eu-west-1":
            continue
        kind, id = it["kind"], it.get("id")
        if kind == "instance":
            said[id] = words[it["posture"]]
            # It is pending until the instance starts, and answers nobody until then.
            if it["posture"] == "v2-pending" and it["run_state"] == "stopped":
                said[id] = "no v1"
        elif kind in ("launch_template", "launch_configuration"):
            v1 = it["effective"]["http_tokens"]["value"] == "optional"
            said[id] = "v1" if v1 and (it["used_by"] or kind != "launch_template") or said.get(id) == "v1" else "no v1"
        elif kind == "fleet_request":
            tokens = {source["effective"]["http_tokens"]["value"] for source in it["sources"]}
            said[id] = "v1" if "optional" in tokens else "no v1"
        elif kind == "account_defaults":
            said["default"] = "v1" if it["effective"]["http_tokens"]["value"] == "optional" else "no v1"
    return said


tools = {"imds-fleet": of_fleet(), "prowler": of_prowler(), "Cloud Custodian": of_custodian(), "boto3 script": of_boto3()}
server.stdin.close()
server.wait(timeout=30)


def judged(said, id, truth):
    word = said.get(id)
    if truth == "gone":
        return "right" if word is None or word == "no v1" else f"**wrong**: {word}"
    if word is None:
        return "**wrong**: not seen" if id.startswith("i-") else "not looked at"
    if word == truth:
        return "right"
    return "**silent**" if word == "silent" else f"**wrong**: {word}"


rows = [[what, truth, *[judged(said, id, truth) for said in tools.values()]] for id, what, truth in cases]
right = [sum(row[2 + n] == "right" for row in rows) for n in range(len(tools))]
lines = ["| case | truth | " + " | ".join(tools) + " |", "|---|---|" + "---|" * len(tools)]
lines += ["| " + " | ".join(row) + " |" for row in rows]
lines.append(f"| right, of {len(rows)} | | " + " | ".join(str(count) for count in right) + " |")
table = "\n".join(lines)
begin, end = "<!-- peers.py writes this table -->\n\n", "\n\n<!-- end of the table -->"
page = pathlib.Path(docs).read_text()
before, rest = page.split(begin)
old, after = rest.split(end)
print(table)
if mode == "write":
    pathlib.Path(docs).write_text(before + begin + table + end + after)
else:
    assert old == table, "docs/fleet.md differs from this run: `tests/field/peers.sh ... write` writes it anew"
