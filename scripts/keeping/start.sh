# Sourced by the scripts of operators: becomes `python -m scripts.keeping.$1`, or `scripts.$1` where that names another
# folder. A relative path is meant from where the command is typed, so the folder stays.
# shellcheck shell=bash
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
PYTHON=${FACEQUEUE_PYTHON:-$ROOT/.venv/bin/python}
if ! [ -x "$PYTHON" ]; then
    echo "Error: $PYTHON is not there: install as docs/operations.md says, or set FACEQUEUE_PYTHON" >&2
    exit 3
fi
umask 077
case $1 in
    *.*) MODULE=scripts.$1 ;;
    *) MODULE=scripts.keeping.$1 ;;
esac
shift
PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}" exec "$PYTHON" -m "$MODULE" "$@"
