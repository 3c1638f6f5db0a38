//! More than forty mistakes that people make, and the message for each of them.

use crate::world;

/// The command line, its exit code, and a part of what is said.
const MISTAKES: &[(&[&str], i32, &str)] = &[
    // Words that are no subcommand.
    (
        &["instance-id"],
        2,
        "error: there is no subcommand `instance-id`\nhint: did you mean `imds get instance-id`?\n",
    ),
    (&["region"], 2, "hint: did you mean `imds get region`?\n"),
    (&["user_data"], 2, "hint: did you mean `imds user-data`?\n"),
    (&["gte"], 2, "hint: did you mean `imds get`?\n"),
    (&["Get", "mac"], 2, "hint: did you mean `imds get`?\n"),
    (&["fetch"], 2, "hint: `imds --help` lists the subcommands\n"),
    (&["public-ip"], 2, "hint: did you mean `imds get public-ipv4`?\n"),
    // Paths that do not exist.
    (&["get", "instanceid"], 3, "hint: did you mean `imds get instance-id`?\n"),
    (&["get", "InstanceId"], 3, "hint: did you mean `imds get instance-id`?\n"),
    (&["get", "meta-data/az"], 3, "hint: did you mean `imds get placement/availability-zone`?\n"),
    (&["get", "availability-zone"], 3, "hint: did you mean `imds get placement/availability-zone`?\n"),
    (&["get", "latest/region"], 3, "hint: did you mean `imds get placement/region`?\n"),
    (&["get", "public-ip"], 3, "hint: did you mean `imds get public-ipv4`?\n"),
    (&["get", "userdata"], 3, "hint: did you mean `imds get user-data`?\n"),
    (&["get", "/instance-id"], 3, "hint: did you mean `imds get instance-id`?\n"),
    (&["get", "/meta-data/instance-id"], 3, "hint: did you mean `imds get instance-id`?\n"),
    (&["get", "/user-data"], 3, "hint: did you mean `imds get user-data`?\n"),
    (&["get", "tags/instance/name"], 3, "hint: did you mean `imds get tags/instance/Name`?\n"),
    (
        &["get", "tags/instance/nothing-like-it"],
        3,
        "hint: `imds list tags/instance/` shows the names that exist\n",
    ),
    (
        &["get", "iam/security-credentials/myrole"],
        3,
        "hint: did you mean `imds get iam/security-credentials/my-role`?\n",
    ),
    (&["list", "placment/"], 3, "hint: did you mean `imds list placement/`?\n"),
    (&["get", "placment/region"], 3, "hint: did you mean `imds get placement/region`?\n"),
    (&["get", "local-ip"], 3, "hint: did you mean `imds get local-ipv4`?\n"),
    (&["get", "PrivateIpAddress"], 3, "hint: did you mean `imds get local-ipv4`?\n"),
    (&["get", "subnet-id"], 3, "hint: did you mean `imds get network/interfaces/macs/@primary/subnet-id`?\n"),
    (&["get", "vpcid"], 3, "hint: did you mean `imds get vpc-id`?\n"),
    (
        &["get", "network/interfaces/macs/@primary/vpcid"],
        3,
        "hint: did you mean `imds get network/interfaces/macs/@primary/vpc-id`?\n",
    ),
    (&["get", "tags/Name"], 3, "hint: did you mean `imds get tags/instance/Name`?\n"),
    (
        &["get", "http://169.254.169.254/latest/meta-data/mac"],
        2,
        "hint: did you mean `imds get /latest/meta-data/mac`?\n",
    ),
    (&["get", "2099-01-01/meta-data/mac"], 3, "hint: `imds list /` shows the versions that exist\n"),
    (&["tree", "placment"], 3, "hint: did you mean `imds tree placement/`?\n"),
    (&["tree", "mac-address"], 3, "hint: did you mean `imds get mac`?\n"),
    (&["dump", "vpc"], 3, "hint: did you mean `imds dump network/interfaces/macs/@primary/vpc-id`?\n"),
    (&["env", "placment/region"], 3, "hint: did you mean `imds env placement/region`?\n"),
    (&["env", "R=placment/region"], 3, "hint: did you mean `imds env R=placement/region`?\n"),
    (
        &["exec", "R=regoin", "--", "true"],
        3,
        "hint: did you mean `imds exec R=placement/region -- COMMAND`?\n",
    ),
    (&["env", "A-B=mac"], 2, "hint: a name has letters, digits and `_`, and does not begin with a digit\n"),
    (&["wait", "instanceid"], 2, "hint: did you mean `imds wait instance-id`?\n"),
    (&["wait", "spot/instance-acton"], 2, "hint: did you mean `imds wait spot/instance-action`?\n"),
    (&["wait", "spot-interruption"], 2, "hint: did you mean `imds wait spot/instance-action`?\n"),
    // `@primary` and `*` in odd places.
    (&["get", "@primary"], 2, "hint: did you mean `imds get mac`?\n"),
    (
        &["get", "@primary/vpc-id"],
        2,
        "hint: did you mean `imds get network/interfaces/macs/@primary/vpc-id`?\n",
    ),
    (&["get", "network/interfaces/macs/@second/mac"], 2, "`@second` is not known, only `@primary`\n"),
    (&["get", "instance-*"], 2, "`*` stands for a whole name, not for a part of one\n"),
    (&["dump", "tags/*"], 2, "hint: `imds get 'tags/*'` reads every match\n"),
    (&["wait", "network/interfaces/macs/@primary/mac"], 2, "write the name itself\n"),
    // Wrong kinds of things.
    (&["tree", "instance-id"], 2, "cannot show `/latest/meta-data/instance-id` as a tree: it is a value"),
    (&["list", "mac"], 2, "cannot list `/latest/meta-data/mac`: it is a value (text), not a directory\n"),
    (&["watch", "spot-interuption"], 2, "hint: did you mean `imds watch spot-interruption`?\n"),
    (&["watch", "lifecyle"], 2, "hint: did you mean `imds watch lifecycle`?\n"),
    (&["watch", "zzzzzzzz"], 2, "cannot watch `zzzzzzzz`: it is neither an event nor a known path\n"),
    (&["watch", "region"], 2, "hint: did you mean `imds watch placement/region`?\n"),
    (&["watch", "rebalance-recommendation"], 2, "hint: did you mean `imds watch rebalance`?\n"),
    (&["watch", "spot/instance-acton"], 2, "hint: did you mean `imds watch spot/instance-action`?\n"),
    // Options.
    (&["-v"], 2, "error: there is no subcommand\nhint: `imds --help` lists the subcommands\n"),
    (&["--output=json", "mac"], 2, "hint: did you mean `imds get mac`?\n"),
    (&["version"], 2, "hint: `imds --version` prints the version\n"),
    (&["get", "mac", "--output", "jsn"], 2, "a similar value exists: 'json'"),
    (&["get", "mac", "--ouput", "json"], 2, "a similar argument exists: '--output'"),
    (&["get", "mac", "--timeout", "soon"], 2, "`soon` is not a duration"),
    (&["get", "mac", "--timeout", "0"], 2, "`0` is zero; it must be at least `1ms`"),
    (&["get", "mac", "--endpoint-mode", "ipv9"], 2, "the modes are `IPv4`"),
    (&["get", "mac", "--endpoint", "https://127.0.0.1:1"], 2, "error: "),
    (&["token", "--ttl", "0"], 2, "a token TTL is from 1 s to 6 h"),
    (&["token", "--ttl", "7h"], 2, "a token TTL is from 1 s to 6 h"),
    (&["get"], 2, "Usage: imds get <PATH>..."),
    // Queries.
    (&["get", "dynamic/instance-identity/document", "--query", "lenght(@)"], 2, "did you mean `length`?"),
    (&["get", "dynamic/instance-identity/document", "--query", "a["], 2, "cannot parse query `a[`\n"),
    (&["get", "dynamic/instance-identity/document", "--query", "accountID"], 3, "the query found nothing\n"),
    (&["get", "mac", "--query", "x"], 1, "the value of `mac` is not JSON, so `--query` cannot search it\n"),
    // Commands.
    (&["exec", "mac", "--", "no-such-command"], 127, "cannot run `no-such-command`\n"),
    (&["credentials", "my-rol"], 3, "my-rol"),
    (&["man", "gte"], 2, "hint: `imds man get` prints a page\n"),
    (&["completions", "tcsh"], 2, "[possible values: bash, fish, zsh]"),
];

#[test]
fn each_mistake_is_told_with_what_to_do() {
    let emulator = crate::emulator().start().unwrap();
    let world = world();
    assert!(MISTAKES.len() >= 40);
    let mut wrong = Vec::new();
    for (words, code, said) in MISTAKES {
        let output = world.imds(*words).endpoint(&emulator.endpoint()).run();
        if output.code() != Some(*code) || !output.stderr().contains(said) || !output.stdout().is_empty() {
            wrong.push(format!("{words:?} should say {said:?} and end with {code}:\n{output}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
