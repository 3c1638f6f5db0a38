"""Reads the emulated service with ec2-metadata, and prints one `ASPECT VALUE` line for each thing read."""

import json
import os
import subprocess
from importlib.metadata import version

from ec2_metadata import EC2Metadata


def main():
    print("version ec2-metadata", version("ec2-metadata"))
    metadata = EC2Metadata()
    print("region", metadata.region)
    print("credentials - -")
    print("identity", metadata.instance_id, metadata.account_id)
    print("user-data", json.dumps(metadata.user_data.decode()))
    interface = metadata.network_interfaces[metadata.mac]
    print("network", metadata.private_ipv4, interface.subnet_id, interface.vpc_ipv4_cidr_block, metadata.partition)
    print("tags", *["%s=%s" % (key, metadata.tags[key]) for key in metadata.tags])
    print("spot-action", metadata.spot_instance_action.action)
    subprocess.run(os.environ["INTEROP_EXPIRE"], shell=True, check=True)
    # It keeps a session token, and what it read, until its own clock says otherwise.
    print("after-expiry", EC2Metadata().region, "-")


main()
