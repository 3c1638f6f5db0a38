"""Drain before EC2 interrupts a Spot instance. Test: imds emulate --preset spot -- pytest examples/python"""

import os
import subprocess

import requests

SERVICE = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254").rstrip("/") + "/latest"


def interruption():
    """The notice, which comes two minutes before the interruption, or None."""
    ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    token = {"X-aws-ec2-metadata-token": requests.put(f"{SERVICE}/api/token", headers=ttl, timeout=2).text}
    answer = requests.get(f"{SERVICE}/meta-data/spot/instance-action", headers=token, timeout=2)
    return None if answer.status_code == 404 else answer.json()


def run(work, drain):
    while not (notice := interruption()):
        work()
    drain(notice["action"])


def test_drains_before_the_interruption():
    done = []

    def work():
        done.append("work")
        if len(done) == 3:
            subprocess.run(["imds", "emulator", "ctl", "event", "interrupt", "action=stop"], check=True)

    run(work, done.append)
    assert done == ["work", "work", "work", "stop"]
