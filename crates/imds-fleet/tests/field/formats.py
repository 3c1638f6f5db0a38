"""Every format read by the library that its users read it with."""
import csv, json, sys
from junitparser import JUnitXml
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from sarif_pydantic import Sarif

directory, expected = sys.argv[1], int(sys.argv[2])
read = lambda name: open(f"{directory}/{name}", newline="").read()

findings = json.loads(read("json"))
assert findings["summary"]["findings"] == expected == len(findings["findings"])

events = [ComplianceFinding.model_validate(event) for event in json.loads(read("ocsf"))]
assert len(events) == expected and all(event.class_uid == 2003 for event in events)

log = Sarif.model_validate_json(read("sarif"))
assert len(log.runs[0].results) == expected
assert {result.rule_id for result in log.runs[0].results} <= {rule.id for rule in log.runs[0].tool.driver.rules}

metrics = {family.name: family for family in text_string_to_metric_families(read("openmetrics"))}
counted = sum(sample.value for sample in metrics["imds_fleet_findings"].samples)
assert counted == expected, counted

xml = JUnitXml.fromstring(read("junit").encode())
cases = [case for suite in xml for case in suite]
failing = [case for case in cases if not case.is_passed]
resources = {(it["account"], it["region"], it["kind"], it["id"]) for it in findings["findings"]}
assert len(failing) == len(resources), (len(failing), len(resources))

rows = list(csv.DictReader(read("csv").splitlines()))
assert len(rows) == expected and {row["rule"] for row in rows} == {it["rule"] for it in findings["findings"]}
