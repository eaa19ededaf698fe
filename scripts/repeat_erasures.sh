#!/usr/bin/env bash
# Erases again after a recovery; scripts/keeping/repeat_erasures.py does it. See docs/backup.md.
. "$(dirname "${BASH_SOURCE[0]}")/keeping/start.sh" repeat_erasures "$@"
