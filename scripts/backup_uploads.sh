#!/usr/bin/env bash
# Copies uploads to the backup bucket; scripts/keeping/backup_uploads.py does it. See docs/backup.md.
. "$(dirname "${BASH_SOURCE[0]}")/keeping/start.sh" backup_uploads "$@"
