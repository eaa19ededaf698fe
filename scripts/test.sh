#!/usr/bin/env bash
# Runs every check and test, from a fresh clone on: makes .venv, starts the services of the tests,
# stops them again if it started them. All checks run; the exit status is that of the first that failed.
set -uo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$ROOT" || exit 1
# shellcheck source=scripts/stack/venv.sh
. scripts/stack/venv.sh

case "${1:-}" in
    -h | --help)
        cat <<'HELP'
Usage: ./scripts/test.sh [ARGUMENTS OF PYTEST]

Format, lint, types, imports, supply chain, migrations, then pytest; all of them run, whatever fails.
What needs programs of the system (proxies, containers) is tested by scripts/test_deploy.sh.
A test that fails is tried once more, since machines are shared; it is listed as RERUN, to be made sturdier.
PYTEST_WORKERS (2) is how many processes test at once. With arguments, pytest gets them as they are:
./scripts/test.sh tests/unit -k matching
HELP
        exit 0
        ;;
esac

STATE=.facequeue/test
SUMMARY=()
STATUS=0

check() {
    local name=$1 start=$SECONDS code=0
    shift
    printf '\n== %s\n' "$name"
    "$@" || code=$?
    if [ "$code" -ne 0 ] && [ "$STATUS" -eq 0 ]; then STATUS=$code; fi
    SUMMARY+=("$(printf '%-13s %-6s %4d s' "$name" "$([ "$code" -eq 0 ] && echo ok || echo FAILED)" $((SECONDS - start)))")
}

bring_up() {
    "$VENV/bin/python" -m scripts.stack status --state "$STATE" >/dev/null 2>&1 && return 0
    # Somebody else's running services are left alone; ours are stopped, also after Ctrl-C.
    trap '"$VENV/bin/python" -m scripts.stack down --state "$STATE" >/dev/null' EXIT
    "$VENV/bin/python" -m scripts.stack up --state "$STATE"
}

# What is in deploy/ has a script of its own, since it needs programs of the system: scripts/test_deploy.sh.
run_pytest() {
    [ "$#" -gt 0 ] || set -- --ignore tests/deploy
    "$VENV/bin/python" -m pytest -n "${PYTEST_WORKERS:-2}" --dist loadgroup --timeout 300 --reruns 1 -raR "$@" 2>&1 |
        tee "$LOG_DIR/pytest.log"
}

make_private_folders
take_turn
make_venv
install_locks full requirements.txt requirements-dev.txt
exec 9>&- # the turn ends: tests have a stack of their own
export PATH="$VENV/bin:$PATH"

check format ruff format --check .
check lint ruff check .
check types mypy
check imports lint-imports
check supply-chain python -m scripts.supply_chain
check services bring_up
check migrations python -m scripts.stack.check_migrations
check pytest run_pytest "$@"

printf '\n== summary\n'
printf '%s\n' "${SUMMARY[@]}"
# pytest's own last line, last.
tail -n 1 "$LOG_DIR/pytest.log"
exit "$STATUS"
