#!/usr/bin/env bash
# Prints what overlays/local needs beside itself: secrets with values of their own, and how the database begins.
#   deploy/k8s/local_parts.sh | kubectl apply -f -
# Once: with other passwords than those it began with, the database lets nobody in.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

random() { head -c "${1:-24}" /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }
fernet_key() { head -c 32 /dev/urandom | base64 -w0 | tr '+/' '-_'; }
part() { # KIND NAME ARGUMENTS...
    echo ---
    kubectl --namespace facequeue create "$1" "${@:2}" --dry-run=client --output yaml
}

owner=$(random) app=$(random) queue=$(random) redis=$(random) s3_key=$(random 8) s3_secret=$(random)
database() { echo "postgresql+psycopg2://facequeue_$1:$2@postgres:5432/facequeue"; }

part secret generic facequeue-secrets \
    --from-literal=secret_key="$(random 32)" \
    --from-literal=encryption_keys="$(fernet_key)" \
    --from-literal=database_url="$(database app "$app")" \
    --from-literal=database_queue_url="$(database queue "$queue")" \
    --from-literal=redis_url="redis://:$redis@redis:6379/0" \
    --from-literal=aws_access_key_id="$s3_key" \
    --from-literal=aws_secret_access_key="$s3_secret"
part secret generic facequeue-owner --from-literal=database_owner_url="$(database owner "$owner")"
part secret generic facequeue-flower --from-literal=basic-auth="operator:$(random 12)"
part secret generic facequeue-servers \
    --from-literal=postgres-password="$(random)" \
    --from-literal=owner-password="$owner" \
    --from-literal=app-password="$app" \
    --from-literal=queue-password="$queue" \
    --from-literal=redis-password="$redis" \
    --from-literal=s3.json="{\"identities\":[{\"name\":\"facequeue\",\"credentials\":[{\"accessKey\":\"$s3_key\",\"secretKey\":\"$s3_secret\"}],\"actions\":[\"Admin\",\"Read\",\"Write\",\"List\",\"Tagging\"]}]}"
part configmap facequeue-bootstrap --from-file="$HERE/../postgres/bootstrap.sql"
