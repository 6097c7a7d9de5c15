#!/bin/bash
# Prints the SQL that makes the three databases and their roles on a managed PostgreSQL, with the passwords of the Secrets that
# secrets.sh made. Run it once, as the server's administrator, who need not be a superuser:
#   deploy/kubernetes/databases.sh | psql "host=HOST user=ADMINISTRATOR dbname=postgres sslmode=verify-full sslrootcert=FILE"
set -euo pipefail
echo '\set ON_ERROR_STOP on'
for service in pedidos pagamentos estoque; do
  url=$(kubectl --namespace pedidos-veloz get secret "$service" --output 'jsonpath={.data.DATABASE_URL}' | base64 --decode)
  password=${url#*://*:}
  password=${password%%@*} # letters and digits only: secrets.sh makes it
  # Only a member may make a role the owner, and only the owner's members may take the database from everybody else.
  cat <<SQL
CREATE ROLE $service LOGIN PASSWORD '$password';
GRANT $service TO CURRENT_USER;
CREATE DATABASE $service OWNER $service;
REVOKE ALL ON DATABASE $service FROM PUBLIC;
REVOKE $service FROM CURRENT_USER;
SQL
done
