#!/usr/bin/env bash
# Takes a base backup; scripts/keeping/backup_base.py does it. See docs/backup.md.
. "$(dirname "${BASH_SOURCE[0]}")/keeping/start.sh" backup_base "$@"
