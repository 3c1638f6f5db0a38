//! Examples for `--help` and the manual pages: command lines that work when typed, by subcommand.

use imds_usage::Entry;

/// The examples of a subcommand, named as it is typed: `get`, `aws-cli install`.
pub(crate) fn of(subcommand: &str) -> &'static [Entry<'static>] {
    EXAMPLES.iter().find(|(name, _)| *name == subcommand).map_or(&[], |(_, examples)| examples)
}

type Examples = (&'static str, &'static [Entry<'static>]);

const EXAMPLES: &[Examples] = &[
    (
        "",
        &[
            ("imds get region", "Print the Region"),
            ("imds tree", "Show everything that the service holds, without secrets"),
            ("imds doctor", "Find out why the service does not answer here"),
            ("imds emulate -- ./run-tests.sh", "Run a command with an emulated service"),
        ],
    ),
    (
        "get",
        &[
            ("imds get instance-id", "Print one value, byte for byte"),
            ("imds get region az account-id", "Print several values, one per line"),
            (
                "imds get network/interfaces/macs/@primary/vpc-id",
                "Print a value of the primary network interface",
            ),
            (
                "imds get 'network/interfaces/macs/*/subnet-id' -o json",
                "Print a value of every network interface",
            ),
            (
                "imds get dynamic/instance-identity/document --query accountId",
                "Print one field of a JSON value",
            ),
            ("imds get public-ipv4 --default none", "Print `none` on an instance without a public address"),
        ],
    ),
    (
        "list",
        &[
            ("imds list", "List the metadata categories"),
            ("imds list tags/instance/ -E '^app:'", "List the tag keys that begin with `app:`"),
        ],
    ),
    (
        "tree",
        &[
            ("imds tree", "Show all paths"),
            ("imds tree placement/ --values", "Show what is below a directory, with values"),
            ("imds tree --depth 2", "Show two levels"),
        ],
    ),
    (
        "dump",
        &[
            ("imds dump placement/ -o yaml", "Print a directory as YAML"),
            ("imds dump -o flat -E /ipv4", "Print the paths with `/ipv4` in them, one value per line"),
            ("imds dump --snapshot instance.json", "Write all values to a file that `imds serve` can serve"),
        ],
    ),
    ("categories", &[("imds categories spot", "List what is known of Spot notices")]),
    (
        "user-data",
        &[
            ("imds user-data", "Print the user data, byte for byte"),
            ("imds user-data --decode", "Undo gzip and base64"),
            ("imds user-data --part cloud-config.txt", "Print one part of MIME user data"),
        ],
    ),
    (
        "env",
        &[
            ("eval \"$(imds env placement/region)\"", "Set PLACEMENT_REGION in this shell"),
            (
                "imds env REGION=placement/region > /run/imds.env",
                "Write a file for `EnvironmentFile=` of systemd",
            ),
        ],
    ),
    (
        "exec",
        &[(
            "imds exec AWS_REGION=placement/region -- ./server",
            "Run a server that finds its Region in AWS_REGION",
        )],
    ),
    (
        "wait",
        &[
            ("imds wait tags/instance/ready --for yes --timeout 5m", "Wait until a tag has a value"),
            ("imds wait spot/instance-action", "Wait for a Spot interruption notice"),
        ],
    ),
    (
        "token",
        &[
            (
                "imds token --header | curl -s -H @- http://169.254.169.254/latest/meta-data/instance-id",
                "Use curl without a token in the process list",
            ),
            ("imds token clear", "Remove the stored token"),
        ],
    ),
    (
        "credentials",
        &[
            (
                "eval \"$(imds credentials --output env)\"",
                "Set AWS_ACCESS_KEY_ID and its companions in this shell",
            ),
            (
                "imds credentials --output process",
                "Print what `credential_process` of the AWS config file expects",
            ),
        ],
    ),
    (
        "identity",
        &[
            ("imds identity verify", "Verify this instance's identity document"),
            (
                "imds identity verify --rsa2048 signature --document document.json",
                "Verify what another instance sent, without asking the service",
            ),
        ],
    ),
    (
        "doctor",
        &[
            ("imds doctor", "Check each step that a request takes"),
            ("imds doctor -o json", "Print the checks for a bug report"),
        ],
    ),
    (
        "aws-cli",
        &[
            ("imds aws-cli install", "Make `aws imds get --path PATH` work"),
            ("imds aws-cli status", "Show what `aws imds` runs"),
        ],
    ),
    (
        "watch",
        &[
            ("imds watch spot-interruption rebalance", "Print a line for each Spot notice"),
            (
                "imds watch spot-interruption --exec ./drain.sh --state /var/lib/imds/watch.json",
                "Run a script once for each notice, across restarts",
            ),
        ],
    ),
    (
        "serve",
        &[
            ("imds serve --preset spot", "Serve an emulated Spot instance on 127.0.0.1:1338"),
            ("imds serve --instance instance.json", "Serve a snapshot of a real instance"),
        ],
    ),
    (
        "emulate",
        &[(
            "imds emulate --preset asg -- ./run-tests.sh",
            "Run a command with an emulated Auto Scaling instance",
        )],
    ),
    (
        "emulator",
        &[(
            "imds emulator ctl event interrupt action=terminate",
            "Announce a Spot interruption to a running emulator",
        )],
    ),
    (
        "completions",
        &[
            ("source <(imds completions bash)", "Complete in this Bash"),
            ("imds completions fish > ~/.config/fish/completions/imds.fish", "Complete in every Fish"),
            ("imds completions zsh > ~/.zfunc/_imds", "Complete in every Zsh that has ~/.zfunc in its fpath"),
        ],
    ),
    (
        "man",
        &[
            ("imds man | man -l -", "Show the manual page"),
            ("imds man get | man -l -", "Show the manual page of a subcommand"),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    /// The words of the part of an example that is this command, as a shell splits them.
    fn words(example: &str) -> Vec<String> {
        let inner = example.split_once("$(").map_or(example, |(_, rest)| rest.split(')').next().unwrap());
        let inner = inner.split_once("<(").map_or(inner, |(_, rest)| rest.split(')').next().unwrap());
        let command = inner.split(['|', '>']).next().unwrap();
        let mut words = Vec::new();
        for (at, piece) in command.split('\'').enumerate() {
            if at % 2 == 1 {
                words.push(piece.to_owned());
            } else {
                words.extend(piece.split_whitespace().map(str::to_owned));
            }
        }
        words
    }

    #[test]
    fn every_subcommand_has_examples_that_parse() {
        for subcommand in cli::command().get_subcommands() {
            let external = ["lifecycle", "fleet", "trace", "lint"].contains(&subcommand.get_name());
            assert!(external || !of(subcommand.get_name()).is_empty(), "{}", subcommand.get_name());
        }
        for (name, examples) in EXAMPLES {
            for (example, _) in *examples {
                let words = words(example);
                assert!(words.starts_with(&["imds".to_owned()]), "{example}");
                assert!(name.is_empty() || words[1] == *name, "{example}");
                let parsed = cli::command().try_get_matches_from(&words);
                assert!(parsed.is_ok(), "{example}: {}", parsed.err().unwrap());
            }
        }
    }
}
