#!/bin/sh
set -e
# `remove` is Debian's word, 0 is RPM's; an upgrade keeps everything as it is.
case ${1:-} in
remove | 0)
    # shellcheck disable=SC2043 # replaced by the units of the package
    for unit in @UNITS@; do
        case $unit in
        *@.service) pattern="${unit%.service}*.service" ;;
        *) pattern=$unit ;;
        esac
        if [ -d /run/systemd/system ]; then
            systemctl stop "$pattern" || true
        fi
        # What was enabled leaves a link that would dangle.
        for link in /etc/systemd/system/*.wants/${pattern}; do
            if [ -L "$link" ]; then
                rm -f "$link"
            fi
        done
    done
    ;;
esac
