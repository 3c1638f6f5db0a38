#!/usr/bin/env bash
# Makes the Python environment that the field tests need, once, and prints its interpreter.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=$1
exec 9>"$venv.lock"
flock 9
if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv" >&2
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
    cp "$here/requirements.txt" "$venv/requirements.txt"
fi
echo "$venv/bin/python"
