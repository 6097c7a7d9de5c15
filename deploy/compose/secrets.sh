#!/bin/sh
# Makes the stack's secrets once, each into the volume of the service that needs it, readable by that service alone.
# It runs in the container `secrets` of docker-compose.yml before everything else; what exists is never changed, so that
# `down` and `up` keep the passwords that the database knows. `docker compose down --volumes` ends secrets and data together.
set -eu
umask 077

postgres=999 # the user of the image postgres
nonroot=65532

random() { # LENGTH letters and digits; 43 of them carry 256 bits
  LC_ALL=C tr -dc 'A-Za-z0-9' < /dev/urandom | head -c "$1"
}

keep() { # FILE OWNER: standard input becomes FILE in one step, so that a crash leaves no half of it
  cat > "$1.new"
  chmod 0400 "$1.new"
  chown "$2" "$1.new"
  mv "$1.new" "$1"
}


if [ ! -e /secrets/postgres/superuser ]; then
  random 43 | keep /secrets/postgres/superuser "$postgres"
fi
for service in pedidos pagamentos estoque; do
  # The database's copy comes first: it is the file that tells whether this service is done.
  if [ ! -e "/secrets/$service/config.yaml" ]; then
    password=$(random 43)
    printf '%s' "$password" | keep "/secrets/postgres/$service" "$postgres"
    printf 'database-url: postgres://%s:%s@postgres:5432/%s?sslmode=disable\n' "$service" "$password" "$service" |
      keep "/secrets/$service/config.yaml" "$nonroot"
  fi
done
if [ ! -e /secrets/api-gateway/api-keys.json ]; then
  id=$(random 12)
  token="vlz_${id}_$(random 43)"
  printf '%s\n' "$token" | keep /secrets/admin/admin-key "$nonroot"
  digest=$(printf '%s' "$token" | sha256sum | cut -d ' ' -f 1)
  printf '{"keys": [{"id": "%s", "name": "administrator of the first start", "sha256": "%s", "scopes": ["admin"], "created_at": "%s"}]}\n' \
    "$id" "$digest" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" | keep /secrets/api-gateway/api-keys.json "$nonroot"
fi
# `veloz keys create` replaces the gateway's file, and therefore needs its folder.
chown "$nonroot" /secrets/api-gateway
