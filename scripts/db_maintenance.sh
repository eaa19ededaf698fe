#!/usr/bin/env bash
# Keeps the database in order; scripts/keeping/db_maintenance.py does it. See docs/backup.md.
. "$(dirname "${BASH_SOURCE[0]}")/keeping/start.sh" db_maintenance "$@"
