#!/bin/bash
# Run once, by the database container, when its volume is new: a database for each service, owned
# by a role of its name that can enter no other.
set -euo pipefail
for service in auth accrual exchange grants; do
    variable="DATABASE_PASSWORD_${service^^}"
    # Through the environment, since arguments can be read by every process.
    SERVICE=$service SERVICE_PASSWORD=${!variable} \
        psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv service SERVICE
\getenv password SERVICE_PASSWORD
CREATE ROLE :"service" LOGIN PASSWORD :'password';
CREATE DATABASE :"service" OWNER :"service" TEMPLATE template0
    ENCODING 'UTF8' LOCALE 'C' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8';
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
SQL
done
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --command 'REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC'
