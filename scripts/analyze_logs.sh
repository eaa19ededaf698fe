#!/usr/bin/env bash
# Reads our JSON logs: errors, slow endpoints, stages, statements, clients; scripts/watching/analyze_logs.py does it.
. "$(dirname "${BASH_SOURCE[0]}")/keeping/start.sh" watching.analyze_logs "$@"
