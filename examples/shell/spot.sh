#!/bin/sh
# Drain when EC2 interrupts this Spot instance: `spot.sh DRAIN [ARGUMENT]...`
set -eu
# Prints the notice as soon as there is one, two minutes before the interruption.
notice=$(imds wait spot/instance-action --interval "${INTERVAL:-5s}")
echo "interruption: $notice"
exec "$@"
