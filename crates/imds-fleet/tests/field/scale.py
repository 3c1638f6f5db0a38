"""A scan of a large organization: complete, exact, within its memory and its limits; and how long boto3 takes for it.

Arguments: the command, the URL of the fake, how many instances it holds, how many places are harmed; then any of
`full` (launch templates, images and account defaults, too) and `ratio` (the same reads by boto3, in one run).
"""
import json, os, resource, subprocess, sys, tempfile, time, urllib.request

binary, url, instances, harmed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
words = sys.argv[5:]
environment = {
    "PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
    "AWS_ENDPOINT_URL": url,
}
args = ["state", "--organization", "--role-name", "audit", "--all-regions", "--output", "jsonl", "--backoff", "1ms"]
if "full" not in words:
    args.append("--instances-only")


def tripped():
    return json.load(urllib.request.urlopen(url + "/_fake/stats"))["throttled"]


with tempfile.TemporaryFile("w+") as output:
    before = tripped()
    began = time.monotonic()
    scan = subprocess.run([binary, *args], env=environment, stdout=output, stderr=subprocess.PIPE, text=True)
    ours = time.monotonic() - began
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    output.seek(0)
    ids, scanned, gaps, kinds = set(), set(), {}, {}
    for row in map(json.loads, output):
        kinds[row["kind"]] = kinds.get(row["kind"], 0) + 1
        if row["kind"] == "instance":
            assert row["id"] not in ids, row
            ids.add(row["id"])
        elif row["kind"] == "scan":
            place = (row["account"], row["region"])
            assert place not in scanned, row
            scanned.add(place)
            if row["gaps"]:
                gaps[place] = row["gaps"]
memory = usage.ru_maxrss / 1024
assert scan.returncode == (3 if harmed else 0), (scan.returncode, scan.stderr)
assert len(gaps) == harmed, (len(gaps), harmed)
reasons = {gap["reason"] for of in gaps.values() for gap in of}
assert reasons == ({"denied", "service"} if harmed else set()), reasons
if not harmed:
    assert ids == {f"i-{n:017x}" for n in range(instances)}, len(ids)
assert memory < 256, memory
trips = {bucket: count - before.get(bucket, 0) for bucket, count in tripped().items()}
assert all(count <= 1 for count in trips.values()), trips
print(
    f"{len(ids)} instances, {len(scanned)} places, {len(gaps)} of them not scanned: {ours:.1f} s "
    f"({usage.ru_utime + usage.ru_stime:.1f} s of processor), {memory:.0f} MiB resident at most, "
    f"{sum(trips.values())} calls throttled; {kinds}"
)

if "ratio" in words:
    script = os.path.join(os.path.dirname(__file__), "scale_boto3.py")
    for way in ("usual", "shared"):
        run = subprocess.run([sys.executable, script, url, way], env=environment, stdout=subprocess.PIPE, text=True, check=True)
        count, theirs = run.stdout.split()
        assert int(count) == instances, count
        print(f"boto3 in 10 threads, {way} sessions: {float(theirs):.1f} s, {float(theirs) / ours:.1f} times as long")
