#!/usr/bin/env bash
# Tests what is in deploy/ with the real programs: proxies, containers, monitoring, backups, replicas.
set -uo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$ROOT" || exit 1
# shellcheck source=scripts/stack/venv.sh
. scripts/stack/venv.sh

case "${1:-}" in
    -h | --help)
        cat <<'HELP'
Usage: ./scripts/test_deploy.sh [ARGUMENTS OF PYTEST]

Tests deploy/ and the operators' scripts with the programs that they are for. As root on Debian or Ubuntu it first
installs those of deploy/test-packages.txt that are missing. Where a program is missing, its tests are skipped and
say which one; with CI=true that is a failure. With arguments, pytest gets them as they are:
./scripts/test_deploy.sh tests/deploy/test_nginx.py
HELP
        exit 0
        ;;
esac

STATE=.facequeue/test

# Debian's own units would hold ports and start at boot: the tests start what they need themselves.
install_programs() {
    local missing=() name
    while read -r name _; do
        case $name in '' | '#'*) continue ;; esac
        command -v "$name" >/dev/null && continue # another package may bring it, as NodeSource's does npm
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done <deploy/test-packages.txt
    [ "${#missing[@]}" -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "Not installed, and only root can on Debian: ${missing[*]}"
        return 0
    fi
    echo "Installing ${missing[*]} (log: .facequeue/log/install.log)"
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
    run_logged apt-get -o DPkg::Lock::Timeout=600 update
    run_logged apt-get -o DPkg::Lock::Timeout=600 install --yes --no-install-recommends "${missing[@]}" ||
        echo "Some programs could not be installed; the tests say which (see .facequeue/log/install.log)"
}

make_private_folders
take_turn
install_programs
make_venv
install_locks full requirements.txt requirements-dev.txt
exec 9>&- # the turn ends: tests have a stack of their own
export PATH="$VENV/bin:$PATH:/usr/sbin:/sbin"

if ! "$VENV/bin/python" -m scripts.stack status --state "$STATE" >/dev/null 2>&1; then
    # Somebody else's running services are left alone; ours are stopped, also after Ctrl-C.
    trap '"$VENV/bin/python" -m scripts.stack down --state "$STATE" >/dev/null' EXIT
fi
[ "$#" -gt 0 ] || set -- tests/deploy
"$VENV/bin/python" -m pytest -n "${PYTEST_WORKERS:-2}" --dist loadgroup --timeout 900 --reruns 1 -raR "$@"
