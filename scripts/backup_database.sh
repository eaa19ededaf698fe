#!/usr/bin/env bash
# Backs up the database; scripts/keeping/backup_database.py does it. See docs/backup.md.
. "$(dirname "${BASH_SOURCE[0]}")/keeping/start.sh" backup_database "$@"
