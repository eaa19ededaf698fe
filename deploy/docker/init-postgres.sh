#!/bin/sh
# Run once by the image of PostgreSQL, over its socket, when the cluster is new.
set -eu
{
    for role in owner app queue; do
        printf "\\\\set %s_password '%s'\n" "$role" "$(cat "/run/secrets/${role}_password")"
    done
    echo '\i /facequeue/bootstrap.sql'
} | psql -X -q -v ON_ERROR_STOP=1 -U postgres -d postgres
