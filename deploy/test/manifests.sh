#!/bin/bash
# Validates k8s/ and the overlays: kubeconform against the schemas of Kubernetes (SCHEMAS names their place; the public one by
# default), kube-score without one finding. KUBECONFORM, KUBE_SCORE and KUSTOMIZE name the tools, as `make check-manifests` does.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
schemas=${SCHEMAS:-default}
kubeconform=${KUBECONFORM:-kubeconform} kubescore=${KUBE_SCORE:-kube-score} kustomize=${KUSTOMIZE:-kustomize}
# The resources of operators have no schema there; everything else must have one.
validate() { "$kubeconform" -strict -summary -schema-location "$schemas" -skip ServiceMonitor,PrometheusRule,Cluster,Database "$@"; }

validate k8s/*.yaml
"$kubescore" score --output-format ci k8s/*.yaml >"$work/score" || { grep -E 'CRITICAL|WARNING' "$work/score"; exit 1; }
for overlay in deploy/kustomize/overlays/*/; do
  "$kustomize" build "$overlay" >"$work/overlay.yaml"
  validate "$work/overlay.yaml"
done
deploy/kubernetes/secrets.sh "$work/admin-key" | validate -
deploy/kubernetes/prometheus-rule.sh | validate -
