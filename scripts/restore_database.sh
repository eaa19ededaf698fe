#!/usr/bin/env bash
# Restores a backup of the database; scripts/keeping/restore_database.py does it. See docs/backup.md.
. "$(dirname "${BASH_SOURCE[0]}")/keeping/start.sh" restore_database "$@"
