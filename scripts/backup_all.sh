#!/usr/bin/env bash
# Runs the named backups (database, uploads, config, base) one after the other, each whatever became of those before
# it, and fails when one has failed. Without names: database uploads config. See docs/backup.md.
set -uo pipefail
FOLDER=$(dirname "${BASH_SOURCE[0]}")
USAGE="Usage: $0 [database] [uploads] [config] [base]"

[ "$#" -gt 0 ] || set -- database uploads config
for name in "$@"; do
    case $name in
        database | uploads | config | base) ;;
        -h | --help) echo "$USAGE"; sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}"; exit 0 ;;
        *) echo "Error: no backup is named $name. $USAGE" >&2; exit 2 ;;
    esac
done

failed=()
for name in "$@"; do
    "$FOLDER/backup_$name.sh" || failed+=("$name ($?)")
done
if [ "${#failed[@]}" -gt 0 ]; then
    echo "Error: failed: ${failed[*]}; the others were made" >&2
    exit 1
fi
