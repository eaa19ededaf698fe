# Sourced by quickstart.sh and test.sh: finds Python, makes .venv, installs locked requirements.
# Expects ROOT, the repository's folder, and that it is the current one.
# shellcheck shell=bash

# Where this is set, each of the stack's processes compiles all that it imports at each start.
unset PYTHONDONTWRITEBYTECODE
# The servers are on this machine: the proxy through which packages come must not be asked for them.
export no_proxy="127.0.0.1,${no_proxy:-${NO_PROXY:-}}"
export NO_PROXY=$no_proxy
VENV="$ROOT/.venv"
LOG_DIR="$ROOT/.facequeue/log"

# Say one line and stop.
fail() {
    printf 'Error: %s\n' "$*" >&2
    exit 1
}

# One command at a time sets up or shows something in this folder: wait for the turn, which lasts until
# this process, or the program that it becomes, ends or closes descriptor 9.
take_turn() {
    exec 9>"$ROOT/.facequeue/turn"
    flock --nonblock 9 && return
    echo "Waiting for another command that is at work in this folder"
    flock 9
}

# Print a Python that we support, the newest first. A name on the PATH may be a stub: each is tried.
find_python() {
    local name
    for name in "${FACEQUEUE_PYTHON:-}" python3.13 python3.12 python3.11 python3; do
        if [ -n "$name" ] && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

make_private_folders() {
    local problem
    problem=$(umask 077 && mkdir -p "$LOG_DIR" 2>&1) || fail "$problem"
    # Others may pass through to the database's data where root's server runs as another user.
    problem=$(chmod 711 "$ROOT/.facequeue" 2>&1) || fail "$problem"
}

# Make .venv, with pip. One that was moved is made anew: its commands name the folder that they were made
# in. Debian and Ubuntu ship Python without ensurepip; uv or a system pip helps out.
make_venv() {
    if "$VENV/bin/pip" --version >/dev/null 2>&1; then
        return
    fi
    local python
    python=$(find_python) || fail "Python 3.11 or newer is needed. On Debian and Ubuntu: apt install python3 python3-venv"
    "$python" -c 'import venv' 2>/dev/null || fail "$python has no venv module. Run: apt install python3-venv"
    echo "Making .venv with $("$python" --version) ($python)"
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        run_logged "$python" -m venv --clear "$VENV" || explain "the virtual environment could not be made"
    elif run_logged "$python" -m venv --clear --without-pip "$VENV" &&
        { run_logged "$python" -m pip --python "$VENV/bin/python" install pip || seed_with_uv; }; then
        :
    else
        rm -rf "$VENV"
        fail "$python has neither ensurepip nor pip. Run: apt install python3-venv"
    fi
}

seed_with_uv() {
    command -v uv >/dev/null && run_logged uv pip install --python "$VENV/bin/python" pip
}

# Install lock files, unless these very ones are installed: install_locks NAME FILE...
install_locks() {
    local name=$1 stamp digest file files=()
    shift
    stamp="$VENV/.installed-$name"
    digest=$(cat "$@" | sha256sum)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$digest" ]; then
        return
    fi
    for file in "$@"; do files+=(-r "$file"); done
    echo "Installing $* (log: .facequeue/log/install.log)"
    install_with_uv "${files[@]}" || install_with_pip "${files[@]}" || explain "the requirements could not be installed"
    echo "$digest" >"$stamp"
}

# The locks are complete: with --no-deps nothing beside them can come in.
install_with_uv() {
    local index
    # Its own lines of the lock: the pip that comes with Python is too old to take hashes from constraints.
    awk '/^uv==/ { found = 1 } found { print } found && !/\\$/ { exit }' requirements-dev.txt >"$VENV/uv.txt"
    run_logged "$VENV/bin/python" -m pip install --quiet --no-deps --require-hashes -r "$VENV/uv.txt" || return 1
    # uv does not read pip's configuration: hand on the index that this machine prefers.
    index=${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-$("$VENV/bin/python" -m pip config get global.index-url 2>/dev/null || true)}}
    UV_DEFAULT_INDEX=$index run_logged "$VENV/bin/uv" pip install --quiet --python "$VENV/bin/python" \
        --no-deps --require-hashes --only-binary :all: "$@"
}

install_with_pip() {
    run_logged "$VENV/bin/python" -m pip install --quiet --no-deps --require-hashes --only-binary :all: "$@"
}

run_logged() {
    printf '$ %s\n' "$*" >>"$LOG_DIR/install.log"
    "$@" >>"$LOG_DIR/install.log" 2>&1
}

# Say why the last logged command failed, in one line.
explain() {
    local log="$LOG_DIR/install.log" last
    last=$(grep -iE '^(error|fatal)' "$log" | tail -n 1)
    case $(tail -n 50 "$log") in
        *"No space left"*) fail "$1: the disk is full. Free some space (2 GB is plenty) and start again." ;;
        *) fail "$1: ${last:-no reason given} (see $log)" ;;
    esac
}
