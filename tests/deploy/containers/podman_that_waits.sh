#!/bin/sh
# podman, for podman-compose. Debian 12 has 4.3, which cannot wait until a container is well, and runs checks by
# systemd's timers only: this runs the container's own check until it passes.
case "$*" in
    '--version '*) echo 'podman version 4.6.0' ;;
    'wait --condition=healthy '*)
        shift 2
        for name; do
            until podman healthcheck run "$name" >/dev/null 2>&1; do
                podman container exists "$name" || exit 125
                sleep 0.2
            done
        done
        ;;
    'create '*)
        # With --requires podman would start a step that has ended again, for each container that waited for it.
        for word; do
            shift
            case $word in --requires=*) ;; *) set -- "$@" "$word" ;; esac
        done
        exec podman "$@"
        ;;
    *) exec podman "$@" ;;
esac
