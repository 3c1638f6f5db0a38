#!/usr/bin/env bash
# Runs peers.py in a network namespace of its own, where nothing but the fake AWS can be reached; makes the Python
# environments of the tools first, once.
#
# peers.sh VENVS PYTHON FAKE IMDS_FLEET check|write
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venvs=$1 python=$2 fake=$3 fleet=$4 mode=$5
mkdir -p "$venvs"
exec 9>"$venvs/lock"
flock 9
# Apart from each other: they pin different versions of boto3.
for package in prowler==5.46.0 c7n==0.9.53; do
    venv=$venvs/${package%%==*}
    if [ "$(cat "$venv/made" 2>/dev/null)" != "$package" ]; then
        rm -rf "$venv"
        python3 -m venv "$venv" >&2
        "$venv/bin/pip" install --quiet --disable-pip-version-check "$package" >&2
        echo "$package" >"$venv/made"
    fi
done
become=()
[ "$(id -u)" -eq 0 ] || become=(sudo -n)
"${become[@]}" unshare -n sh -c 'ip link set lo up && exec "$@"' sh "$python" "$here/peers.py" "$fake" "$fleet" \
    "$venvs/prowler/bin/prowler" "$venvs/c7n/bin/custodian" "$here/../../../../docs/fleet.md" "$mode"
