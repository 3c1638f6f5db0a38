#!/bin/sh
# Installs a program of https://github.com/imds-rs/imds: downloads the archive of this machine, checks its
# checksum, and copies program, manual pages and completions. No root is needed.
#
#   sh install.sh [--version X.Y.Z] [--prefix DIR] [--program NAME]
#   sh install.sh --list          lists what an installation wrote
#   sh install.sh --uninstall     removes it
#
# --version   the newest release if absent
# --prefix    ~/.local if absent
# --program   imds (the default), imds-lifecycle, imds-fleet, imds-trace or imds-lint
#
# IMDS_INSTALL_FROM names a mirror of the releases: a folder, or an address, that holds `vX.Y.Z/FILE`.
set -eu

say() { printf '%s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

version='' prefix='' program=imds action=install
while [ $# -gt 0 ]; do
    case $1 in
    --version | --prefix | --program)
        [ $# -ge 2 ] || fail "\`$1\` needs a value"
        case $1 in
        --version) version=${2#v} ;;
        --prefix) prefix=$2 ;;
        --program) program=$2 ;;
        esac
        shift ;;
    --list) action=list ;;
    --uninstall) action=uninstall ;;
    --help | -h) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit ;;
    *) fail "there is no option \`$1\`; \`sh install.sh --help\` lists them" ;;
    esac
    shift
done
case $program in
imds | imds-lifecycle | imds-fleet | imds-trace | imds-lint) ;;
*) fail "there is no program \`$program\`" ;;
esac
case $version in
*[!0-9A-Za-z.+-]*) fail "\`$version\` is no version" ;;
esac
[ -n "$prefix" ] || prefix=${HOME:?HOME is not set; name a folder with --prefix}/.local
manifest=$prefix/share/$program/installed-files

if [ "$action" != install ]; then
    [ -r "$manifest" ] || fail "\`$manifest\` does not exist: install.sh installed no $program below $prefix"
    if [ "$action" = list ]; then
        cat "$manifest"
    else
        while IFS= read -r file; do rm -f -- "$file"; done <"$manifest"
        rm -f -- "$manifest"
        rmdir -- "$prefix/share/$program" 2>/dev/null || true
        say "removed $program from $prefix"
    fi
    exit
fi

from=${IMDS_INSTALL_FROM:-https://github.com/imds-rs/imds/releases/download}
case $from in
https://* | http://127.0.0.1:* | http://localhost:*)
    command -v curl >/dev/null || fail 'curl is not installed'
    fetch() { curl --fail --silent --show-error --location --retry 3 --output "$2" "$1"; } ;;
/*)
    fetch() { cp -- "$1" "$2"; } ;;
*) fail "IMDS_INSTALL_FROM is \`$from\`: only https addresses and absolute folders are accepted" ;;
esac

case $(uname -s) in
Linux) system=unknown-linux-musl ;;
Darwin) system=apple-darwin ;;
*) fail "there is no archive for $(uname -s); docs/install.md lists what there is" ;;
esac
case $(uname -m) in
x86_64 | amd64) target=x86_64-$system ;;
aarch64 | arm64) target=aarch64-$system ;;
*) fail "there is no archive for $(uname -m); \`cargo install imds-cli\` builds one" ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
if [ -z "$version" ]; then
    case $from in
    https://github.com/*)
        newest=$(curl --fail --silent --show-error --location --output /dev/null --write-out '%{url_effective}' \
            "${from%/download}/latest") ;;
    *) fail 'a mirror does not say which release is the newest: name one with --version' ;;
    esac
    version=${newest##*/v}
fi

archive=$program-$version-$target.tar.gz
say "downloading $archive"
fetch "$from/v$version/SHA256SUMS" "$work/SHA256SUMS" || fail "cannot download the checksums of version $version"
fetch "$from/v$version/$archive" "$work/$archive" || fail "cannot download \`$archive\`"
wanted=$(awk -v name="$archive" '$2 == name || $2 == "*" name { print $1 }' "$work/SHA256SUMS")
[ -n "$wanted" ] || fail "SHA256SUMS does not list \`$archive\`"
if command -v sha256sum >/dev/null; then
    found=$(sha256sum "$work/$archive")
else
    found=$(shasum -a 256 "$work/$archive")
fi
[ "${found%% *}" = "$wanted" ] ||
    fail "\`$archive\` has the checksum ${found%% *} and not $wanted: it was changed on its way, nothing is installed"

tar -xzf "$work/$archive" -C "$work"
folder=$work/${archive%.tar.gz}
[ -f "$folder/$program" ] || fail "\`$archive\` holds no \`$program\`"

: >"$work/files"
# A running program is replaced by rename, so that it goes on undisturbed.
put() {
    mkdir -p "$(dirname "$2")"
    cp -- "$1" "$2.new.$$"
    chmod "$3" "$2.new.$$"
    mv -f -- "$2.new.$$" "$2"
    say "$2" >>"$work/files"
}
put "$folder/$program" "$prefix/bin/$program" 755
for page in "$folder"/man/*.1; do
    if [ -f "$page" ]; then put "$page" "$prefix/share/man/man1/${page##*/}" 644; fi
done
completion() {
    if [ -f "$folder/completions/$program.$1" ]; then put "$folder/completions/$program.$1" "$prefix/share/$2" 644; fi
}
completion bash "bash-completion/completions/$program"
completion zsh "zsh/site-functions/_$program"
completion fish "fish/vendor_completions.d/$program.fish"
mkdir -p "${manifest%/*}"
cp "$work/files" "$manifest"

say "installed $("$prefix/bin/$program" --version) as $prefix/bin/$program"
case :$PATH: in
*:"$prefix/bin":*) ;;
*) say "hint: $prefix/bin is not in PATH; add it: export PATH=\"$prefix/bin:\$PATH\"" ;;
esac
