"""A plan of thousands of changes, applied and rolled back: how long, how much memory, which calls.

Arguments: the command, and the URL of `imds-fake-aws ACCOUNTS REGIONS INSTANCES slow pending`.
Every third instance is changed. Nothing may be changed twice or left behind.
"""
import json, os, subprocess, sys, tempfile, time, urllib.request

binary, url = sys.argv[1:3]
environment = {
    "PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
    "AWS_ENDPOINT_URL": url,
}
figures = {}


def stats():
    return json.load(urllib.request.urlopen(url + "/_fake/stats"))


def run(name, *args):
    before, began = stats(), time.monotonic()
    child = subprocess.Popen([binary, *args], env=environment, stdout=subprocess.PIPE, text=True)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    took, after = time.monotonic() - began, stats()
    assert status == 0, (args, status, output[-2000:])
    calls = {key: after["calls"][key] - before["calls"].get(key, 0) for key in after["calls"]}
    calls = {key: count for key, count in calls.items() if count}
    throttled = sum(after["throttled"].values()) - sum(before["throttled"].values())
    figures[name] = took
    print(
        f"{name}: {took:.1f} s ({usage.ru_utime + usage.ru_stime:.1f} s of processor), "
        f"{usage.ru_maxrss / 1024:.0f} MiB resident at most, {throttled} calls throttled; {calls}",
        flush=True,
    )
    return output, calls


with tempfile.TemporaryDirectory() as directory:
    plan = os.path.join(directory, "plan.json")
    scope = ["--organization", "--role-name", "audit", "--all-regions"]
    run("plan", "plan", "--http-tokens", "required", "--include-unknown", "--out", plan, *scope)
    changes = len(json.load(open(plan))["changes"])
    output, calls = run("apply", "apply", plan, "--role-name", "audit", "--pause", "0", "--poll", "1s")
    assert f"{changes} of {changes} changes in force" in output, output
    assert calls["ModifyInstanceMetadataOptions"] >= changes, calls
    output, calls = run("rollback", "rollback", plan + ".journal", "--role-name", "audit", "--poll", "1s")
    assert f"{changes} restored, 0 as before, 0 not restored" in output, output
    assert calls["ModifyInstanceMetadataOptions"] == changes, calls
    size = os.path.getsize(plan + ".journal") / 1e6
print(f"{changes} changes; the journal has {size:.1f} MB; rollback takes {figures['rollback'] / figures['apply']:.2f} times as long as apply")
