# Sourced by archive_wal.sh and restore_wal.sh, which PostgreSQL starts on the database's host: only bash,
# coreutils, gzip and curl, so that neither Python nor FaceQueue must be there, and a segment takes no time.
# shellcheck shell=bash
set -uo pipefail
umask 077

# What the server's environment does not have: BACKUP_DIR, or AWS_S3_BACKUP_BUCKET and a key for it.
SETTINGS=${FACEQUEUE_ARCHIVE_ENV:-/etc/facequeue/archive.env}
if [ -r "$SETTINGS" ]; then
    set -a
    # shellcheck source=/dev/null
    . "$SETTINGS"
    set +a
fi

fail() {
    local status=$1
    shift
    echo "$(basename "$0"): $*" >&2
    exit "$status"
}

# `s3`, with BASE as the URL of the archive, or `folder`, with BASE as its path.
KIND=folder
BASE=${BACKUP_DIR:-/var/backups/facequeue}/wal
if [ -n "${AWS_S3_BACKUP_BUCKET:-}" ]; then
    KIND=s3
    place=${AWS_S3_BACKUP_BUCKET#s3://}
    REGION=${AWS_S3_REGION_NAME:-us-east-1}
    if [ -n "${AWS_ENDPOINT_URL_S3:-}" ]; then
        BASE=${AWS_ENDPOINT_URL_S3%/}/${place%/}/wal
    else
        bucket=${place%%/*}
        prefix=${place#"$bucket"}
        BASE=https://$bucket.s3.$REGION.amazonaws.com${prefix%/}/wal
    fi
fi

# Print the HTTP status of a signed request; the key comes by standard input, since others see arguments.
request() {
    local token=()
    [ -z "${AWS_SESSION_TOKEN:-}" ] || token=(-H "x-amz-security-token: $AWS_SESSION_TOKEN")
    printf 'user = "%s:%s"\n' "${AWS_ACCESS_KEY_ID:-}" "${AWS_SECRET_ACCESS_KEY:-}" |
        curl --silent --show-error --config - --aws-sigv4 "aws:amz:$REGION:s3" --noproxy '127.0.0.1' \
            --connect-timeout 10 --max-time 120 --write-out '%{http_code}' "${token[@]}" "$@"
}
