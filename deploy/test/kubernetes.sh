#!/bin/bash
# Proves the manifests on the cluster that kubectl talks to, which must not have the namespace pedidos-veloz yet:
# one apply of k8s/ gets everything ready; with real secrets it takes orders; each Deployment rolls under load without one failed request; an image that never
# becomes ready takes nothing down and is undone. HPA=yes also waits until load makes more pods, and rest fewer.
#   REGISTRY TAG   the images, which the cluster must have or be able to pull
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${REGISTRY:?}" "${TAG:?}"
namespace=pedidos-veloz
generator=pedidos-veloz-load # a namespace of its own: the policies of the other let nobody out
deployments=(servico-estoque servico-pagamentos servico-pedidos api-gateway)
work=$(mktemp -d)

say() { printf '%s %s\n' "$(date +%T)" "$*"; }
fail() { say "FAILED: $*"; exit 1; }
k() { kubectl --namespace $namespace "$@"; }

if kubectl get namespace $namespace >/dev/null 2>&1; then
  echo "The namespace $namespace is there already; this test makes it and takes it away." >&2
  exit 1
fi
# What a failure can be understood by, before the namespace and all of it is gone.
explain() {
  local pod
  k get pods,hpa --output wide
  k get events --sort-by=.metadata.creationTimestamp | tail -30
  for pod in $(k get pods --no-headers | awk '{split($2, ready, "/")} ready[1] != ready[2] {print $1}'); do
    say "the pod $pod, which is not ready:"
    k logs "$pod" --all-containers --tail=30
    k logs "$pod" --all-containers --tail=30 --previous 2>/dev/null
  done
}
tidy() {
  [ $? = 0 ] || { set +e; explain; }
  kubectl delete namespace $namespace $generator --ignore-not-found --timeout=180s >/dev/null || true
  rm -rf "$work"
}
trap tidy EXIT

image() { echo "$REGISTRY/pedidos-veloz-${1#servico-}:$TAG"; }

ready() {
  for name in "${deployments[@]}"; do k set image "deployment/$name" "$name=$(image "$name")" >/dev/null; done
  k rollout status statefulset/postgres --timeout=300s
  for name in "${deployments[@]}"; do k rollout status "deployment/$name" --timeout=300s; done
}

applyInOneGo() {
  SECONDS=0
  kubectl apply --filename k8s/
  ready
  say "kubectl apply -f k8s/ on an empty cluster: everything is ready after $SECONDS s"
  kubectl delete namespace $namespace --timeout=180s
}

applyWithSecrets() {
  SECONDS=0
  kubectl apply --filename k8s/00-namespace.yaml
  deploy/kubernetes/secrets.sh "$work/admin-key" | kubectl create --filename -
  kubectl apply --filename k8s/ --selector '!pedidos-veloz/placeholder'
  ready
  say "with secrets of its own: everything is ready after $SECONDS s"
  kubectl create namespace $generator
  kubectl --namespace $generator create secret generic admin-key --from-file=admin-key="$work/admin-key"
}

# load NAME ARGUMENT…: starts a run of the load generator as a pod.
load() {
  local name=$1
  shift
  {
    cat <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $name, namespace: $generator}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, runAsUser: 65532, fsGroup: 65532, seccompProfile: {type: RuntimeDefault}}
  volumes: [{name: key, secret: {secretName: admin-key, defaultMode: 0440}}]
  containers:
    - name: load
      image: $REGISTRY/pedidos-veloz:$TAG
      imagePullPolicy: IfNotPresent
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: key, mountPath: /secrets, readOnly: true}]
      args:
YAML
    printf '        - "%s"\n' load --server "http://api-gateway.$namespace" --key-file /secrets/admin-key "$@"
  } | kubectl apply --filename -
}

# judge NAME: of a run every order must have been confirmed, and its truth must hold.
judge() {
  grep -E '^(place|The truth)' "$work/$1" || { tail -40 "$work/$1"; fail "the load $1 says nothing"; }
  grep -q '^The truth holds' "$work/$1" || fail "after $1 the truth does not hold"
  grep -Eq '^place +confirmed [0-9]+$' "$work/$1" || { tail -40 "$work/$1"; fail "not every order of $1 was confirmed"; }
}

# loaded NAME: waits for a run to end, and judges it.
loaded() {
  kubectl --namespace $generator wait "pod/$1" --for='jsonpath={.status.phase}'=Succeeded --timeout=300s ||
    { kubectl --namespace $generator logs "$1" | tail -40; fail "the load $1 did not succeed"; }
  kubectl --namespace $generator logs "$1" >"$work/$1"
  judge "$1"
}

roll() {
  load rolls --rate 100 --clients 64 --skus 100 --duration 10m
  kubectl --namespace $generator wait pod/rolls --for=condition=Ready --timeout=60s
  kubectl --namespace $generator logs --follow rolls >"$work/rolls" &
  for name in "${deployments[@]}"; do
    k rollout restart "deployment/$name"
    k rollout status "deployment/$name" --timeout=120s
    [ "$(kubectl --namespace $generator get pod/rolls --output 'jsonpath={.status.phase}')" = Running ] || fail "the load ended before $name had rolled"
    say "$name rolled under load"
  done
  # Told to go, the generator sends nothing new, and checks; what it finds is the end of its log.
  kubectl --namespace $generator delete pod/rolls --grace-period=120 --timeout=150s
  wait $!
  judge rolls
}

badImage() {
  k set image deployment/servico-pedidos servico-pedidos="$REGISTRY/pedidos-veloz-pedidos:never-built"
  if k rollout status deployment/servico-pedidos --timeout=20s; then fail "an image that does not exist rolled out"; fi
  load after-bad-image --clients 4 --arrivals 40 --duration 30s
  loaded after-bad-image
  k rollout undo deployment/servico-pedidos
  k rollout status deployment/servico-pedidos --timeout=120s
  say "a bad image took nothing down and was undone"
}

pods() { k get hpa --output 'jsonpath={range .items[*]}{.metadata.name} {.status.currentReplicas} {end}'; }
total() { echo $(($(k get hpa --output 'jsonpath={.items[*].status.currentReplicas}' | tr ' ' +))); }

scale() { # up under load, and back: that takes five minutes of quiet, which is the manifests' own setting
  local before
  before=$(total)
  say "before the campaign: $(pods)"
  load campaign --clients 64 --skus 100 --duration 180s
  SECONDS=0
  until [ "$(total)" -gt "$before" ]; do
    [ $SECONDS -lt 170 ] || fail "after $SECONDS s of load there are $(pods)"
    sleep 3
  done
  say "more pods after $SECONDS s of load: $(pods)"
  loaded campaign
  say "at its end: $(pods)"
  SECONDS=0
  until [ "$(total)" = 8 ]; do
    [ $SECONDS -lt 1200 ] || fail "after $SECONDS s of rest there are $(pods)"
    sleep 10
  done
  say "two pods of each again after $SECONDS s of rest"
}

applyInOneGo
applyWithSecrets
load first --clients 4 --arrivals 40 --duration 30s
loaded first
[ "${HPA:-no}" != yes ] || scale
roll
badImage
say "ok"
