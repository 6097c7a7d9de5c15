#!/bin/bash
# Validates k8s/ and the overlays: kubeconform against the schemas of Kubernetes (SCHEMAS names their place; the public one by
# default), kube-score without one finding. Both tools, and kustomize, must be on the PATH: nothing is skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
schemas=${SCHEMAS:-default}
# The resources of operators have no schema there; everything else must have one.
validate() { kubeconform -strict -summary -schema-location "$schemas" -skip PodMonitor,Cluster,Database "$@"; }

validate k8s/*.yaml
kube-score score --output-format ci k8s/*.yaml >"$work/score" || { grep -E 'CRITICAL|WARNING' "$work/score"; exit 1; }
for overlay in deploy/kustomize/overlays/*/; do
  kustomize build "$overlay" >"$work/overlay.yaml"
  validate "$work/overlay.yaml"
done
deploy/kubernetes/secrets.sh "$work/admin-key" | validate -
