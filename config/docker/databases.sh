#!/bin/sh
# Runs once, when the database volume is empty: a role and a database for Synapse (C locale, as it demands), for Wardroom, and a role for the keeper.
set -eu
psql -v ON_ERROR_STOP=1 -U postgres \
  -v synapse="$SYNAPSE_DB_PASSWORD" -v wardroom="$WARDROOM_DB_PASSWORD" -v keeper="$KEEPER_DB_PASSWORD" <<'SQL'
create role synapse login password :'synapse';
create role wardroom login password :'wardroom';
create role keeper login password :'keeper';
create database synapse owner synapse template template0 locale_provider libc locale 'C' encoding 'UTF8';
create database wardroom owner wardroom;
revoke all on database synapse, wardroom from public;
grant connect on database wardroom to keeper;
SQL
