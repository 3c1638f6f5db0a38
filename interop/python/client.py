"""Reads the emulated service with boto3 and botocore, and prints one `ASPECT VALUE` line for each thing read."""

import json
import os
import subprocess

import boto3
import botocore
from botocore.utils import IMDSFetcher, IMDSRegionProvider


class Fetcher(IMDSFetcher):
    """botocore's own requests and retries, for paths that it has no public method for (boto/botocore#2993)."""

    def get(self, path):
        return self._get_request(path, None, token=self._fetch_metadata_token()).text


def main():
    print("version", "boto3 %s, botocore" % boto3.__version__, botocore.__version__)
    session = boto3.Session()
    inner = session._session
    print("region", IMDSRegionProvider(inner).provide())
    # Nothing is configured, so the default chain ends at the instance's role.
    credentials = session.get_credentials()
    print("credentials", credentials.method, credentials.access_key)
    fetcher = Fetcher(config={"ec2_metadata_service_endpoint": inner.get_config_variable("ec2_metadata_service_endpoint"),
                              "ec2_metadata_service_endpoint_mode": mode(inner)})
    document = json.loads(fetcher.get("latest/dynamic/instance-identity/document"))
    print("identity", document["instanceId"], document["accountId"])
    print("user-data", json.dumps(fetcher.get("latest/user-data")))
    subprocess.run(os.environ["INTEROP_EXPIRE"], shell=True, check=True)
    fresh = boto3.Session().get_credentials()
    print("after-expiry", IMDSRegionProvider(inner).provide(), fresh.access_key)


def mode(session):
    return (session.get_config_variable("ec2_metadata_service_endpoint_mode") or "ipv4").lower()


main()
