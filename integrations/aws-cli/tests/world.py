"""The world of a test: a home of its own, the real AWS CLI in it, and servers on loopback."""

import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

#: The executable under test, which `run` builds.
IMDS = os.environ["IMDS_BINARY"]
#: The real AWS CLI: the one that `IMDS_TEST_AWS` names, else the one beside this Python.
AWS = os.environ.get("IMDS_TEST_AWS") or str(pathlib.Path(sys.executable).with_name("aws"))
#: Its major version.
AWS_VERSION = int(
    subprocess.run([AWS, "--version"], capture_output=True, text=True, check=True).stdout.split("/")[1][0]
)
#: Longest time that a command may take: far above anything a healthy one takes on a loaded machine.
PATIENCE = 120


#: Every subcommand that prints values of the service.
COMMANDS = [
    ["get", "dynamic/instance-identity/document"],
    ["list", "placement/"],
    ["tree", "placement/"],
    ["dump", "placement/"],
    ["categories", "spot"],
    ["env", "placement/region"],
    ["token"],
    ["identity", "show"],
    ["identity"],
    ["user-data"],
    ["credentials"],
    ["doctor"],
]


class Server(http.server.ThreadingHTTPServer):
    """A server on a free loopback port, stopped with the test that started it."""

    daemon_threads = True

    def __init__(self, handler):
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.shutdown()
        self.server_close()
        self.thread.join()


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments):
        pass

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Imds(Server):
    """A metadata service whose values a test changes as it goes, where the emulator's clock would take hours."""

    def __init__(self):
        self.values = {}
        values = self.values

        class Handler(Quiet):
            def do_PUT(self):
                self.answer(200, b"A" * 54 + b"==", [("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")])

            def do_GET(self):
                value = values.get(self.path)
                if callable(value):
                    value = value()
                self.answer(404 if value is None else 200, value or b"")

        super().__init__(Handler)

    def role(self, documents):
        """Serves these role credentials, the next one each time; the last one stays."""
        queue = [json.dumps(document).encode() for document in documents]
        directory = "/latest/meta-data/iam/security-credentials/"
        self.values[directory] = b"test-role"
        self.values[directory + "test-role"] = lambda: queue.pop(0) if len(queue) > 1 else queue[0]


class Sts(Server):
    """An AWS service that notes which access key id signed each request."""

    def __init__(self):
        self.access_key_ids = []
        seen = self.access_key_ids
        body = (
            b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
            b"<Arn>arn:aws:sts::123456789012:assumed-role/test-role/i-1</Arn><UserId>x</UserId>"
            b"<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
        )

        class Handler(Quiet):
            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                signature = self.headers.get("Authorization", "")
                seen.append(signature.partition("Credential=")[2].partition("/")[0])
                self.answer(200, body, [("Content-Type", "text/xml")])

        super().__init__(Handler)


class World(unittest.TestCase):
    """Commands see an empty environment but for a home of their own; nothing can reach the real service."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="imds-aws-cli-")
        self.addCleanup(directory.cleanup)
        self.home = pathlib.Path(directory.name)
        (self.home / ".aws" / "cli").mkdir(parents=True)
        self.config = self.home / ".aws" / "config"
        self.aliases = self.home / ".aws" / "cli" / "alias"
        self.environment = {
            "HOME": str(self.home),
            "PATH": os.pathsep.join([str(pathlib.Path(IMDS).parent), "/usr/bin", "/bin"]),
            "LC_ALL": "C.UTF-8",
            "IMDS_CACHE_DIR": str(self.home / "tokens"),
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_PAGER": "",
        }

    def start(self, server):
        self.addCleanup(server.stop)
        return server

    def use(self, server):
        self.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = server.url
        return server

    def emulator(self):
        """Starts the real emulator and makes it the service of the commands."""
        command = [IMDS, "serve", "--listen", "127.0.0.1:0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=self.environment, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.terminate)
        url = process.stdout.readline().split()[-1]
        self.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = url
        return url

    def run_command(self, *command, status=0, **variables):
        result = subprocess.run(
            [str(word) for word in command],
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            cwd=self.home,
        )
        self.assertEqual(result.returncode, status, f"{command}\n{result.stdout}\n{result.stderr}")
        return result

    def aws(self, *arguments, **options):
        return self.run_command(AWS, *arguments, **options)

    def imds(self, *arguments, **options):
        return self.run_command(IMDS, *arguments, **options)
