#!/bin/bash
# Checks and tests the alert rules, and that they, the dashboards and the runbook agree: every metric that is asked for is one
# that the code reports, and every alert has an entry in the runbook. Needs promtool and python3.
set -euo pipefail
cd "$(dirname "$0")/../.."
promtool check rules deploy/prometheus/rules/*.yml
promtool check config --syntax-only deploy/prometheus/prometheus.yml
promtool test rules deploy/prometheus/tests/*.yml
python3 - <<'PYTHON'
import glob, json, pathlib, re, subprocess, sys, tempfile

rules = pathlib.Path("deploy/prometheus/rules/veloz.yml").read_text()
source = "".join(pathlib.Path(f).read_text() for f in glob.glob("internal/**/*.go", recursive=True) if not f.endswith("_test.go"))
problems = []
texts = {"rules": rules}
for name in glob.glob("deploy/grafana/dashboards/*.json"):
    board = json.loads(pathlib.Path(name).read_text())
    texts[name] = "\n".join(t["expr"] for p in board["panels"] for t in p.get("targets", []) if "expr" in t)
    ids = [p["id"] for p in board["panels"]]
    if len(ids) != len(set(ids)):
        problems.append(f"{name}: two panels have one id")
for where, text in texts.items():
    for metric in set(re.findall(r"\bveloz_[a-z_]+", text)):
        if f'"{re.sub("_(bucket|count|sum)$", "", metric)}"' not in source:
            problems.append(f"{where}: nothing reports {metric}")
    for recorded in set(re.findall(r"\bveloz:[a-z0-9_:]+", text)):
        if f"record: {recorded}\n" not in rules:
            problems.append(f"{where}: no rule records {recorded}")
# promtool reads a dashboard's questions as rules: what it refuses, Grafana would show as an error.
questions = [e.replace("$__rate_interval", "5m") for where, text in texts.items() if where != "rules" for e in text.split("\n")]
asked = json.dumps({"groups": [{"name": "dashboards", "rules": [{"record": f"panel:{i}", "expr": e} for i, e in enumerate(questions)]}]})
with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
    file.write(asked)
    file.flush()
    checked = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True)
    if checked.returncode:
        problems.append(checked.stdout + checked.stderr)
runbook = pathlib.Path("docs/runbook.md").read_text()
for alert in re.findall(r"alert: (\w+)", rules):
    if f"\n## {alert}\n" not in runbook:
        problems.append(f"docs/runbook.md has no entry of {alert}")
    if f"#{alert.lower()}\n" not in rules:
        problems.append(f"{alert} does not link to its entry")
print("\n".join(problems), file=sys.stderr)
sys.exit(bool(problems))
PYTHON
