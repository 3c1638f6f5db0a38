# Shared by the stages of the gate: sourced by bash, never run.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/imds-ci
mkdir -p "$cache"
# Outside the checkout, so that a fresh clone finds what the last one built.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
export CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0
# No test may be skipped here for lack of a privilege.
export IMDS_SKIP_NO_TEST=1
export PATH="$PATH:$cache/tools/bin"
# Used by more than one stage or workflow.
export cargo_deny=0.20.2

# need COMMAND[=PACKAGE] ...: installs the Debian packages of the commands that are missing.
need() {
    local missing=() entry become=()
    for entry in "$@"; do
        command -v "${entry%%=*}" >/dev/null || missing+=("${entry##*=}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" -eq 0 ] || become=(sudo -n)
    echo "installing: ${missing[*]}"
    "${become[@]}" apt-get update -q >/dev/null
    "${become[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}" >/dev/null
}

# cargo_tool NAME VERSION: installs a cargo subcommand once, below the cache.
cargo_tool() {
    local stamp=$cache/tools/$1-$2
    # An installation of the machine's own will do.
    [[ $("$1" --version 2>/dev/null) != *"$2"* ]] || return 0
    [ -e "$stamp" ] && [ -x "$cache/tools/bin/$1" ] && return
    echo "installing: $1 $2"
    CARGO_TARGET_DIR=$cache/tools/target cargo install --locked --quiet --root "$cache/tools" --version "$2" "$1"
    rm -rf "$cache/tools/target"
    touch "$stamp"
}

# go_tool COMMAND MODULE@VERSION: installs a Go program once, below the cache.
go_tool() {
    local stamp="$cache/tools/$1-${2##*@}"
    [ -e "$stamp" ] && [ -x "$cache/tools/bin/$1" ] && return
    need go=golang-go
    echo "installing: $1 ${2##*@}"
    GOBIN=$cache/tools/bin go install "$2"
    touch "$stamp"
}

# What `cargo xtask package` runs.
package_tools() {
    # musl-gcc: for the C of ring and tree-sitter.
    need zip gzip tar musl-gcc=musl-tools
    go_tool nfpm github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0
    rustup target add "$(uname -m)-unknown-linux-musl"
}

# python_env NAME REQUIREMENT ...: prints the folder of a virtual environment with these packages.
python_env() {
    local folder=$cache/python-$1 wanted="${*:2}"
    if [ "$(cat "$folder/wanted" 2>/dev/null)" != "$wanted" ]; then
        need python3 >&2
        python3 -m venv --clear "$folder" >&2
        "$folder/bin/pip" install --quiet --disable-pip-version-check "${@:2}" >&2
        echo "$wanted" >"$folder/wanted"
    fi
    echo "$folder"
}
