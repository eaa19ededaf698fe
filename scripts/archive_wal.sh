#!/usr/bin/env bash
# PostgreSQL's archive_command: keeps one WAL segment, compressed, where scripts/restore_wal.sh finds it.
. "$(dirname "${BASH_SOURCE[0]}")/keeping/wal_archive.sh"

case "${1:-}" in
    '' | -h | --help)
        cat <<'HELP'
Usage: archive_command = '/opt/facequeue/scripts/archive_wal.sh %p %f'

Keeps the WAL segment at PATH under NAME, compressed: below AWS_S3_BACKUP_BUCKET/wal/ where that is set, else in
BACKUP_DIR/wal. Settings come from the environment or /etc/facequeue/archive.env (FACEQUEUE_ARCHIVE_ENV names
another), which the server's user must be able to read: AWS_S3_BACKUP_BUCKET, AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_S3_REGION_NAME, AWS_ENDPOINT_URL_S3. Needs bash, gzip and, for S3, curl 7.75 or newer.

Exit status 0: it is kept, or was already. Anything else: it is not, and PostgreSQL tries again. A segment that is
there with other content is never overwritten: then two servers archive to one place, and one must be told another.
HELP
        [ $# -gt 0 ]
        exit
        ;;
esac
[ $# -eq 2 ] || fail 2 "needs a path and a name; see --help"
path=$1 name=$2.gz

scratch=$(mktemp -d) || fail 1 "no temporary folder"
trap 'rm -rf "$scratch"' EXIT
# Without name and time: the same segment compresses to the same bytes.
gzip -1 -n -c "$path" >"$scratch/new" || fail 1 "cannot read $path"

keep_in_folder() {
    mkdir -p "$BASE" || return
    if [ -e "$BASE/$name" ]; then
        gzip -dc "$BASE/$name" | cmp -s - "$path" || fail 1 "$BASE/$name is there with other content"
        return 0
    fi
    # Written and on the disk under another name first; `ln` does not overwrite.
    cp "$scratch/new" "$BASE/.$name.$$" && sync "$BASE/.$name.$$" && ln "$BASE/.$name.$$" "$BASE/$name" &&
        rm "$BASE/.$name.$$" && sync "$BASE"
}

keep_in_s3() {
    local status
    status=$(request --upload-file "$scratch/new" -H 'If-None-Match: *' --output "$scratch/said" \
        -H "x-amz-content-sha256: $(sha256sum "$scratch/new" | cut -d' ' -f1)" "$BASE/$name") || return
    case $status in
        200) return 0 ;;
        412)
            status=$(request --output "$scratch/old" "$BASE/$name") && [ "$status" = 200 ] || return 1
            gzip -dc "$scratch/old" | cmp -s - "$path" || fail 1 "$BASE/$name is there with other content"
            return 0
            ;;
    esac
    fail 1 "$BASE/$name was not taken: HTTP $status $(head -c 300 "$scratch/said" 2>/dev/null)"
}

"keep_in_$KIND" || fail 1 "$name was not kept in $BASE"
