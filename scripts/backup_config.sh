#!/usr/bin/env bash
# Backs up the configuration, encrypted; scripts/keeping/backup_config.py does it. See docs/backup.md.
. "$(dirname "${BASH_SOURCE[0]}")/keeping/start.sh" backup_config "$@"
