//! Completion scripts in real shells, in a network of nothing, with programs that record every
//! call: neither loading a script nor completing may run any.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{TestEnvironment, needed_or_told, write_executable};

/// What is typed, and candidates that must be among what the shell offers.
pub type Line = (&'static str, &'static [&'static str]);

/// A program whose completion scripts are tried.
#[derive(Clone, Copy, Debug)]
pub struct Completions {
    /// Its name.
    pub program: &'static str,
    /// Its binary.
    pub binary: &'static str,
    /// What is tried.
    pub lines: &'static [Line],
}

/// Programs that a script could run.
const PROGRAMS: [&str; 7] =
    ["imds", "imds-fleet", "imds-lifecycle", "imds-lint", "imds-trace", "aws", "curl"];

impl Completions {
    /// Tries the script for Bash.
    ///
    /// # Panics
    ///
    /// If a candidate is not offered, one does not fit, or a program was run.
    pub fn in_bash(self) {
        if !is_there("bash") {
            return;
        }
        let stub = Stub::new(self);
        let function = format!("_{}", self.program.replace('-', "_"));
        let mut code = format!("source '{}'\n", stub.script("bash").display());
        for (line, _) in self.lines {
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
                "COMP_WORDS=({}); COMP_CWORD={}; {function}; printf '%s\\n' \"${{COMPREPLY[@]}}\"; echo =\n",
                quoted.join(" "),
                words.len() - 1
            ));
        }
        self.compare("bash", &stub.shell(&["bash", "--norc", "--noprofile", "-c"], &code));
        stub.was_not_called();
    }

    /// Tries the script for fish.
    ///
    /// # Panics
    ///
    /// As [`in_bash`](Self::in_bash).
    pub fn in_fish(self) {
        if !is_there("fish") {
            return;
        }
        let stub = Stub::new(self);
        let mut code = format!("source '{}'\n", stub.script("fish").display());
        for (line, _) in self.lines {
            code.push_str(&format!("complete -C '{line}'\necho =\n"));
        }
        self.compare("fish", &stub.shell(&["fish", "--no-config", "-c"], &code));
        stub.was_not_called();
    }

    /// Tries the script for Zsh.
    ///
    /// # Panics
    ///
    /// As [`in_bash`](Self::in_bash).
    pub fn in_zsh(self) {
        if !is_there("zsh") {
            return;
        }
        let stub = Stub::new(self);
        let script = stub.script("zsh");
        let found = stub.world.root().join("found");
        // Completion works at a prompt only, so a second shell is driven through a terminal of its
        // own. What is offered goes to a file on its way to the real `compadd`.
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
        std::fs::write(&inner_path, inner).expect("write a script");
        let mut code = format!(
            "zmodload zsh/zpty zsh/zselect\nzpty inner zsh -f -i\nzpty -w inner \"source '{}'\"\n\
         zpty -r inner line '*ready*'\n",
            inner_path.display()
        );
        for (number, (line, _)) in self.lines.iter().enumerate() {
            // The next line is typed only when this one was completed.
            code.push_str(&format!(
            "zpty -w -n inner $'{line}\\t\\x02'\nwhile [[ $(grep -c '^=$' '{found}' 2>/dev/null) -lt {} ]]; do\n  \
             zpty -r -t inner line || zselect -t 1\ndone\n",
            number + 1,
            found = found.display(),
            ));
        }
        code.push_str(&format!("zpty -d inner\ncat '{}'\n", found.display()));
        self.compare("zsh", &stub.shell(&["zsh", "-f", "-c"], &code));
        stub.was_not_called();
    }

    /// Asks for one block per line, each block ended by `=`, and compares.
    fn compare(self, shell: &str, printed: &str) {
        let blocks: Vec<&str> = printed.split("=\n").collect();
        assert_eq!(blocks.len(), self.lines.len() + 1, "{shell}: {printed}");
        for ((line, wanted), block) in self.lines.iter().zip(blocks) {
            let offered = block.lines().map(|line| line.split('\t').next().unwrap_or_default().trim_end());
            let offered: Vec<&str> = offered.filter(|word| !word.is_empty()).collect();
            for candidate in *wanted {
                let is_offered =
                    offered.iter().any(|offered| offered == candidate || *offered == format!("{candidate}/"));
                assert!(is_offered, "{shell}: `{line}` offers no `{candidate}`, only {offered:?}");
            }
            let current = line.rsplit(' ').next().unwrap_or_default();
            let is_flag_value = current.contains('=');
            let fit = offered.iter().all(|offered| is_flag_value || offered.starts_with(current));
            assert!(fit, "{shell}: `{line}` offers what does not fit: {offered:?}");
        }
    }
}

/// A directory with programs in it that note that they were called.
struct Stub {
    world: TestEnvironment,
    bin: PathBuf,
    called: PathBuf,
}

impl Stub {
    fn new(of: Completions) -> Self {
        let world = TestEnvironment::new(of.binary);
        let bin = world.root().join("bin");
        std::fs::create_dir(&bin).expect("make a directory");
        let called = world.root().join("called");
        for program in PROGRAMS {
            let script = format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\n", called.display());
            write_executable(&bin.join(program), script.as_bytes());
        }
        Self { world, bin, called }
    }

    /// The script, in a file.
    fn script(&self, shell: &str) -> PathBuf {
        let output = self.world.imds(["completions", shell]).disabled().run().exits_with(0);
        let path = self.world.root().join(format!("completions.{shell}"));
        std::fs::write(&path, output.stdout()).expect("write a script");
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
            .expect("run a shell");
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
