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
    ("token show", &[("imds token show", "Show the stored token's age, without the token")]),
    ("token clear", &[("imds token clear", "Remove the stored token")]),
    ("identity show", &[("imds identity show", "Print the instance identity document")]),
    (
        "identity verify",
        &[
            ("imds identity verify", "Verify this instance's identity document"),
            (
                "imds identity verify --rsa2048 signature --document document.json",
                "Verify what another instance sent, without asking the service",
            ),
        ],
    ),
    ("aws-cli install", &[("imds aws-cli install", "Make `aws imds get --path PATH` work")]),
    ("aws-cli uninstall", &[("imds aws-cli uninstall", "Remove the alias, and keep every other line")]),
    ("aws-cli status", &[("imds aws-cli status -o json", "Tell a script whether the alias is there")]),
    (
        "emulator ctl",
        &[
            ("imds emulator ctl event interrupt action=stop", "Announce a Spot interruption"),
            ("imds emulator ctl assert 'v1 == 0'", "Fail if a client used IMDSv1"),
        ],
    ),
    ("emulator ctl set", &[("imds emulator ctl set tags/instance/ready yes", "Serve a tag")]),
    ("emulator ctl unset", &[("imds emulator ctl unset public-ipv4", "Take the public address away")]),
    (
        "emulator ctl event",
        &[(
            "imds emulator ctl event target-lifecycle-state state=Terminated after=10s",
            "Announce the end of the instance ten seconds from now",
        )],
    ),
    (
        "emulator ctl fault",
        &[
            ("imds emulator ctl fault 503 rate=0.1", "Fail one request in ten"),
            ("imds emulator ctl fault clear", "End every fault"),
        ],
    ),
    (
        "emulator ctl options",
        &[("imds emulator ctl options tokens=required hop-limit=2", "Require session tokens")],
    ),
    ("emulator ctl state", &[("imds emulator ctl state", "Show what the emulator does now")]),
    ("emulator ctl requests", &[("imds emulator ctl requests | tail -n 1", "Show the last request")]),
    (
        "emulator ctl assert",
        &[(
            "imds emulator ctl assert 'v1 == 0 and tokens-issued <= 1'",
            "Fail a test whose client used IMDSv1, or more than one token",
        )],
    ),
    ("emulator ctl step", &[("imds emulator ctl step 6h", "Let session tokens expire")]),
    ("emulator ctl reset", &[("imds emulator ctl reset", "Begin the next test with no recorded request")]),
    ("emulator ctl health", &[("imds emulator ctl health", "Wait for the emulator in a script")]),
    ("emulator ctl events", &[("imds emulator ctl events", "List what `event` and `fault` take")]),
    (
        "emulator ctl certificates",
        &[("imds emulator ctl certificates > emulator.pem", "Let another program trust its signatures")],
    ),
    ("emulator ctl watch", &[("imds emulator ctl watch", "Print each request of the client under test")]),
    (
        "emulator schema",
        &[("imds emulator schema > instance.schema.json", "Let an editor check an instance file")],
    ),
    (
        "emulator import-aemm",
        &[(
            "imds emulator import-aemm aemm-config.json > instance.json",
            "Bring the values of a configuration along",
        )],
    ),
];
