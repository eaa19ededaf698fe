#!/bin/sh
# PostgreSQL's image runs this once, as it makes the database.
set -eu
psql --username postgres -v owner_password="$OWNER_PASSWORD" -v app_password="$APP_PASSWORD" \
    -v queue_password="$QUEUE_PASSWORD" -f /bootstrap/bootstrap.sql
