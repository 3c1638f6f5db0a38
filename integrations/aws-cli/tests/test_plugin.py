"""The plugin `awscli_imds`, in the real AWS CLI."""

import json
import pathlib

from tests.world import AWS_VERSION, COMMANDS, IMDS, Imds, World

DOCUMENT = "dynamic/instance-identity/document"
PACKAGE = str(pathlib.Path(__file__).parent.parent)


class Plugin(World):
    def setUp(self):
        super().setUp()
        legacy = f"cli_legacy_plugin_path = {PACKAGE}\n" if AWS_VERSION == 2 else ""
        self.config.write_text(f"[plugins]\n{legacy}imds = awscli_imds\n")
        self.environment["PYTHONPATH"] = PACKAGE
        self.environment["PYTHONDONTWRITEBYTECODE"] = "1"

    def test_user_data_byte_for_byte(self):
        service = self.use(self.start(Imds()))
        service.values["/latest/user-data"] = bytes(range(256)) + b"\n"
        printed = self.aws("imds", "get", "--path", "/latest/user-data").stdout
        self.assertEqual(printed, service.values["/latest/user-data"])

    def test_query_and_output_are_honoured(self):
        self.emulator()
        text = self.aws("imds", "get", DOCUMENT, "--query", "accountId", "--output", "text").stdout
        self.assertEqual(text, b"123456789012\n")
        value = self.aws("imds", "get", DOCUMENT, "--query", "[region, accountId]", "--output", "json").stdout
        self.assertEqual(json.loads(value), ["us-east-1", "123456789012"])
        table = self.aws("imds", "get", DOCUMENT, "--output", "table").stdout.decode()
        self.assertRegex(table, r"\|\s+accountId\s+\|\s+123456789012\s+\|")

    def test_every_subcommand_in_every_format(self):
        self.emulator()
        formats = ["text", "json", "table"] + (["yaml"] if AWS_VERSION == 2 else [])
        for command in COMMANDS:
            for output in formats:
                printed = self.aws("imds", *command, "--output", output).stdout
                self.assertTrue(printed, (command, output))
                if output == "json":
                    json.loads(printed)
            self.assertIn(
                self.aws("imds", *command, "--query", "type(@)", "--output", "text").stdout, (b"object\n", b"array\n", b"string\n")
            )

    def test_the_command_of_exec_keeps_its_options(self):
        self.emulator()
        printed = self.aws(
            "imds", "exec", "R=placement/region", "--output", "json", "--", "sh", "-c", 'echo "$R $*"', "x", "-o"
        ).stdout
        self.assertEqual(printed, b"us-east-1 -o\n")

    def test_another_program_of_the_same_name_is_passed_over(self):
        """`pip install ec2-metadata` installs an `imds` too."""
        self.emulator()
        other = self.home / "bin"
        other.mkdir()
        (other / "imds").write_text("#!/bin/sh\necho the other one\n")
        (other / "imds").chmod(0o755)
        path = f"{other}:{self.environment['PATH']}"
        named = self.aws("imds", "get", "placement/region", PATH=path, IMDS_EXECUTABLE=IMDS).stdout
        self.assertEqual(named, b"us-east-1")
        found = self.aws("imds", "get", "placement/region", PATH=path)
        self.assertEqual(found.stdout, b"us-east-1")

    def test_profile_and_endpoint_url_are_honoured(self):
        service = self.start(Imds())
        service.values["/latest/meta-data/mac"] = b"02:00:00:00:00:01"
        printed = self.aws("imds", "get", "mac", "--endpoint-url", service.url).stdout
        self.assertEqual(printed, b"02:00:00:00:00:01")
        del self.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"]
        with self.config.open("a") as file:
            file.write(f"[profile instance]\nec2_metadata_service_endpoint = {service.url}\n")
        printed = self.aws("imds", "get", "mac", "--profile", "instance").stdout
        self.assertEqual(printed, b"02:00:00:00:00:01")

    def test_help(self):
        page = self.aws("imds", "help").stdout.decode()
        self.assertIn("aws imds get --path /latest/user-data", page)
        self.assertIn("JMESPath", page)
        self.assertIn("Usage: imds get", self.aws("imds", "get", "help").stdout.decode())

    def test_the_exit_code_is_passed_on(self):
        self.use(self.start(Imds()))
        self.aws("imds", "get", "nothing/here", status=3)
        self.aws("imds", "get", "nothing/here", "--output", "table", status=3)

    def test_without_the_executable(self):
        result = self.aws("imds", "get", "mac", status=255, IMDS_EXECUTABLE="/nonexistent/imds")
        self.assertIn(b"the executable /nonexistent/imds is not installed", result.stderr)

    def test_arguments_arrive_as_they_are(self):
        self.use(self.start(Imds()))
        printed = self.aws("imds", "get", "nothing/here", "--default", "it's $(two) words").stdout
        self.assertEqual(printed, b"it's $(two) words")
