//! `imds completions`: the scripts in real shells, in a network of nothing, with an `imds` that
//! records every call.

use std::path::{Path, PathBuf};
use std::process::Command;

use imds_testkit::{TestEnvironment, write_executable};

use crate::{needed_or_told, world};

/// What is typed, and candidates that must be among what the shell offers.
const LINES: &[(&str, &[&str])] = &[
    ("imds ", &["get", "tree", "watch", "aws-cli", "fleet", "completions"]),
    ("imds cred", &["credentials"]),
    ("imds get ", &["region", "account-id", "instance-id", "placement/region", "user-data", "meta-data/"]),
    ("imds get place", &["placement/", "placement/region", "placement/availability-zone"]),
    ("imds get meta-data/pl", &["meta-data/placement/region"]),
    ("imds get latest/meta-data/pl", &["latest/meta-data/placement/region"]),
    ("imds get /latest/meta-data/inst", &["/latest/meta-data/instance-id"]),
    ("imds get instance-id --path place", &["placement/region"]),
    ("imds get instance-id plac", &["placement/region"]),
    ("imds get --output ", &["text", "json", "env", "yaml"]),
    ("imds get -o j", &["json"]),
    ("imds get --def", &["--default"]),
    ("imds get --endpoint-mode ", &["IPv4", "IPv6", "auto"]),
    ("imds list plac", &["placement/"]),
    ("imds tree plac", &["placement/"]),
    ("imds dump plac", &["placement/"]),
    ("imds wait spot/", &["spot/instance-action"]),
    ("imds watch ", &["spot-interruption", "rebalance", "lifecycle"]),
    ("imds watch spot-interruption re", &["rebalance"]),
    ("imds watch autosc", &["autoscaling/target-lifecycle-state"]),
    ("imds credentials --output ", &["process", "env", "json"]),
    ("imds aws-cli ", &["install", "uninstall", "status"]),
    ("imds aws-cli status --", &["--output", "--alias-file"]),
    ("imds identity verify --kind ", &["rsa2048", "signature", "pkcs7"]),
    ("imds serve --preset ", &["default", "spot", "ipv6-only"]),
    ("imds emulate --fault ", &["stall", "503", "refuse"]),
    ("imds exec -- prin", &["printenv", "printf"]),
    ("imds exec AWS_REGION=placement/region -- printen", &["printenv"]),
    ("imds completions ", &["bash", "fish", "zsh"]),
    ("imds man ", &["get", "watch"]),
];

/// A directory with an `imds` in it that notes that it was called.
struct Stub {
    world: TestEnvironment,
    bin: PathBuf,
    called: PathBuf,
}

impl Stub {
    fn new() -> Self {
        let world = world();
        let bin = world.root().join("bin");
        std::fs::create_dir(&bin).unwrap();
        let called = world.root().join("called");
        for program in ["imds", "imds-fleet", "imds-lifecycle", "imds-lint", "imds-trace", "aws", "curl"] {
            let script = format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\n", called.display());
            write_executable(&bin.join(program), script.as_bytes());
        }
        Self { world, bin, called }
    }

    /// The script, in a file.
    fn script(&self, shell: &str) -> PathBuf {
        let output = self.world.imds(["completions", shell]).disabled().run().exits_with(0);
        let path = self.world.root().join(format!("completions.{shell}"));
        std::fs::write(&path, output.stdout()).unwrap();
        path
    }

    /// Runs a shell where nothing but the stub and the usual commands is on the PATH, and no
    /// network is up.
    fn shell(&self, words: &[&str], code: &str) -> String {
        let output = Command::new("unshare")
            .args(["--map-root-user", "--net", "--"])
            .args(words)
            .arg(code)
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.bin.display()))
            .env("HOME", self.world.home())
            .env("TERM", "dumb")
            .env("LC_ALL", "C.UTF-8")
            .current_dir(self.world.home())
            .output()
            .unwrap();
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{words:?}\n{stdout}\n{stderr}");
        assert_eq!(stderr, "", "{words:?}: {stdout}");
        stdout.into_owned()
    }

    fn was_not_called(&self) {
        let called = std::fs::read_to_string(&self.called).unwrap_or_default();
        assert_eq!(called, "", "a completion script ran a program");
    }
}

fn is_there(shell: &str) -> bool {
    let there = ["/bin", "/usr/bin"].iter().any(|directory| Path::new(directory).join(shell).exists());
    needed_or_told(there, "a completion script", shell)
}

