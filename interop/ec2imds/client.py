"""Reads the emulated service with ec2imds, and prints one `ASPECT VALUE` line for each thing read."""

import json
import os
import subprocess
from importlib.metadata import version

import ec2imds


def main():
    print("version ec2imds", version("ec2imds"))
    service = ec2imds.IMDSWrapper()
    print("region", service.load_scalar("meta-data/placement/region"))
    print("credentials -", access_key(service))
    document = service.load_scalar("dynamic/instance-identity/document", json.loads)
    print("identity", document["instanceId"], document["accountId"])
    print("user-data", json.dumps(service.load_scalar("user-data")))
    # Every path that it knows.
    for path, directive in service.dir_dict.items():
        directive.func()
    macs = service.load_tree("meta-data/network/interfaces/macs", 3)
    print("network", *[value["subnet-id"] for value in macs.values()])
    subprocess.run(os.environ["INTEROP_EXPIRE"], shell=True, check=True)
    # The same object, whose session token the service now refuses.
    print("after-expiry", service.load_scalar("meta-data/placement/region"), access_key(service))


def access_key(service):
    roles = service.load_tree("meta-data/iam/security-credentials", 1)
    return next(json.loads(role)["AccessKeyId"] for role in roles.values())


main()
