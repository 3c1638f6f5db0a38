"""imds-lifecycle against moto: it finds the group and the hook that boto3 made, and lives on where moto knows no answer.

Usage: check.py PATH-OF-IMDS-LIFECYCLE
"""

import http.server
import os
import signal
import subprocess
import sys
import tempfile
import threading

import boto3
from moto.server import ThreadedMotoServer

REGION = "us-east-1"


class Imds(http.server.BaseHTTPRequestHandler):
    """The few paths that the daemon asks for."""

    values: dict[str, str] = {}

    def reply(self, status, body="", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_PUT(self):
        self.reply(200, "t" * 54 + "==", [("X-aws-ec2-metadata-token-ttl-seconds", "21600")])

    def do_GET(self):
        value = self.values.get(self.path.removeprefix("/latest/meta-data/"))
        self.reply(404) if value is None else self.reply(200, value)

    def log_message(self, *_):
        pass


def group_with_hook(endpoint):
    """Makes group `web` with one instance and the hook `drain`; the instance's id."""
    client = boto3.client("autoscaling", region_name=REGION, endpoint_url=endpoint)
    client.create_launch_configuration(
        LaunchConfigurationName="web", ImageId="ami-12c6146b", InstanceType="t3.micro"
    )
    client.create_auto_scaling_group(
        AutoScalingGroupName="web",
        LaunchConfigurationName="web",
        MinSize=1,
        MaxSize=1,
        AvailabilityZones=[f"{REGION}a"],
    )
    client.put_lifecycle_hook(
        AutoScalingGroupName="web",
        LifecycleHookName="drain",
        LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
        HeartbeatTimeout=300,
    )
    return client.describe_auto_scaling_instances()["AutoScalingInstances"][0]["InstanceId"]


def says(program, arguments, environment, expected):
    """Runs the daemon until it has said all of `expected`, in that order, and stops it."""
    daemon = subprocess.Popen([program, "run", *arguments], env=environment, stderr=subprocess.PIPE, text=True)
    # A daemon that does not say it must not keep the gate waiting.
    guard = threading.Timer(120, daemon.kill)
    guard.start()
    heard = []
    for text in expected:
        for line in daemon.stderr:
            heard.append(line)
            if text in line:
                break
        else:
            sys.exit(f"not said: {text!r}; but:\n{''.join(heard)}")
    daemon.send_signal(signal.SIGTERM)
    # The first signal lets a completion that fails be tried again; the second ends that.
    daemon.send_signal(signal.SIGINT)
    status = daemon.wait()
    guard.cancel()
    assert status == 0, (status, heard)


def main(program):
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_EC2_METADATA_DISABLED="true")
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    Imds.values = {
        "instance-id": group_with_hook(endpoint),
        "placement/region": REGION,
        "autoscaling/target-lifecycle-state": "Terminated",
    }
    imds = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Imds)
    threading.Thread(target=imds.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as home:
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": home,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{imds.server_port}",
        }
        found = "Auto Scaling group `web`"
        dry = ["--dry-run", "--exec", "true", "--interval", "50ms"]
        says(program, dry, environment, [found, "would complete hook `drain` of group `web` with CONTINUE"])
        # moto has no CompleteLifecycleAction and answers a page of HTML.
        real = ["--exec", "true", "--interval", "50ms", "--state", f"{home}/state"]
        says(program, real, environment, [found, "the completion failed: "])
    imds.shutdown()
    moto.stop()
    print("imds-lifecycle and moto agree")


main(sys.argv[1])
