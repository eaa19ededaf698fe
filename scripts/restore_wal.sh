#!/usr/bin/env bash
# PostgreSQL's restore_command: brings one WAL segment back that scripts/archive_wal.sh has kept.
. "$(dirname "${BASH_SOURCE[0]}")/keeping/wal_archive.sh"

case "${1:-}" in
    '' | -h | --help)
        cat <<'HELP'
Usage: restore_command = '/opt/facequeue/scripts/restore_wal.sh %f %p'

Writes the WAL segment NAME to PATH. Settings are those of archive_wal.sh; scripts/restore_pitr.sh writes this
command into the configuration of the server that it prepares.

Exit status 0: it is there. 1: the archive does not have it, which ends a recovery. 255: the archive could not be
asked, or what it has is damaged: PostgreSQL then stops, instead of taking this for the end of the archive.
HELP
        [ $# -gt 0 ]
        exit
        ;;
esac
[ $# -eq 2 ] || fail 2 "needs a name and a path; see --help"
name=$1.gz path=$2

scratch=$(mktemp -d) || fail 255 "no temporary folder"
trap 'rm -rf "$scratch"' EXIT

if [ "$KIND" = s3 ]; then
    status=$(request --retry 5 --output "$scratch/got" "$BASE/$name") || fail 255 "$BASE does not answer"
    case $status in
        200) ;;
        404) exit 1 ;;
        *) fail 255 "$BASE/$name: HTTP $status" ;;
    esac
else
    [ -d "$BASE" ] || fail 255 "there is no $BASE"
    [ -e "$BASE/$name" ] || exit 1
    cp "$BASE/$name" "$scratch/got" || fail 255 "cannot read $BASE/$name"
fi
gzip -dc "$scratch/got" >"$path" || fail 255 "$name is damaged"
