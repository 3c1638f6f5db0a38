"""The reads of `imds-fleet state --organization --all-regions --instances-only`, by boto3's paginators in 10 threads.

Arguments: the URL of the fake, and `usual` (a session for each account, as scripts are written) or `shared` (one
session for all, so that the description of EC2 is parsed once). Prints the instances counted and the seconds it took.
It keeps to no limits of its own; the fake's, AWS's published ones, hold for it as for everyone.
"""
import concurrent.futures, sys, threading, time
import boto3
from botocore.config import Config

url, way = sys.argv[1:]
began = time.monotonic()
home = boto3.Session(region_name="us-east-1")
config = Config(retries={"mode": "standard"})
# Sessions are not for several threads at a time; clients are.
making = threading.Lock()


def client(session, service, region, keys):
    if way == "shared":
        with making:
            return home.client(service, region_name=region, endpoint_url=url, config=config, **keys)
    return session.client(service, region_name=region, endpoint_url=url, config=config)


organizations = home.client("organizations", endpoint_url=url)
accounts = [it["Id"] for page in organizations.get_paginator("list_accounts").paginate() for it in page["Accounts"]]
sts = home.client("sts", endpoint_url=url)
own = sts.get_caller_identity()["Account"]
states = {"Name": "instance-state-name", "Values": ["pending", "running", "shutting-down", "stopping", "stopped"]}


def of_account(account):
    keys = {}
    if account != own:
        given = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/audit", RoleSessionName="boto")["Credentials"]
        keys = dict(
            aws_access_key_id=given["AccessKeyId"], aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
    session = boto3.Session(**keys) if way == "usual" else None
    count = 0
    regions = client(session, "ec2", "us-east-1", keys).describe_regions()["Regions"]
    for region in regions:
        pages = client(session, "ec2", region["RegionName"], keys).get_paginator("describe_instances")
        for page in pages.paginate(Filters=[states], IncludeManagedResources=True, PaginationConfig={"PageSize": 1000}):
            count += sum(len(reservation["Instances"]) for reservation in page["Reservations"])
    return count


with concurrent.futures.ThreadPoolExecutor(10) as pool:
    count = sum(pool.map(of_account, accounts))
print(count, time.monotonic() - began)
