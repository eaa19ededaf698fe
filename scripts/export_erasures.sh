#!/usr/bin/env bash
# Exports the erasure ledger; scripts/keeping/export_erasures.py does it. See docs/backup.md.
. "$(dirname "${BASH_SOURCE[0]}")/keeping/start.sh" export_erasures "$@"
