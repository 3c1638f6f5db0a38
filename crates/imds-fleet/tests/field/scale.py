"""A scan of a large organization: complete, exact, within its memory, and how it compares with boto3 in 10 threads.

Arguments: the command, the URL of the fake, how many instances it holds, how many places are denied, and `ratio` to
run boto3 too.
"""
import concurrent.futures, json, os, resource, subprocess, sys, time

binary, url, instances, denied = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
environment = {
    "PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
    "AWS_ENDPOINT_URL": url,
}
args = ["state", "--instances-only", "--organization", "--role-name", "audit", "--all-regions", "--output", "jsonl", "--backoff", "1"]
began = time.monotonic()
scan = subprocess.Popen([binary, *args], env=environment, stdout=subprocess.PIPE, text=True)
ids, gaps = set(), 0
for line in scan.stdout:
    row = json.loads(line)
    if row["kind"] == "instance":
        assert row["id"] not in ids, row
        ids.add(row["id"])
    elif row["gaps"]:
        gaps += 1
status = scan.wait()
ours = time.monotonic() - began
memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
assert gaps == denied, (gaps, denied)
assert status == (3 if denied else 0), status
if not denied:
    assert len(ids) == instances, len(ids)
assert memory < 256, memory
print(f"{len(ids)} instances, {gaps} places not scanned: {ours:.1f} s, {memory:.0f} MiB resident at most")

if sys.argv[5:] == ["ratio"]:
    import boto3
    from botocore.config import Config

    keys = dict(aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="test")
    began = time.monotonic()
    session = boto3.Session(region_name="us-east-1", **keys)
    organizations = session.client("organizations", endpoint_url=url)
    accounts = [it["Id"] for page in organizations.get_paginator("list_accounts").paginate() for it in page["Accounts"]]
    regions = [it["RegionName"] for it in session.client("ec2", endpoint_url=url).describe_regions()["Regions"]]

    def of_account(account):
        given = keys
        if account != accounts[0]:
            sts = boto3.Session(region_name="us-east-1", **keys).client("sts", endpoint_url=url)
            it = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/audit", RoleSessionName="boto")["Credentials"]
            given = dict(
                aws_access_key_id=it["AccessKeyId"], aws_secret_access_key=it["SecretAccessKey"],
                aws_session_token=it["SessionToken"],
            )
        own, count = boto3.Session(**given), 0
        for region in regions:
            ec2 = own.client("ec2", region_name=region, endpoint_url=url, config=Config(retries={"mode": "standard"}))
            for page in ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 1000}):
                count += sum(len(reservation["Instances"]) for reservation in page["Reservations"])
        return count

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        count = sum(pool.map(of_account, accounts))
    theirs = time.monotonic() - began
    assert count == instances, count
    print(f"boto3 in 10 threads: {theirs:.1f} s, {theirs / ours:.1f} times as long")
