#!/bin/bash
# Prints the cluster's Secrets with fresh passwords and one administrator's API key, whose plaintext goes to the file that
# is named. Run it once, before the first apply:
#   kubectl apply -f k8s/00-namespace.yaml
#   deploy/kubernetes/secrets.sh admin-key | kubectl create -f -
#   kubectl apply -f k8s/ -l '!pedidos-veloz/placeholder'
# They are immutable: an apply of the placeholders is refused, and a change is a new Secret on purpose.
set -euo pipefail
[ $# = 1 ] || { echo "usage: $0 FILE-FOR-THE-ADMIN-KEY" >&2; exit 2; }
[ ! -e "$1" ] || { echo "$1 exists: it may hold the key of another cluster" >&2; exit 1; }

random() { LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c "$1" || true; } # tr ends by SIGPIPE, as it should

secret() { # NAME [immutable]: the data follow
  printf -- '---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: pedidos-veloz, labels: {app.kubernetes.io/part-of: pedidos-veloz}}\n' "$1"
  [ "${2:-}" != immutable ] || echo 'immutable: true'
  echo 'stringData:'
}

declare -A password
for role in superuser pedidos pagamentos estoque; do password[$role]=$(random 43); done
secret postgres immutable
for role in "${!password[@]}"; do printf '  %s: %s\n' "$role" "${password[$role]}"; done
for service in pedidos pagamentos estoque; do
  secret "$service" immutable
  printf '  DATABASE_URL: postgres://%s:%s@postgres:5432/%s?sslmode=disable\n' "$service" "${password[$service]}" "$service"
done
id=$(random 12)
token="vlz_${id}_$(random 43)"
(umask 077 && printf '%s\n' "$token" >"$1")
secret api-keys # not immutable: keys come and go, and the gateway rereads them
printf "  api-keys.json: '{\"keys\": [{\"id\": \"%s\", \"name\": \"administrator\", \"sha256\": \"%s\", \"scopes\": [\"admin\"], \"created_at\": \"%s\"}]}'\n" \
  "$id" "$(printf '%s' "$token" | sha256sum | cut -d ' ' -f 1)" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
