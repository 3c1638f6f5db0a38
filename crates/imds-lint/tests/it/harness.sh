# Runs every case three ways where the emulator owns the service's addresses, each on a copy of the file system that
# keeps what the script writes. Called in a network and mount namespace of its own: `harness.sh IMDS CASES`.
set -eu
imds=$1
cases=$2
ip link set lo up
ip addr add 169.254.169.254/32 dev lo
ip -6 addr add fd00:ec2::254/128 dev lo nodad
mkdir "$cases/fs"
mount -t tmpfs -o size=256m tmpfs "$cases/fs"
AWS_EC2_METADATA_SERVICE_ENDPOINT=http://169.254.169.254
export AWS_EC2_METADATA_SERVICE_ENDPOINT
# The gate forbids requests to the service; here it is the emulator, in a namespace with nothing but `lo`.
unset AWS_EC2_METADATA_DISABLED
"$imds" serve --tokens optional --ipv6 enabled --tags enabled \
    --listen 169.254.169.254:80 --listen '[fd00:ec2::254]:80' > "$cases/serve.log" 2>&1 &
server=$!
trap 'kill $server' EXIT
tries=0
until IMDS_CACHE_DIR=$cases/fs/cache "$imds" get instance-id > /dev/null 2>&1; do
    tries=$((tries + 1))
    kill -0 $server && [ $tries -lt 500 ] || { cat "$cases/serve.log"; exit 1; }
done

# Runs a command on the copy, with nothing of the caller's environment.
in_root() {
    timeout 20 chroot "$root/merged" /usr/bin/env -i HOME=/root LC_ALL=C IMDS_CACHE_DIR=/run/imds-cache \
        PATH="$(dirname "$imds"):/usr/sbin:/usr/bin:/sbin:/bin" "$@"
}

# Session tokens differ from one request to the next.
masked() {
    sed 's/AQA[A-Za-z0-9_=-]\{40,\}/TOKEN/g'
}

for case in "$cases"/case-*; do
    for script in "$case"/*.sh; do
        variant=$(basename "$script" .sh)
        root=$cases/fs/root
        mkdir -p "$root/upper/etc" "$root/upper/run/imds-cache" "$root/work" "$root/merged"
        printf '127.0.0.1 localhost\n169.254.169.254 instance-data instance-data.ec2.internal\n' > "$root/upper/etc/hosts"
        mount -t overlay overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" "$root/merged"
        mount --rbind /dev "$root/merged/dev"
        mount --rbind /proc "$root/merged/proc"
        mkdir -p "$root/merged/var/www/html" "$root/merged/root/.ssh" "$root/merged/case"
        cp "$script" "$root/merged/case/script"
        status=0
        in_root bash -c 'cd /case && exec bash ./script' \
            < /dev/null > "$case/stdout" 2> "$case/$variant.stderr" || status=$?
        masked < "$case/stdout" > "$case/$variant.stdout"
        echo $status > "$case/$variant.status"
        rm -rf "$root/upper/case/script" "$root/upper/etc/hosts"
        # What the script wrote. A script that it wrote is judged by what it prints: its text is rewritten, too.
        (cd "$root/upper" && find . -type f ! -path './run/imds-cache/*' ! -path './root/.wget-hsts' | LC_ALL=C sort) |
            while read -r file; do
                if [ "$(head -c 2 "$root/upper/$file")" = '#!' ]; then
                    printf '%s prints %s\n' "$file" "$(in_root sh "$file" < /dev/null 2> /dev/null | sha256sum)"
                else
                    printf '%s is %s\n' "$file" "$(masked < "$root/upper/$file" | sha256sum)"
                fi
            done > "$case/$variant.files"
        umount -l "$root/merged/dev" "$root/merged/proc" "$root/merged"
        rm -rf "$root"
    done
done
