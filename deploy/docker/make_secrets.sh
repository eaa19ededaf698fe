#!/usr/bin/env bash
# Makes the secrets of compose.yml in deploy/docker/secrets; those that are there stay as they are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# The folder is closed to others; the files are not, since containers read them as another user.
mkdir -p -m 0700 secrets
cd secrets

keep() { # NAME: what comes in, unless there is such a secret
    [ -s "$1" ] && cat >/dev/null && return
    printf '%s' "$(cat)" >"$1.draft" && chmod 0444 "$1.draft" && mv "$1.draft" "$1"
}
random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

for name in secret_key postgres_password owner_password app_password queue_password redis_password \
    aws_access_key_id aws_secret_access_key; do
    random 32 | keep "$name"
done
head -c 32 /dev/urandom | base64 | tr '+/' '-_' | keep encryption_keys
head -c 32 /dev/urandom | base64 | keep audit_signing_key
echo "operator:$(random 16)" | keep flower_basic_auth
database() { echo "postgresql+psycopg2://facequeue_$1:$(cat "$1_password")@postgres:5432/facequeue"; }
database app | keep database_url
database queue | keep database_queue_url
database owner | keep database_owner_url
echo "redis://:$(cat redis_password)@redis:6379/0" | keep redis_url
cat <<JSON | keep s3_config
{"identities": [{"name": "facequeue", "actions": ["Admin", "Read", "Write", "List", "Tagging"],
 "credentials": [{"accessKey": "$(cat aws_access_key_id)", "secretKey": "$(cat aws_secret_access_key)"}]}]}
JSON
echo "The secrets are in $PWD"
