#!/bin/bash
# Prints the alert rules as the Prometheus operator takes them: deploy/kubernetes/prometheus-rule.sh | kubectl apply -f -
set -euo pipefail
cd "$(dirname "$0")/../.."
printf 'apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: pedidos-veloz, namespace: pedidos-veloz}\nspec:\n'
sed 's/^./  &/' deploy/prometheus/rules/veloz.yml
