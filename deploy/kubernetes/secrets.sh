#!/bin/bash
# Prints the cluster's Secrets with fresh passwords and one administrator's API key, whose plaintext goes to the file that
# is named. Run it once, before the first apply:
#   kubectl apply -f k8s/00-namespace.yaml
#   deploy/kubernetes/secrets.sh admin-key | kubectl create -f -
#   kubectl apply -f k8s/ -l '!pedidos-veloz/placeholder'
# For the overlays cloudnative and managed, whose databases are asked for their certificates:
#   deploy/kubernetes/secrets.sh admin-key --cloudnative
#   deploy/kubernetes/secrets.sh admin-key --database-host HOST[:PORT] [--database-ca FILE]
# Those with passwords are immutable: an apply of the placeholders is refused, and a change is a new Secret on purpose.
set -euo pipefail
usage() { echo "usage: $0 FILE-FOR-THE-ADMIN-KEY [--cloudnative | --database-host HOST[:PORT] [--database-ca FILE]]" >&2; exit 2; }
[ $# -ge 1 ] || usage
file=$1 host=postgres parameters=sslmode=disable operator='' ca=''
shift
while [ $# -gt 0 ]; do
  case $1 in
    # The name that the operator's certificate has, and its authority, which the overlay mounts.
    --cloudnative) operator=yes host=pedidos-veloz-rw parameters='sslmode=verify-full&sslrootcert=/database-ca/ca.crt'; shift ;;
    --database-host) host=${2:?} parameters=sslmode=verify-full; shift 2 ;;
    --database-ca) ca=${2:?}; shift 2 ;;
    *) usage ;;
  esac
done
[ -z "$ca" ] || [ "$parameters" = sslmode=verify-full ] || usage
[ ! -e "$file" ] || { echo "$file exists: it may hold the key of another cluster" >&2; exit 1; }

random() { LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c "$1" || true; } # tr ends by SIGPIPE, as it should

object() { # KIND NAME: the rest follows
  printf -- '---\napiVersion: v1\nkind: %s\nmetadata: {name: %s, namespace: pedidos-veloz, labels: {app.kubernetes.io/part-of: pedidos-veloz}}\n' "$1" "$2"
}

if [ -n "$ca" ]; then
  parameters="$parameters&sslrootcert=/database-ca/ca.crt"
  object ConfigMap database-ca
  printf 'data:\n  ca.crt: |\n'
  sed 's/^/    /' "$ca"
  echo # the file may lack its last line end
fi
declare -A password
for role in superuser pedidos pagamentos estoque; do password[$role]=$(random 43); done
if [ "$host" = postgres ]; then
  object Secret postgres
  printf 'immutable: true\nstringData:\n'
  for role in "${!password[@]}"; do printf '  %s: %s\n' "$role" "${password[$role]}"; done
fi
for service in pedidos pagamentos estoque; do
  object Secret "$service"
  printf 'immutable: true\nstringData:\n  DATABASE_URL: postgres://%s:%s@%s/%s?%s\n' "$service" "${password[$service]}" "$host" "$service" "$parameters"
  if [ -n "$operator" ]; then
    object Secret "cnpg-$service"
    printf 'immutable: true\ntype: kubernetes.io/basic-auth\nstringData: {username: %s, password: %s}\n' "$service" "${password[$service]}"
  fi
done
id=$(random 12)
token="vlz_${id}_$(random 43)"
(umask 077 && printf '%s\n' "$token" >"$file")
object Secret api-keys # not immutable: keys come and go, and the gateway rereads them
printf "stringData:\n  api-keys.json: '{\"keys\": [{\"id\": \"%s\", \"name\": \"administrator\", \"sha256\": \"%s\", \"scopes\": [\"admin\"], \"created_at\": \"%s\"}]}'\n" \
  "$id" "$(printf '%s' "$token" | sha256sum | cut -d ' ' -f 1)" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
