# Sourced by `run`: the ways in which a client reaches the emulator. Each is a function that runs the given command
# with it, in a network namespace that has nothing but `lo`.
#
# The clients see nothing of the caller's configuration, so that the default chain ends at the instance's role. `run`
# sets `options`, what the emulator is started with for this client, and `assertion`, what its recorder has to hold.

ways=(emulate proxy serve ipv4 ipv6 link_local)
options='' assertion=''

clean() {
    env -i PATH="$PATH" HOME=/nonexistent IMDS="$IMDS" ASSERT="$assertion" SERVE="$options" "$@"
}

# `imds emulate -- CLIENT`.
way_emulate() {
    emulate unshare --map-root-user --net lib/loopback "$IMDS" emulate -- "$@"
}
# emulate COMMAND... emulate -- CLIENT...: adds this client's options to the command.
emulate() {
    local words=()
    while [ "$1" != -- ]; do words+=("$1"); shift; done
    # shellcheck disable=SC2086 # words of options
    clean INTEROP_EXPIRE='imds emulator ctl step 21601s >/dev/null' "${words[@]}" \
        --clock stepped --assert "$assertion" $options "$@"
}

# The same where the environment names a proxy that nobody is at, and no exception to it.
way_proxy() {
    local proxy=http://127.0.0.1:9
    emulate HTTP_PROXY=$proxy http_proxy=$proxy HTTPS_PROXY=$proxy https_proxy=$proxy ALL_PROXY=$proxy all_proxy=$proxy \
        unshare --map-root-user --net lib/loopback "$IMDS" emulate -- "$@"
}

# `imds emulate --link-local -- CLIENT`: no endpoint is configured.
way_link_local() {
    emulate unshare --map-root-user --net lib/loopback "$IMDS" emulate --link-local -- "$@"
}

# `imds serve` on a loopback port, and the endpoint in the environment.
way_serve() {
    clean unshare --map-root-user --net lib/loopback lib/with-server 127.0.0.1:0 "$@"
}

# `imds serve` at both addresses of the service. No endpoint is configured; IPv6 is taken by the mode alone.
way_ipv4() {
    clean SERVE="--ipv6 enabled --listen [fd00:ec2::254]:80 $options" \
        unshare --map-root-user --net lib/link-local lib/with-server 169.254.169.254:80 "$@"
}
way_ipv6() {
    clean SERVE="--ipv6 enabled --listen [fd00:ec2::254]:80 $options" AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6 \
        unshare --map-root-user --net lib/link-local lib/with-server 169.254.169.254:80 "$@"
}
