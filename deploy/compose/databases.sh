#!/bin/sh
# Makes one database and one role a service. PostgreSQL's image runs it once, when the data folder is new.
# A role owns its own database, may not connect to another's, and may make no databases or roles.
set -eu
for service in pedidos pagamentos estoque; do
  password=$(cat "/secrets/$service") # letters and digits only: secrets.sh makes it
  psql --set ON_ERROR_STOP=1 --quiet --username "${POSTGRES_USER:-postgres}" --dbname postgres <<SQL
CREATE ROLE $service LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '$password';
CREATE DATABASE $service OWNER $service;
REVOKE ALL ON DATABASE $service FROM PUBLIC;
SQL
done
