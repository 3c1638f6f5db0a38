"""Reads the emulated service with the credentials package of the AWS SDK for Python v4, and prints one `ASPECT VALUE`
line for each thing read. It reads nothing but credentials.
"""

import asyncio
import os
import subprocess
from types import SimpleNamespace

import aws_credentials_imds
from aws_credentials_imds import Ec2InstanceMetadataProvider
from smithy_aws_core.identity import AWSCredentialsIdentity


async def access_key():
    found = []
    setup = SimpleNamespace(config_file=None, profile_name=None, http_client=None, add_resolver=found.append)
    await Ec2InstanceMetadataProvider().setup(AWSCredentialsIdentity, setup)
    credentials = await found[0].get_identity(properties={})
    return credentials.access_key_id


print("version AWS SDK for Python v4, aws-credentials-imds", aws_credentials_imds.__version__)
print("region -")
print("credentials", Ec2InstanceMetadataProvider().name, asyncio.run(access_key()))
print("identity -")
print("user-data -")
subprocess.run(os.environ["INTEROP_EXPIRE"], shell=True, check=True)
print("after-expiry -", asyncio.run(access_key()))
