# Sourced by `run`: the ways in which a client reaches the emulator. Each is a function that runs the given command
# with it.
#
# The clients see nothing of the caller's configuration, so that the default chain ends at the instance's role.

ways=(emulate serve ipv4 ipv6)

clean() {
    env -i PATH="$PATH" HOME=/nonexistent IMDS="$IMDS" "$@"
}

# `imds emulate -- CLIENT`.
way_emulate() {
    clean INTEROP_EXPIRE='imds emulator ctl step 21601s >/dev/null' \
        "$IMDS" emulate --clock stepped --assert 'v1 == 0 and tokens-issued >= 2' -- "$@"
}

# `imds serve` on a loopback port, and the endpoint in the environment.
way_serve() {
    clean lib/with-server 127.0.0.1:0 "$@"
}

# `imds serve` at both addresses of the service, in a network namespace that has nothing else. No endpoint is
# configured; IPv6 is taken by the mode alone.
link_local() {
    clean SERVE='--ipv6 enabled --listen [fd00:ec2::254]:80' "$@"
}
way_ipv4() {
    link_local unshare --map-root-user --net lib/link-local lib/with-server 169.254.169.254:80 "$@"
}
way_ipv6() {
    link_local AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6 \
        unshare --map-root-user --net lib/link-local lib/with-server 169.254.169.254:80 "$@"
}
