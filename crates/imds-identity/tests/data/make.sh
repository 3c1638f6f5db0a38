#!/usr/bin/env bash
# Makes the documents signed by a test CA that the tests read. Needs openssl 3; run by hand, output committed, keys
# thrown away. `-stream` makes CMS with indefinite lengths and the document in pieces, as the service serves it.
set -euo pipefail
cd "$(dirname "$0")"
out=$PWD/made
keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT
rm -rf "$out" && mkdir "$out"
printf '{\n  "accountId" : "123456789012",\n  "architecture" : "x86_64",\n  "instanceId" : "i-1234567890abcdef0",\n  "region" : "us-west-2",\n  "version" : "2017-09-30"\n}' > "$out/document"

certificate() { # NAME SERIAL
    openssl req -x509 -new -key "$keys/$1.key" -subj "/C=US/O=Test CA" -set_serial "$2" -sha256 -days 36500 \
        -out "$out/$1.pem" 2>/dev/null
}
openssl genrsa -out "$keys/rsa2048.key" 2048 2>/dev/null && certificate rsa2048 0x1001
openssl genrsa -out "$keys/other.key" 2048 2>/dev/null && certificate other 0x1002
openssl genrsa -out "$keys/rsa1024.key" 1024 2>/dev/null && certificate rsa1024 0x1003
openssl genrsa -out "$keys/other1024.key" 1024 2>/dev/null && certificate other1024 0x1004
openssl genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024 -pkeyopt dsa_paramgen_q_bits:160 \
    -out "$keys/dsa.parameters" 2>/dev/null
openssl gendsa -out "$keys/dsa.key" "$keys/dsa.parameters" 2>/dev/null && certificate dsa 0x1005
openssl ecparam -genkey -name prime256v1 -noout -out "$keys/ec.key" && certificate ec 0x1006

# The first key once more, in a certificate that ran out in 2021: the same name and serial number.
printf '[ca]\ndefault_ca=a\n[a]\ndatabase=%s/db\nserial=%s/serial\nnew_certs_dir=%s\ndefault_md=sha256\npolicy=p\n[p]\ncountryName=optional\norganizationName=optional\n' \
    "$keys" "$keys" "$keys" > "$keys/ca.cnf"
: > "$keys/db"
echo 1001 > "$keys/serial"
openssl req -new -key "$keys/rsa2048.key" -subj "/C=US/O=Test CA" -out "$keys/expired.csr"
openssl ca -batch -selfsign -notext -config "$keys/ca.cnf" -keyfile "$keys/rsa2048.key" -in "$keys/expired.csr" \
    -startdate 20200101000000Z -enddate 20210101000000Z -out "$out/expired.pem" 2>/dev/null

cms() { # KEY DIGEST OPTIONS...
    local key=$1 digest=$2
    shift 2
    openssl cms -sign -binary -nodetach -nocerts -nosmimecap -md "$digest" -signer "$out/$key.pem" \
        -inkey "$keys/$key.key" -in "$out/document" -outform DER "$@" | base64 -w 76
}
cms rsa2048 sha256 -stream > "$out/rsa2048"
cms rsa2048 sha256 > "$out/rsa2048-definite"
cms rsa2048 sha256 -noattr -stream > "$out/rsa2048-without-attributes"
cms rsa2048 sha1 -stream > "$out/rsa2048-sha1"
cms dsa sha1 -stream > "$out/pkcs7"
openssl dgst -sha256 -sign "$keys/rsa1024.key" "$out/document" | base64 -w 76 > "$out/signature"
openssl cms -sign -binary -nocerts -md sha256 -signer "$out/rsa2048.pem" -inkey "$keys/rsa2048.key" \
    -in "$out/document" -outform DER | base64 -w 76 > "$out/detached"
