#!/usr/bin/env bash
# Looks at every service and this host, for people and for monitors; scripts/watching/health_check.py does it.
. "$(dirname "${BASH_SOURCE[0]}")/keeping/start.sh" watching.health_check "$@"
