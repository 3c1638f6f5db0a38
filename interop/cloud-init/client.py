"""Has cloud-init's data source for EC2 read the emulated service, and prints one `ASPECT VALUE` line for each thing."""

import json
import os
import subprocess
import sys
import tempfile
from types import SimpleNamespace

from cloudinit import helpers, version
from cloudinit.sources import DataSourceEc2 as ec2

# What a machine's firmware says is not the service's.
ec2.identify_platform = lambda: ec2.CloudNames.AWS


def data_source(folder):
    source = ec2.DataSourceEc2({}, SimpleNamespace(fallback_interface="eth0"), helpers.Paths({"run_dir": folder}))
    source.url_max_wait = 10
    if not source._get_data():
        sys.exit("error: cloud-init found no data source")
    return source


def network(source):
    """The network configuration for interfaces named eth0, eth1 ..., the primary one first."""
    macs = source.metadata["network"]["interfaces"]["macs"]
    # The Snowball has no device numbers.
    order = sorted(macs, key=lambda mac: (mac != source.metadata["mac"], macs[mac].get("device-number", "0")))
    names = {mac: "eth%d" % number for number, mac in enumerate(order)}
    found = ec2.convert_ec2_metadata_network_config(source.metadata["network"], names, fallback_nic="eth0")
    if sorted(names.values()) != sorted(found["ethernets"]):
        sys.exit("error: of %s only %s are configured" % (sorted(names.values()), sorted(found["ethernets"])))
    words, metrics = [], []
    for name, settings in sorted(found["ethernets"].items()):
        mac = settings["match"]["macaddress"]
        if names[mac] != name or settings["set-name"] != name:
            sys.exit("error: %s is configured as %s" % (names[mac], name))
        metric = settings.get("dhcp4-overrides", {}).get("route-metric", "-")
        metrics.append(metric)
        words.append("%s dhcp4=%s dhcp6=%s metric=%s addresses=%s" % (
            name, settings["dhcp4"], settings["dhcp6"], metric, ",".join(settings.get("addresses", [])) or "-"))
    if len(metrics) > 1 and metrics[0] >= min(metrics[1:]):
        sys.exit("error: eth0 is not the interface of the lowest metric: %s" % metrics)
    return "; ".join(words)


def main():
    with tempfile.TemporaryDirectory() as folder:
        source = data_source(folder)
        if sys.argv[1:] == ["network"]:
            print(source.metadata["instance-id"], source.region, network(source))
            return
        print("version cloud-init", version.version_string().split("-")[0])
        print("region", source.region)
        print("credentials - -")
        document = source.identity
        print("identity", source.get_instance_id(), document["accountId"])
        print("user-data", json.dumps(source.get_userdata_raw().decode()))
        print("network", network(source))
        subprocess.run(os.environ["INTEROP_EXPIRE"], shell=True, check=True)
        # The same data source, whose session token the service now refuses.
        source._get_data()
        print("after-expiry", source.region, "-")


main()
