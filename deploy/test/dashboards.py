#!/usr/bin/env python3
"""Asks a running Prometheus everything that the dashboards, the recorded rules and the alerts ask.

    dashboards.py http://PROMETHEUS:9090

Every panel and every recorded rule must answer with data, and every rule must be evaluated without an error. An alert that
is silent says nothing, so each metric that one asks for must be there. What has no answer is asked again for a while: a rate
needs two scrapes, and a rule its evaluation.

A question may have a second one for when the first has no answer: 0 where nothing failed yet. Only the first is asked here, or
a question that nothing ever answers would look like one. So something of everything must have failed before.
"""
import glob
import json
import re
import sys
import time
import urllib.parse
import urllib.request

PROMETHEUS = sys.argv[1].rstrip("/")
RATE_INTERVAL = "1m"  # four scrapes, as Grafana would choose it for a short range
PATIENCE = 90  # seconds


def get(path, **parameters):
    with urllib.request.urlopen(f"{PROMETHEUS}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=30) as answer:
        return json.load(answer)["data"]


def first(question):
    return re.split(r"\bor\b", question)[0].strip()


def panels():
    for name in sorted(glob.glob("deploy/grafana/dashboards/*.json")):
        with open(name) as file:
            for panel in json.load(file)["panels"]:
                for target in panel.get("targets", []):
                    yield f"{name}, {panel['title']}", first(target["expr"]).replace("$__rate_interval", RATE_INTERVAL)


def rules():
    for group in get("rules")["groups"]:
        for rule in group["rules"]:
            if rule["type"] == "recording":
                yield f"rule {rule['name']}", rule["name"]
                yield f"rule {rule['name']}", first(rule["query"])
            else:
                for metric in set(re.findall(r"\b(?:veloz|go)[_:][a-z0-9_:]+", rule["query"])):
                    yield f"alert {rule['name']}", metric


def problems():
    for group in get("rules")["groups"]:
        for rule in group["rules"]:
            if rule["health"] != "ok":
                yield f"rule {rule['name']} is {rule['health']}: {rule.get('lastError', '')}"
    for where, question in questions:
        if not get("query", query=question)["result"]:
            yield f"{where}: no data for {question}"


questions = list(panels()) + list(rules())
if len(questions) < 50:
    sys.exit(f"{len(questions)} questions are too few: where are the dashboards and rules?")
end = time.monotonic() + PATIENCE
while (found := list(problems())) and time.monotonic() < end:
    time.sleep(5)
print("\n".join(found) or f"{len(questions)} questions of dashboards and rules have answers")
sys.exit(bool(found))
