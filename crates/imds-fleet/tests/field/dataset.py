"""The queries of docs/fleet.md over the union of the shards' datasets, in DuckDB."""
import json, re, sys
import duckdb

dataset, docs, state = sys.argv[1:]
document = json.load(open(state))
queries = re.findall(r"```sql\n(.*?)```", open(docs).read(), re.S)
assert len(queries) == 4, queries
answers = [duckdb.sql(query.replace("fleet/", dataset + "/")).fetchall() for query in queries]
postures, worst, missing, history = answers

counted = {posture: count for posture, count in postures}
expected = {posture: count for posture, count in document["summary"]["postures"].items() if count}
assert counted == expected, (counted, expected)

v1 = {}
for it in document["resources"]:
    if it["kind"] == "instance" and it["posture"] == "v1-allowed":
        v1[it["account"]] = v1.get(it["account"], 0) + 1
assert dict(worst) == v1, (worst, v1)
assert all(isinstance(account, str) and len(account) == 12 for account, _ in worst)

gaps = {(scan["account"], scan["region"]) for scan in document["summary"]["incomplete"]}
assert {(account, region.replace("*", "*")) for account, region, _ in missing} == gaps, (missing, gaps)
assert sum(count for _, count in history) == counted.get("v1-allowed"), history

seen = duckdb.sql(f"SELECT id, http_put_response_hop_limit, hidden, tags FROM read_parquet('{dataset}/**/*.parquet') WHERE kind = 'instance'").fetchall()
known = {it["id"]: it for it in document["resources"] if it["kind"] == "instance"}
assert len(seen) == len(known)
for id, hops, hidden, tags in seen:
    assert known[id]["options"]["http_put_response_hop_limit"] == hops
    assert known[id]["hidden"] == hidden and known[id]["tags"] == json.loads(tags)
