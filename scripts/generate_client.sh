#!/usr/bin/env bash
# Generates clients/python/facequeue/core from the OpenAPI document. The same document gives the same files.
# Usage: scripts/generate_client.sh [--check]
#   --check   change nothing; fail, and show the difference, when the committed core is another
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CLIENT=clients/python
PATH="$PWD/.venv/bin:$PATH"
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

python -m scripts.openapi_document >"$WORK/openapi.json"
openapi-python-client generate --path "$WORK/openapi.json" --config "$CLIENT/generator.yml" \
    --custom-template-path "$CLIENT/templates" \
    --meta none --output-path "$WORK/core" --fail-on-warning >"$WORK/log" || { cat "$WORK/log" >&2; exit 1; }
find "$WORK/core" \( -name .ruff_cache -o -name __pycache__ \) -prune -exec rm -rf {} +

if [ "${1:-}" = --check ]; then
    diff --recursive --brief --exclude __pycache__ "$CLIENT/facequeue/core" "$WORK/core" || {
        echo "The client is not what the document gives. Run: scripts/generate_client.sh" >&2
        exit 1
    }
    exit 0
fi
rm -rf "$CLIENT/facequeue/core"
mkdir -p "$CLIENT/facequeue"
mv "$WORK/core" "$CLIENT/facequeue/core"
