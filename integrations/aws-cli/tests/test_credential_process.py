"""`credential_process = imds credentials`, in the real AWS CLI and in boto3."""

import datetime
import json
import sys

from tests.world import IMDS, Imds, Sts, World

BOTO3 = """
import boto3, sys
client = boto3.Session(profile_name="instance").client("sts", endpoint_url=sys.argv[1])
for _ in range(int(sys.argv[2])):
    client.get_caller_identity()
"""


def document(access_key_id, seconds):
    """Role credentials that expire in so many seconds."""
    expiration = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return {
        "Code": "Success",
        "Type": "AWS-HMAC",
        "AccessKeyId": access_key_id,
        "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "Token": "test-token",
        "Expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


class CredentialProcess(World):
    def setUp(self):
        super().setUp()
        command = f'"{IMDS}" credentials --output process'
        self.config.write_text(f"[profile instance]\ncredential_process = {command}\n")
        self.sts = self.start(Sts())

    def call(self):
        self.aws("sts", "get-caller-identity", "--profile", "instance", "--endpoint-url", self.sts.url)

    def boto3(self, times):
        self.run_command(sys.executable, "-c", BOTO3, self.sts.url, times)

    def emulators_access_key_id(self):
        shown = self.imds("credentials", "--output", "json").stdout
        return json.loads(shown)["AccessKeyId"]

    def test_the_aws_cli_signs_with_the_emulators_credentials(self):
        self.emulator()
        self.call()
        self.assertEqual(self.sts.access_key_ids, [self.emulators_access_key_id()])

    def test_boto3_signs_with_the_emulators_credentials(self):
        self.emulator()
        self.boto3(2)
        self.assertEqual(self.sts.access_key_ids, [self.emulators_access_key_id()] * 2)

    def test_boto3_asks_again_when_they_expire(self):
        """botocore renews what expires within ten minutes before it signs; what is good for hours it keeps."""
        service = self.use(self.start(Imds()))
        service.role([document("ASIAFIRST", 300), document("ASIASECOND", 300), document("ASIATHIRD", 21_600)])
        self.boto3(4)
        ids = self.sts.access_key_ids
        self.assertEqual(ids[-2:], ["ASIATHIRD", "ASIATHIRD"], ids)
        self.assertNotEqual(ids[0], "ASIATHIRD", ids)

    def test_the_aws_cli_asks_again_in_each_process(self):
        service = self.use(self.start(Imds()))
        service.role([document("ASIAFIRST", 21_600), document("ASIASECOND", 21_600)])
        self.call()
        self.call()
        self.assertEqual(self.sts.access_key_ids, ["ASIAFIRST", "ASIASECOND"])

    def test_expired_credentials_are_refused_and_the_reason_arrives(self):
        service = self.use(self.start(Imds()))
        service.role([document("ASIAOLD", -60)])
        arguments = ["sts", "get-caller-identity", "--profile", "instance", "--endpoint-url", self.sts.url]
        result = self.aws(*arguments, status=255)
        self.assertIn(b"the credentials of role `test-role` expired at", result.stderr)
        self.assertEqual(self.sts.access_key_ids, [])
