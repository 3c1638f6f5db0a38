"""Meets every fault of the emulator with curl, botocore and the SDKs, and asserts what each of them makes of it.

    faults.py CACHE             where `interop/run` put the clients; the path of the emulator to test is in IMDS

botocore is imported, and curl and the others are run as they are. The emulator's recorder says what reached the
service. The emulator's clock stands still unless a test steps it, and nothing here sleeps: only clients wait, for
answers that do not come.
"""

import json
import logging
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

import boto3
from botocore.exceptions import MetadataRetrievalError
from botocore.utils import IMDSRegionProvider

IMDS = os.environ["IMDS"]
MAC = "/latest/meta-data/mac"
TOKEN = "/latest/api/token"
ROLE = "/latest/meta-data/iam/security-credentials/"
# Longer than an answer takes on a busy machine, where one is to come as well.
PATIENCE = 3
failures = 0


def check(what, expected, got):
    global failures
    holds = bool(re.search(expected, got)) if isinstance(expected, re.Pattern) else got == expected
    failures += not holds
    shown = got if not isinstance(expected, re.Pattern) else got.strip().splitlines()[-1:] or ""
    print("%-6s %s: %s" % ("holds" if holds else "FAILED", what, str(shown)[:100]), flush=True)
    if not holds:
        print("       expected: %r\n       found:    %r" % (expected, got), flush=True)


