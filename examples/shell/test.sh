#!/bin/sh
# imds emulate --preset spot -- examples/shell/test.sh OUTPUT
set -eu
cd "$(dirname "$0")"
INTERVAL=100ms ./spot.sh echo drained >"$1" &
# It has asked once, and there was no notice.
until imds emulator ctl requests | grep -q spot/instance-action; do :; done
imds emulator ctl event interrupt action=terminate
wait $!
grep '"action": "terminate"' "$1"
grep -x drained "$1"
