#!/usr/bin/env bash
# Compiles the hash-pinned lock files from the short .in files. Usage: scripts/lock.sh [--upgrade]
# The full set is resolved first and constrains the others, so that a host with the slim set runs the same versions.
set -euo pipefail
cd "$(dirname "$0")/.."

# The lock must be right for the public index, whatever mirror or wheel folder this machine prefers.
unset PIP_FIND_LINKS PIP_EXTRA_INDEX_URL PIP_INDEX_URL UV_INDEX UV_FIND_LINKS

compile() {
    local source=$1 target=$2
    shift 2
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links \
        --custom-compile-command "scripts/lock.sh" \
        "$@" "$source" --output-file "$target"
}

compile requirements.in requirements.txt "$@"
compile requirements-slim.in requirements-slim.txt --constraints requirements.txt "$@"
compile requirements-gpu.in requirements-gpu.txt --constraints requirements.txt "$@"
compile requirements-dev.in requirements-dev.txt "$@"
compile requirements-assets.in requirements-assets.txt --no-deps "$@"
