"""`imds aws-cli install`, in the real AWS CLI."""

import gzip
import json
import random
import urllib.request

from awscli.alias import AliasLoader

from tests.world import AWS_VERSION, COMMANDS, IMDS, Imds, World

HAND_WRITTEN = """\
# My aliases
[toplevel]

hello = !echo hello
  # an indented comment
several =
  !f() {
    echo imds = not this one
  }; f

[command ec2]
ls = describe-instances
"""


def raw_user_data(url):
    """The user data as the service sends it, without anything of ours in between."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    put = urllib.request.Request(f"{url}/latest/api/token", method="PUT")
    put.add_header("X-aws-ec2-metadata-token-ttl-seconds", "60")
    token = opener.open(put).read().decode()
    get = urllib.request.Request(f"{url}/latest/user-data", headers={"X-aws-ec2-metadata-token": token})
    return opener.open(get).read()


class Alias(World):
    def test_user_data_of_the_emulator_byte_for_byte(self):
        url = self.emulator()
        self.imds("aws-cli", "install")
        printed = self.aws("imds", "get", "--path", "/latest/user-data").stdout
        self.assertEqual(printed, raw_user_data(url))
        self.assertTrue(printed)

    def test_binary_user_data_byte_for_byte(self):
        service = self.use(self.start(Imds()))
        service.values["/latest/user-data"] = gzip.compress(b"#cloud-config\n") + bytes(range(256)) + b"\r\n\n"
        self.imds("aws-cli", "install")
        printed = self.aws("imds", "get", "--path", "/latest/user-data").stdout
        self.assertEqual(printed, service.values["/latest/user-data"])

    def test_arguments_arrive_as_they_are(self):
        self.use(self.start(Imds()))
        self.imds("aws-cli", "install")
        for value in ["two words", "it's", '$(echo no); "x" `y` * \\', "größer"]:
            printed = self.aws("imds", "get", "nothing/here", "--default", value).stdout
            self.assertEqual(printed.decode(), value)

    def test_the_exit_code_is_passed_on(self):
        self.use(self.start(Imds()))
        self.imds("aws-cli", "install")
        self.aws("imds", "get", "nothing/here", status=3)

    def test_global_options_are_honoured(self):
        url = self.emulator()
        self.imds("aws-cli", "install")
        path = "dynamic/instance-identity/document"
        for options in (
            ["--query", "accountId", "--output", "json"],
            ["--select", "accountId", "--format", "json"],
            ["--query=accountId", "--out", "json"],
        ):
            self.assertEqual(self.aws("imds", "get", path, *options).stdout, b'"123456789012"\n', options)
        front = self.aws("--output", "text", "--query", "accountId", "imds", "get", path).stdout
        self.assertEqual(front, b"123456789012\n")
        unreachable = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"}
        for option in ("--endpoint", "--endpoint-url"):
            printed = self.aws("imds", "get", "placement/region", option, url, **unreachable).stdout
            self.assertEqual(printed, b"us-east-1", option)
        with self.config.open("a") as file:
            file.write(f"[profile other]\nec2_metadata_service_endpoint = {url}\n")
        del self.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"]
        self.assertEqual(self.aws("imds", "get", "placement/region", "--profile", "other").stdout, b"us-east-1")

    def test_what_the_alias_cannot_do_fails_loudly(self):
        self.emulator()
        self.imds("aws-cli", "install")
        table = self.aws("imds", "get", "mac", "--output", "table", status=2)
        self.assertIn(b"cannot print `table` output through the alias", table.stderr)
        query = self.aws("imds", "exec", "mac", "--query", "x", "--", "env", status=2)
        self.assertIn(b"cannot use `--query` with `exec`", query.stderr)

    def test_the_command_of_exec_keeps_its_options(self):
        self.emulator()
        self.imds("aws-cli", "install")
        printed = self.aws(
            "imds", "exec", "R=placement/region", "--output", "json", "--", "sh", "-c", 'echo "$R $*"', "x", "--query", "y"
        ).stdout
        self.assertEqual(printed, b"us-east-1 --query y\n")

    def test_every_subcommand_in_every_format(self):
        self.emulator()
        self.imds("aws-cli", "install")
        for command in COMMANDS:
            for output in ("text", "json", "yaml")[: AWS_VERSION + 1]:
                printed = self.aws("imds", *command, "--output", output).stdout
                self.assertTrue(printed, (command, output))
                if output == "json":
                    json.loads(printed)
            self.aws("imds", *command, "--query", "type(@)")
        self.assertIn(b"Usage: imds get", self.aws("imds", "get", "help").stdout)

    def test_other_aliases_go_on_working(self):
        self.aliases.write_text(HAND_WRITTEN)
        self.imds("aws-cli", "install")
        self.imds("aws-cli", "install")
        self.assertEqual(self.aws("hello").stdout, b"hello\n")
        self.assertEqual(self.aws("several").stdout, b"imds = not this one\n")
        self.imds("aws-cli", "uninstall")
        self.assertEqual(self.aliases.read_text(), HAND_WRITTEN)

    def test_the_file_is_where_the_aws_cli_looks_whatever_its_config_file(self):
        """The AWS CLI, v1 and v2, reads `~/.aws/cli/alias` even where `AWS_CONFIG_FILE` is elsewhere."""
        self.emulator()
        (self.home / "elsewhere").mkdir()
        (self.home / "elsewhere" / "config").write_text("[default]\nregion = us-east-1\n")
        self.environment["AWS_CONFIG_FILE"] = str(self.home / "elsewhere" / "config")
        self.imds("aws-cli", "install")
        self.assertTrue(self.aliases.exists())
        self.assertEqual(self.aws("imds", "get", "placement/region").stdout, b"us-east-1")

    def test_the_aws_cli_reads_the_same_aliases_from_any_file(self):
        """Random files: what the AWS CLI's own parser reads is what it read before, and our alias."""
        random_numbers = random.Random(7)
        tried = 0
        for _ in range(60):
            text = random_file(random_numbers)
            self.aliases.write_text(text)
            try:
                before = dict(AliasLoader(str(self.aliases)).get_aliases())
            except Exception:  # no alias file for the AWS CLI either
                continue
            self.imds("aws-cli", "install")
            after = dict(AliasLoader(str(self.aliases)).get_aliases())
            self.assertEqual(after.pop("imds"), f"!{IMDS} aws-cli run --", text)
            self.assertEqual(after, before, text)
            self.imds("aws-cli", "uninstall")
            self.assertEqual(self.aliases.read_text() if self.aliases.exists() else "", text)
            tried += 1
        self.assertGreater(tried, 20)


def random_file(random_numbers):
    names = iter(range(100))
    lines = []
    if random_numbers.random() < 0.8:
        lines.append(random_numbers.choice(["[toplevel]", "[command ec2]"]))
    for _ in range(random_numbers.randrange(8)):
        kind = random_numbers.randrange(6)
        indent = random_numbers.choice(["", "", "  ", "    "])
        if kind == 0:
            lines.append(f"{indent}# a comment")
        elif kind == 1:
            lines.append("")
        elif kind == 2 and "[toplevel]" not in lines:
            lines.append("[toplevel]")
        elif kind == 3:
            lines.append(f"{indent}a{next(names)} : !echo x = y")
        else:
            lines.append(f"{indent}a{next(names)} = sts get-caller-identity")
    return "\n".join(lines) + random_numbers.choice(["", "\n"])
