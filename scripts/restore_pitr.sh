#!/usr/bin/env bash
# Prepares a recovery to a moment; scripts/keeping/restore_pitr.py does it. See docs/backup.md.
. "$(dirname "${BASH_SOURCE[0]}")/keeping/start.sh" restore_pitr "$@"
