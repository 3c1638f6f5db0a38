"""Every format held against its schema, where one is published, and read by a library that its users read it with.

Arguments: the directory of the outputs, and that of the schemas (see `schemas.sh`).
"""
import csv, json, sys
from jsonschema import Draft7Validator, Draft202012Validator
from junitparser import JUnitXml
from lxml import etree
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from sarif_pydantic import Sarif

directory, data = sys.argv[1:]
read = lambda name: open(f"{directory}/{name}", newline="").read()


def valid(validator, document):
    wrong = [f"{list(error.absolute_path)}: {error.message}" for error in validator.iter_errors(document)]
    assert not wrong, wrong[:5]


findings = json.loads(read("json"))
summary = findings["summary"]
found = findings["findings"]
excepted = [it for it in found if it["excepted"]]
assert len(found) == summary["findings"] + summary["excepted"] and excepted and summary["findings"]
assert [scan["account"] for scan in summary["incomplete"]] == ["100000000002"]

# JSON Lines and CSV hold the same findings.
key = lambda it: (it["rule"], it["account"], it["region"], it["id"])
lines = [json.loads(line) for line in read("jsonl").splitlines()]
assert sorted(key(it) for it in lines if "rule" in it) == sorted(map(key, found))
assert [it["account"] for it in lines if it.get("gaps")] == ["100000000002"]
rows = list(csv.DictReader(read("csv").splitlines()))
assert sorted((it["rule"], it["account_id"], it["region_name"], it["id"]) for it in rows) == sorted(map(key, found))

# SARIF 2.1.0: OASIS's own schema.
document = json.loads(read("sarif"))
valid(Draft7Validator(json.load(open(f"{data}/sarif.json", encoding="utf-8-sig"))), document)
run = Sarif.model_validate(document).runs[0]
assert len(run.results) == len(found)
assert {result.rule_id for result in run.results} <= {rule.id for rule in run.tool.driver.rules}
assert sum(bool(result.get("suppressions")) for result in document["runs"][0]["results"]) == len(excepted)
assert document["runs"][0]["invocations"][0]["executionSuccessful"] is False

# OCSF: the schema as its server publishes it, by version, class and profile.
events = json.loads(read("ocsf"))
assert len(events) == len(found)
versions = {event["metadata"]["version"] for event in events}
schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=versions.pop()))
assert not versions and schema.lookup_class_name_from_uid(class_uid=2003) == "compliance_finding"
validator = Draft202012Validator(schema.get_class_schema(class_name="compliance_finding", profiles=["cloud"]))
for event in events:
    valid(validator, event)
    assert ComplianceFinding.model_validate(event).class_uid == 2003

# JUnit has no standard; the schema is that of Jenkins.
xml = read("junit").encode()
junit = etree.XMLSchema(etree.parse(f"{data}/junit.xsd"))
assert junit.validate(etree.fromstring(xml)), junit.error_log
suites = list(JUnitXml.fromstring(xml))
cases = [case for suite in suites for case in suite]
result = lambda case: case.result[0]._tag if case.result else "passed"
counted = {word: sum(result(case) == word for case in cases) for word in ("failure", "skipped", "error")}
of = lambda which: {(it["account"], it["region"], it["kind"], it["id"]) for it in which}
failing = of(it for it in found if not it["excepted"])
assert counted == {"failure": len(failing), "skipped": len(of(excepted) - failing), "error": 1}, counted
assert len(suites) == 5 and sum(suite.tests for suite in suites) == len(cases)
assert {word: sum(getattr(suite, word) for suite in suites) for word in ("failures", "skipped", "errors")} == {
    "failures": counted["failure"], "skipped": counted["skipped"], "errors": 1
}

# OpenMetrics: the reference parser.
metrics = lambda name: {family.name: family for family in text_string_to_metric_families(read(name))}
samples = metrics("openmetrics")["imds_fleet_findings"].samples
assert sum(sample.value for sample in samples if sample.labels["excepted"] == "false") == summary["findings"]
assert sum(sample.value for sample in samples if sample.labels["excepted"] == "true") == summary["excepted"]

# The state in each of its formats.
state = json.loads(read("state.json"))
ids = sorted(it["id"] for it in state["resources"] if it["kind"] == "instance")
assert len(ids) == 60 == state["summary"]["instances"]
lines = [json.loads(line) for line in read("state.jsonl").splitlines()]
assert sorted(it["id"] for it in lines if it["kind"] == "instance") == ids
rows = list(csv.DictReader(read("state.csv").splitlines()))
assert sorted(it["id"] for it in rows if it["kind"] == "instance") == ids
gauge = metrics("state.openmetrics")["imds_fleet_instances"].samples
assert sum(sample.value for sample in gauge) == 60
