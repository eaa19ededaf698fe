#!/usr/bin/env bash
# Sets everything up on a bare machine and shows FaceQueue at work. This file only finds Python and
# fills .venv; scripts/demo and scripts/stack do the rest.
set -euo pipefail

STARTED=$(date +%s.%N)
export FACEQUEUE_STARTED=$STARTED
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# A FOLDER is meant from where the command is typed.
CALLED_FROM=$PWD
cd "$ROOT"
# shellcheck source=scripts/stack/venv.sh
. scripts/stack/venv.sh

usage() {
    cat <<'HELP'
Usage: ./scripts/quickstart.sh [--once] [FOLDER]   set up, run the demo, leave everything running
       ./scripts/quickstart.sh status              what runs, where, with how much memory
       ./scripts/quickstart.sh logs [-f] [NAME...] last lines of the logs; -f follows them
       ./scripts/quickstart.sh stop                stop everything; data stays
       ./scripts/quickstart.sh reset               stop everything and delete data, secrets and logs

Needs Python 3.11 or newer; no Docker and no servers. Everything is kept in .venv and .facequeue; only
root's database is in /var/lib/facequeue where the user that runs it may not enter this folder.

FOLDER   your own images instead of the samples (JPEG, PNG, WebP, HEIC, TIFF ...). Each sub-folder is a person, by
         its name: one half of its images is enrolled, the other half identified. Images that lie
         loose in FOLDER are identified too. They are copied to the local S3 server and go nowhere else.
--once   stop everything at the end.

Ports are chosen once. To choose one yourself: FACEQUEUE_PORT_API=8080 (also _FLOWER, _S3, _POSTGRES,
_REDIS, _RECEIVER) before the command. FACEQUEUE_PYTHON names the Python to use.
HELP
}

# Commands on what is there need no installation.
stack() {
    [ -x "$VENV/bin/python" ] || fail "Nothing has been set up here yet. Start with ./scripts/quickstart.sh"
    exec "$VENV/bin/python" -m scripts.stack "$@"
}

case "${1:-}" in
    -h | --help | help) usage && exit 0 ;;
    status | logs | reset) stack "$@" ;;
    stop) shift && stack down "$@" ;;
esac

once='' folder=''
for argument in "$@"; do
    case $argument in
        --once) once=--once ;;
        -*) fail "There is no option $argument. See ./scripts/quickstart.sh --help" ;;
        *)
            [ -z "$folder" ] || fail "One FOLDER at a time, please. See ./scripts/quickstart.sh --help"
            folder=$(cd "$CALLED_FROM" && [ -n "$argument" ] && cd "$argument" 2>/dev/null && pwd -P) ||
                fail "There is no folder $argument. See ./scripts/quickstart.sh --help"
            ;;
    esac
done

trap 'printf "\nInterrupted. Start it again to go on.\n" && exit 130' INT
make_private_folders
take_turn
make_venv
install_locks slim requirements-slim.txt
exec "$VENV/bin/python" -m scripts.demo ${once:+"$once"} ${folder:+"$folder"}
