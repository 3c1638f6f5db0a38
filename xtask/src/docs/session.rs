//! Runs the commands of one block in one shell, with an emulated service and no network.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::blocks::{Block, Step};

/// Stands between the outputs of two commands.
const MARK: &str = "\u{1e}";

/// Where a block runs `imds-fleet`: the account of the fake AWS's tour, and nothing else.
const FAKE_AWS: &str = "coproc FAKE { imds-fake-aws tour; }
read -r AWS_ENDPOINT_URL <&\"${FAKE[0]}\"
export AWS_ENDPOINT_URL AWS_REGION=eu-west-1
export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
";

/// Where a block runs `imds-lifecycle`: the fake AWS's group, and its address.
const FAKE_GROUP: &str = "coproc FAKE { imds-fake-aws group; }
read -r AWS_ENDPOINT_URL <&\"${FAKE[0]}\"
export AWS_ENDPOINT_URL
";

/// Runs a block and compares what each command prints.
pub(crate) fn check(block: &Block, programs: &Path) -> Result<(), String> {
    let steps: Vec<Step> =
        block.steps().into_iter().filter(|step| !step.command.starts_with("cargo ")).collect();
    if steps.is_empty() {
        return Ok(());
    }
    let printed = run(&steps, programs)?;
    let outputs: Vec<&str> = printed.split(MARK).collect();
    for (step, output) in steps.iter().zip(&outputs) {
        if !matches(&step.output, output) {
            return Err(format!("`{}` printed\n{output}instead of\n{}", step.command, step.output));
        }
    }
    if outputs.len() == steps.len() + 1 {
        Ok(())
    } else {
        Err(format!("the shell ended after {} of {} commands:\n{printed}", outputs.len() - 1, steps.len()))
    }
}

fn run(steps: &[Step], programs: &Path) -> Result<String, String> {
    let mut script = String::new();
    if steps.iter().any(|step| step.command.starts_with("imds-fleet ")) {
        script += FAKE_AWS;
    }
    if steps.iter().any(|step| step.command.starts_with("imds-lifecycle ")) {
        script += FAKE_GROUP;
    }
    for Step { command, .. } in steps {
        // `$?` of a command is there for the next.
        script += &format!("{command}\nstatus=$?; printf '\\036'; (exit $status)\n");
    }
    let home = tempfile::tempdir().map_err(|error| format!("cannot make a directory: {error}"))?;
    let file = home.path().join("script");
    std::fs::write(&file, script).map_err(|error| format!("`{}`: {error}", file.display()))?;
    let imds = programs.join("imds");
    // Nothing but `lo`: what a page tells people to type reaches no network from here.
    let alone = "ip link set lo up && exec \"$0\" emulate -- bash \"$1\" 2>&1";
    let output = Command::new("unshare")
        .args(["--net", "--map-root-user", "--", "sh", "-c", alone])
        .arg(&imds)
        .arg(&file)
        .env_clear()
        .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", programs.display()))
        .env("HOME", home.path())
        .env("TMPDIR", home.path())
        .env("IMDS_CACHE_DIR", home.path().join("store"))
        .env("LC_ALL", "C.UTF-8")
        .current_dir(home.path())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run `unshare`: {error}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    if !told.is_empty() {
        return Err(format!("`imds emulate` said: {told}"));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("the output is no text: {error}"))
}

/// Whether the shell can read a script; nothing of it is run.
pub(crate) fn syntax(script: &str) -> Result<(), String> {
    let mut child = Command::new("bash")
        .arg("-n")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run `bash`: {error}"))?;
    if let Some(stdin) = &mut child.stdin {
        stdin.write_all(script.as_bytes()).map_err(|error| format!("bash: {error}"))?;
    }
    let output = child.wait_with_output().map_err(|error| format!("bash: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Whether `printed` is `expected`, where `...` stands for any text.
fn matches(expected: &str, printed: &str) -> bool {
    let mut parts = expected.trim_end().split("...");
    let printed = printed.trim_end();
    let Some(mut rest) = parts.next().and_then(|first| printed.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    for (index, part) in parts.iter().enumerate() {
        let is_last = index + 1 == parts.len();
        if is_last {
            return rest.ends_with(part);
        }
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_dots_stand_for_any_text() {
        assert!(matches("a\nb\n", "a\nb\n"));
        assert!(!matches("a\n", "a\nb\n"));
        assert!(!matches("", "a\n"));
        assert!(matches("error: ...\n", "error: cannot\nhint: x\n"));
        assert!(matches("a...c...e", "abcde"));
        assert!(!matches("a...c...f", "abcde"));
        assert!(matches("...", "x"));
    }

    #[test]
    fn a_script_that_no_shell_can_read_is_refused() {
        assert_eq!(syntax("echo a"), Ok(()));
        assert!(syntax("if true").unwrap_err().contains("syntax error"));
    }
}