class Emulator:
    """`imds serve` on free loopback ports, with an instance of `tokens optional`, as most of the real ones had."""

    def __init__(self, *options):
        command = [IMDS, "serve", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--tokens", "optional"]
        clock = [] if "--clock" in options else ["--clock", "stepped"]
        self.process = subprocess.Popen([*command, *clock, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.endpoint = self.process.stdout.readline().removeprefix("listening on ").strip()
        self.control = self.process.stdout.readline().rsplit("http://")[-1].strip("/\n")
        # Drained, and kept for the seed that is printed there.
        self.notes = ""
        self.reader = threading.Thread(target=self.read_notes, daemon=True)
        self.reader.start()

    def read_notes(self):
        for line in self.process.stderr:
            self.notes += line

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()

    def ctl(self, *words):
        run = subprocess.run([IMDS, "emulator", "ctl", "--control", self.control, *words], check=True, capture_output=True, text=True)
        return run.stdout

    def fault(self, *words):
        """This fault and no other from now on, and a recorder that has seen nothing."""
        self.ctl("fault", "clear")
        self.ctl("reset")
        self.ctl("fault", *words)

    def met(self, count):
        """`METHOD status` of each request, once this many are there: a client may give up before its request is read."""
        return ["%s %d" % (one["method"], one["status"]) for one in self.wait(count)]

    def wait(self, count):
        deadline = time.monotonic() + 60
        while True:
            requests = [json.loads(line) for line in self.ctl("requests").splitlines()]
            if len(requests) >= count or time.monotonic() > deadline:
                return requests

    def until(self, listening):
        """Waits until the port is open, or closed."""
        host, port = self.endpoint.removeprefix("http://").split(":")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection((host, int(port)), timeout=60).close()
                found = True
            except ConnectionRefusedError:
                found = False
            if found == listening:
                return


def curl(emulator, path, *options):
    """curl's exit code, its output and its message, as one text."""
    command = ["curl", "--silent", "--show-error", "--fail", "--noproxy", "*", *options, emulator.endpoint + path]
    run = subprocess.run(command, capture_output=True, text=True)
    return ("%d %s%s" % (run.returncode, run.stdout, run.stderr)).strip()


class Log(logging.Handler):
    def __init__(self):
        super().__init__(logging.DEBUG)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


class Boto:
    """boto3 as a program would use it, configured by the environment alone."""

    def __init__(self, emulator, attempts=1, timeout=30, v1_disabled="false"):
        os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = emulator.endpoint
        os.environ["AWS_METADATA_SERVICE_NUM_ATTEMPTS"] = str(attempts)
        os.environ["AWS_METADATA_SERVICE_TIMEOUT"] = str(timeout)
        os.environ["AWS_EC2_METADATA_V1_DISABLED"] = v1_disabled
        self.log = Log()

    def logged(self, ask):
        logger = logging.getLogger("botocore.utils")
        logger.setLevel(logging.DEBUG)
        logger.addHandler(self.log)
        try:
            return ask()
        finally:
            logger.removeHandler(self.log)

    def key(self):
        """The access key that the default chain finds, or what it says."""
        try:
            credentials = self.logged(lambda: boto3.Session().get_credentials())
        except MetadataRetrievalError as error:
            return str(error)
        return credentials.access_key if credentials else "no credentials"

    def region(self):
        return self.logged(lambda: IMDSRegionProvider(boto3.Session()._session).provide()) or "no region"

    def count(self, text):
        return sum(text in line for line in self.log.lines)


V2_KEY = "ASIAIOSFODNN7EXAMPLE"


def v1_key(emulator):
    document = subprocess.run(["curl", "-s", "--noproxy", "*", emulator.endpoint + ROLE + "my-role"], capture_output=True, check=True).stdout
    return json.loads(document)["AccessKeyId"]


def refuse(emulator):
    emulator.fault("refuse", "for=5s")
    emulator.until(listening=False)
    check("refuse, curl", re.compile(r"^7 .*Failed to connect to 127\.0\.0\.1 port \d+"), curl(emulator, MAC))
    boto = Boto(emulator, attempts=2)
    check("refuse, botocore", "no credentials", boto.key())
    check("refuse, botocore could not connect, times", 4, boto.count("Could not connect to the endpoint URL"))
    emulator.ctl("step", "5s")
    emulator.until(listening=True)
    check("refuse for 5 s, after 5 s, botocore", V2_KEY, Boto(emulator).key())


def stall(emulator):
    emulator.fault("stall")
    check("stall, curl", re.compile(r"^28 .*timed out after \d+ milliseconds with 0 bytes received"), curl(emulator, MAC, "--max-time", "1"))
    emulator.ctl("reset")
    boto = Boto(emulator, timeout=1)
    check("stall, botocore", "no credentials", boto.key())
    check("stall, botocore's GET timed out, times", 1, boto.count("Read timeout on endpoint URL"))
    check("stall, what came of botocore's requests", ["PUT 0", "GET 0"], emulator.met(2))


def hop_limit(emulator):
    emulator.fault("hop-limit")
    token = ["-X", "PUT", "-H", "X-aws-ec2-metadata-token-ttl-seconds: 60"]
    check("hop-limit, curl's PUT", re.compile(r"^28 .*with 0 bytes received"), curl(emulator, TOKEN, *token, "--max-time", "1"))
    check("hop-limit, curl's IMDSv1 GET", "0 02:29:96:8f:6a:2d", curl(emulator, MAC))
    expected = v1_key(emulator)
    emulator.ctl("reset")
    check("hop-limit, botocore falls back to IMDSv1", expected, Boto(emulator, timeout=PATIENCE).key())
    check("hop-limit, what came of botocore's requests", ["PUT 0", "GET 200", "GET 200"], emulator.met(3))
    boto = Boto(emulator, timeout=PATIENCE, v1_disabled="true")
    check("hop-limit, botocore without IMDSv1", re.compile("Unable to retrieve token for use in IMDSv2 call and IMDSv1 has been disabled"), boto.key())


def reset(emulator):
    emulator.fault("reset")
    check("reset, curl", re.compile(r"^56 .*Recv failure: Connection reset by peer"), curl(emulator, MAC))
    emulator.fault("reset", "count=2")
    boto = Boto(emulator, attempts=3)
    check("reset twice, botocore with three attempts", V2_KEY, boto.key())
    check("reset twice, botocore's connection was closed, times", 2, boto.count("Connection was closed before we received a valid response"))
    check("reset twice, what came of botocore's requests", ["PUT 0", "PUT 0", "PUT 200", "GET 200", "GET 200"], emulator.met(5))


def statuses(emulator):
    for status in ["401", "403", "404", "429", "500", "503"]:
        emulator.fault(status)
        check("%s, curl" % status, "22 curl: (22) The requested URL returned error: " + status, curl(emulator, MAC))
    for status in ["401", "429", "500", "503"]:
        emulator.fault(status, "count=2")
        check("%s twice, botocore with three attempts" % status, V2_KEY, Boto(emulator, attempts=3).key())
        met = ["PUT " + status] * 2 + ["PUT 200", "GET 200", "GET 200"]
        check("%s twice, what came of botocore's requests" % status, met, emulator.met(5))
    emulator.fault("500")
    boto = Boto(emulator, attempts=2)
    check("500 for ever, botocore", "no credentials", boto.key())
    check("500 for ever, botocore gave up, times", 1, boto.count("Max number of attempts exceeded (2)"))
    check("500 for ever, what came of botocore's requests", ["PUT 500"] * 2 + ["GET 500"] * 2, emulator.met(4))
    for status in ["403", "404"]:
        emulator.fault("clear")
        expected = v1_key(emulator)
        emulator.fault(status, "method=PUT")
        check("%s to the PUT, botocore falls back to IMDSv1" % status, expected, Boto(emulator, attempts=3).key())
        check("%s to the PUT, what came of botocore's requests" % status, ["PUT " + status, "GET 200", "GET 200"], emulator.met(3))
    emulator.fault("503", "count=1")
    retried = curl(emulator, MAC, "--retry", "1", "--retry-delay", "1")
    check("503 once, curl with a retry", re.compile(r"^0 .*02:29:96:8f:6a:2d"), retried)
    check("503 once, what came of curl's requests", ["GET 503", "GET 200"], emulator.met(2))


def truncate(emulator):
    emulator.fault("truncate")
    # The words of curl 7 and of curl 8.
    check("truncate, curl", re.compile(r"^18 .*(transfer closed with 9 bytes remaining|end of response with 9 bytes missing)"), curl(emulator, MAC))
    emulator.fault("truncate", "count=1", "path=" + ROLE + "my-role")
    boto = Boto(emulator, attempts=2)
    check("truncate once, botocore with two attempts", V2_KEY, boto.key())
    # It does not look at the length, and takes half of a document for a bad one.
    check("truncate once, botocore's answers that were no JSON", 1, boto.count("invalid json response with status code of 200"))
    check("truncate once, what was asked for", ["token", "", "my-role", "my-role"], [one["path"].rsplit("/")[-1] for one in emulator.wait(4)])


def slow(emulator):
    emulator.fault("slow", "bytes-per-second=2")
    check("slow, curl with a lowest speed", re.compile(r"^28 .*Operation too slow"), curl(emulator, "/latest/user-data", "--speed-limit", "100", "--speed-time", "1"))
    check("slow, what came of curl's request", ["GET 200"], emulator.met(1))


def packet_budget(emulator):
    # Seven packets for a connection with one request.
    emulator.fault("packet-budget", "packets-per-second=20")
    check("packet-budget, botocore", "no credentials", Boto(emulator, timeout=PATIENCE).key())
    check("packet-budget, what came of botocore's requests", ["PUT 200", "GET 200", "GET 0"], emulator.met(3))
    check("packet-budget, curl in the same second", re.compile(r"^28 .*with 0 bytes received"), curl(emulator, MAC, "--max-time", "1"))
    emulator.ctl("step", "1s")
    check("packet-budget, curl in the next second", "0 02:29:96:8f:6a:2d", curl(emulator, MAC))


def by_path_and_time(emulator):
    emulator.fault("404", "path=" + ROLE)
    boto = Boto(emulator)
    check("by path, botocore's credentials and region", ("no credentials", "us-east-1"), (boto.key(), boto.region()))
    emulator.fault("503", "for=10s")
    seen = [curl(emulator, MAC)[:2]]
    for step in ["9s", "1s"]:
        emulator.ctl("step", step)
        seen.append(curl(emulator, MAC)[:2])
    check("by time: curl at 0 s, 9 s and 10 s of a 503 for 10 s", ["22", "22", "0 "], seen)
    emulator.fault("503", "count=3")
    check("by count: five times curl with a 503 for three", ["22", "22", "22", "0 ", "0 "], [curl(emulator, MAC)[:2] for _ in range(5)])


def by_rate(draws=40):
    """The codes that curl gets from a run with half of the requests failing, and the seed that the run printed."""

    def run(*options):
        with Emulator("--fault", "503,rate=0.5", *options) as emulator:
            url = emulator.endpoint + MAC + "?[1-%d]" % draws
            command = ["curl", "-s", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code} ", url]
            codes = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
            boto = Boto(emulator, attempts=10)
            boto.key()
            requests = [json.loads(line)["status"] for line in emulator.ctl("requests").splitlines()]
        return codes, requests, emulator.notes

    codes, requests, notes = run()
    seed = re.search(r"^note: rates of faults are drawn with `--seed (\d+)`$", notes, re.MULTILINE)
    check("by rate, the seed is printed", re.compile(r"--seed \d+"), notes)
    failed = codes.count("503")
    check("by rate, curl's answers of %d" % draws, draws, failed + codes.count("200"))
    check("by rate, neither none nor all of them failed", True, 4 <= failed <= draws - 4)
    again = run("--seed", seed[1])
    check("by rate, the printed seed repeats curl's and botocore's run", (codes, requests), again[:2])
    check("by rate, another seed gives another run", True, run("--seed", str(int(seed[1]) + 1))[0] != codes)


def by_scenario():
    steps = [("30s", "event = 'fault'\nfault = '503'"), ("60s", "event = 'clear-faults'")]
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write("".join("[[step]]\nafter = '%s'\n%s\n" % step for step in steps))
        file.flush()
        with Emulator("--scenario", file.name) as emulator:
            seen = [curl(emulator, MAC)[:2]]
            for _ in steps:
                emulator.ctl("step", "30s")
                seen.append(curl(emulator, MAC)[:2])
    check("by scenario: curl before, during and after a 503", ["0 ", "22", "0 "], seen)


def clients(cache, here):
    """What the other SDKs make of a fault: exit code, what is read, and what the recorder says of it."""
    everything = open(os.path.join(here, "..", "expected")).read().splitlines()
    everything = [line for line in everything if not line.startswith("credentials")]
    for client, fault, recorded, expected in [
        ("go", "503,count=1", "faults == 1 and v1 == 0", (0, everything, "")),
        ("go", "reset,count=1", "faults == 1 and v1 == 0", (0, everything, "")),
        ("rust", "503,count=1", "faults == 1 and v1 == 0", (0, everything, "")),
        ("rust", "truncate,count=1,path=/latest/meta-data", "faults == 1", (1, [], 'Error: "no region"')),
        # One request without a token, instead of the one that could not be fetched.
        ("javascript", "503,count=1", "faults == 1 and v1 == 1 and v2 > 1", (0, everything, "")),
    ]:
        command = [IMDS, "emulate", "--tokens", "optional", "--clock", "stepped", "--fault", fault, "--assert", recorded]
        read = [os.path.join(here, "..", client, "read"), os.path.join(cache, client)]
        expire = "imds emulator ctl step 21601s >/dev/null"
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "INTEROP_EXPIRE": expire}
        run = subprocess.run([*command, "--", *read], capture_output=True, text=True, env=environment)
        read = [line for line in run.stdout.splitlines() if not line.startswith(("version", "credentials"))]
        said = "".join(line for line in run.stderr.splitlines() if not line.startswith("note: "))
        check("%s, %s, `%s`: exit code, what it read, what it said" % (fault, client, recorded), expected, (run.returncode, read, said))


def main():
    started = time.monotonic()
    with Emulator() as emulator:
        for test in [refuse, stall, hop_limit, reset, statuses, truncate, slow, packet_budget, by_path_and_time]:
            test(emulator)
    by_rate()
    by_scenario()
    clients(sys.argv[1], os.path.dirname(os.path.realpath(__file__)))
    print("%d failed, in %.0f s" % (failures, time.monotonic() - started))
    sys.exit(failures > 0)


main()
