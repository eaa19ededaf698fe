#!/usr/bin/env bash
# Tries the latest backup; scripts/keeping/restore_drill.py does it. See docs/backup.md.
. "$(dirname "${BASH_SOURCE[0]}")/keeping/start.sh" restore_drill "$@"