/// Asks for one block per line, each block ended by `=`, and compares.
fn compare(shell: &str, printed: &str) {
    let blocks: Vec<&str> = printed.split("=\n").collect();
    assert_eq!(blocks.len(), LINES.len() + 1, "{shell}: {printed}");
    for ((line, wanted), block) in LINES.iter().zip(blocks) {
        let offered = block.lines().map(|line| line.split('\t').next().unwrap().trim_end());
        let offered: Vec<&str> = offered.filter(|word| !word.is_empty()).collect();
        for candidate in *wanted {
            let is_offered =
                offered.iter().any(|offered| offered == candidate || *offered == format!("{candidate}/"));
            assert!(is_offered, "{shell}: `{line}` offers no `{candidate}`, only {offered:?}");
        }
        let current = line.rsplit(' ').next().unwrap();
        let is_flag_value = current.contains('=');
        let fit = offered.iter().all(|offered| is_flag_value || offered.starts_with(current));
        assert!(fit, "{shell}: `{line}` offers what does not fit: {offered:?}");
    }
}

#[test]
fn bash() {
    if !is_there("bash") {
        return;
    }
    let stub = Stub::new();
    let script = stub.script("bash");
    let mut code = format!("source '{}'\n", script.display());
    for (line, _) in LINES {
        // As readline splits: `=` stands alone.
        let words: Vec<String> = line
            .split(' ')
            .flat_map(|word| match word.split_once('=') {
                Some((name, value)) => vec![name.to_owned(), "=".to_owned(), value.to_owned()],
                None => vec![word.to_owned()],
            })
            .collect();
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        code.push_str(&format!(
            "COMP_WORDS=({}); COMP_CWORD={}; _imds; printf '%s\\n' \"${{COMPREPLY[@]}}\"; echo =\n",
            quoted.join(" "),
            words.len() - 1
        ));
    }
    compare("bash", &stub.shell(&["bash", "--norc", "--noprofile", "-c"], &code));
    stub.was_not_called();
}

#[test]
fn fish() {
    if !is_there("fish") {
        return;
    }
    let stub = Stub::new();
    let mut code = format!("source '{}'\n", stub.script("fish").display());
    for (line, _) in LINES {
        code.push_str(&format!("complete -C '{line}'\necho =\n"));
    }
    compare("fish", &stub.shell(&["fish", "--no-config", "-c"], &code));
    stub.was_not_called();
}

#[test]
fn zsh() {
    if !is_there("zsh") {
        return;
    }
    let stub = Stub::new();
    let script = stub.script("zsh");
    let found = stub.world.root().join("found");
    // Completion works at a prompt only, so a second shell is driven through a terminal of its own.
    // What is offered goes to a file on its way to the real `compadd`.
    let inner = format!(
        "PROMPT= RPROMPT=\nautoload -Uz compinit; compinit -D -u\nsource '{script}'\n\
         compadd() {{\n  local -a hits\n  if [[ \" $* \" == *' -'[OAD]' '* ]]; then builtin compadd \"$@\"; return; fi\n  \
         builtin compadd -A hits \"$@\"\n  print -rl -- $IPREFIX$^hits >> '{found}'\n  builtin compadd \"$@\"\n}}\n\
         done-line() {{ print = >> '{found}'; BUFFER=; zle reset-prompt }}\nzle -N done-line\n\
         bindkey '^I' complete-word; bindkey '^B' done-line\nsetopt no_beep no_list_beep\nLISTMAX=100000\nprint ready\n",
        script = script.display(),
        found = found.display(),
    );
    let inner_path = stub.world.root().join("inner.zsh");
    std::fs::write(&inner_path, inner).unwrap();
    let mut code = format!(
        "zmodload zsh/zpty zsh/zselect\nzpty inner zsh -f -i\nzpty -w inner \"source '{}'\"\n\
         zpty -r inner line '*ready*'\n",
        inner_path.display()
    );
    for (number, (line, _)) in LINES.iter().enumerate() {
        // The next line is typed only when this one was completed.
        code.push_str(&format!(
            "zpty -w -n inner $'{line}\\t\\x02'\nwhile [[ $(grep -c '^=$' '{found}' 2>/dev/null) -lt {} ]]; do\n  \
             zpty -r -t inner line || zselect -t 1\ndone\n",
            number + 1,
            found = found.display(),
        ));
    }
    code.push_str(&format!("zpty -d inner\ncat '{}'\n", found.display()));
    compare("zsh", &stub.shell(&["zsh", "-f", "-c"], &code));
    stub.was_not_called();
}

#[test]
fn no_help_text_is_expanded() {
    let world = world();
    for shell in ["bash", "zsh", "fish"] {
        let script = world.imds(["completions", shell]).disabled().run().exits_with(0);
        // Outside single quotes, which nothing expands, no help text stands: an `eval` example is
        // the proof.
        for line in script.stdout().lines().filter(|line| line.contains("imds credentials")) {
            let outside: String = line.split('\'').step_by(2).collect();
            assert!(!outside.contains("imds credentials"), "{shell}: {line}");
        }
    }
}
