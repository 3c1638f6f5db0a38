#!/bin/sh
set -e
# Units are installed and stay off: `systemctl enable --now UNIT` turns one on.
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || true
    # An upgrade restarts what runs.
    # shellcheck disable=SC2043 # replaced by the units of the package
    for unit in @UNITS@; do
        case $unit in
        *@.service) pattern="${unit%.service}*.service" ;;
        *) pattern=$unit ;;
        esac
        systemctl try-restart "$pattern" || true
    done
fi
