//! Lays out the files of a package: the program, what it prints about itself, its units and
//! licences.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::program::Program;
use crate::workspace;

/// Shells, and where each looks for the completions of a program.
const SHELLS: [(&str, &str, &str); 3] = [
    ("bash", "/usr/share/bash-completion/completions/", ""),
    ("zsh", "/usr/share/zsh/vendor-completions/_", ""),
    ("fish", "/usr/share/fish/vendor_completions.d/", ".fish"),
];

/// A file of a package: where it is now, and where it goes.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) source: PathBuf,
    /// In a system package.
    pub(crate) installed: String,
    /// In an archive; empty if it is not part of one.
    pub(crate) archived: String,
    pub(crate) mode: u32,
    /// A configuration file, which an upgrade keeps.
    pub(crate) is_configuration: bool,
}

/// Every file of one package.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) stage: PathBuf,
    pub(crate) entries: Vec<Entry>,
}

/// Writes what has to be written below `stage`. `host_binary` is the same program for this machine:
/// it prints manual pages and completions.
pub(crate) fn lay_out(
    root: &Path,
    stage: &Path,
    program: &Program,
    binary: &Path,
    host_binary: &Path,
) -> Result<Layout, String> {
    let name = program.name;
    drop(std::fs::remove_dir_all(stage));
    std::fs::create_dir_all(stage)
        .map_err(|error| format!("cannot create `{}`: {error}", stage.display()))?;
    let mut layout = Layout { stage: stage.to_owned(), entries: Vec::new() };
    let executable = binary.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let executable_is_windows = executable.ends_with(".exe");
    layout.add(binary.to_owned(), format!("/usr/bin/{name}"), executable, 0o755);
    for (page, text) in manual_pages(host_binary, program)? {
        let plain = layout.write(&format!("{page}.1"), text.as_bytes())?;
        let packed = gzip(&plain)?;
        layout.add(packed, format!("/usr/share/man/man1/{page}.1.gz"), String::new(), 0o644);
        layout.add(plain, String::new(), format!("man/{page}.1"), 0o644);
    }
    for (shell, folder, suffix) in SHELLS {
        if let Some(script) = ask(host_binary, &["completions", shell])? {
            let file = layout.write(&format!("{name}.{shell}"), script.as_bytes())?;
            layout.add(file, format!("{folder}{name}{suffix}"), format!("completions/{name}.{shell}"), 0o644);
        }
    }
    for unit in program.units {
        let source = root.join("packaging/systemd").join(unit);
        layout.add(source, format!("/usr/lib/systemd/system/{unit}"), format!("systemd/{unit}"), 0o644);
    }
    if !program.units.is_empty() {
        let source = root.join("packaging/systemd/run-outside");
        let installed = format!("/usr/lib/{name}/run-outside");
        layout.add(source, installed, "systemd/run-outside".to_owned(), 0o755);
    }
    for file in program.configuration {
        let source = root.join("packaging/etc").join(file);
        layout.add(source, format!("/etc/imds/{file}"), format!("etc/{file}"), 0o644);
        if let Some(entry) = layout.entries.last_mut() {
            entry.is_configuration = true;
        }
    }
    if let Some(file) = program.journal {
        let source = root.join("packaging/systemd").join(file);
        layout.add(source, format!("/etc/systemd/{file}"), format!("systemd/{file}"), 0o644);
        if let Some(entry) = layout.entries.last_mut() {
            entry.is_configuration = true;
        }
    }
    // Windows has no such units, and none of these shells.
    if executable_is_windows {
        layout.entries.retain(|entry| {
            !["systemd/", "etc/", "completions/"].iter().any(|folder| entry.archived.starts_with(folder))
        });
    }
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        layout.add(root.join(licence), format!("/usr/share/doc/{name}/{licence}"), licence.to_owned(), 0o644);
    }
    let changelog =
        gzip(&layout.write("changelog", workspace::read(&root.join("CHANGELOG.md"))?.as_bytes())?)?;
    layout.add(changelog, format!("/usr/share/doc/{name}/changelog.gz"), String::new(), 0o644);
    layout.add(
        root.join("packaging/copyright"),
        format!("/usr/share/doc/{name}/copyright"),
        String::new(),
        0o644,
    );
    layout.add(root.join("README.md"), String::new(), "README.md".to_owned(), 0o644);
    Ok(layout)
}

impl Layout {
    fn add(&mut self, source: PathBuf, installed: String, archived: String, mode: u32) {
        self.entries.push(Entry { source, installed, archived, mode, is_configuration: false });
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, String> {
        let path = self.stage.join(name);
        std::fs::write(&path, bytes).map_err(|error| format!("`{}`: {error}", path.display()))?;
        Ok(path)
    }
}

/// The pages of a program and of its subcommands. What `imds` hands on to a program of its own is
/// that program's page.
fn manual_pages(binary: &Path, program: &Program) -> Result<Vec<(String, String)>, String> {
    let name = program.name;
    let mut pages = Vec::new();
    let page = ask(binary, &["man"])?.ok_or_else(|| format!("`{name} man` prints no manual page"))?;
    let names = subcommands(&page, name);
    pages.push((name.to_owned(), page));
    for subcommand in names {
        let apart = ["fleet", "lifecycle", "lint", "trace", "help"].contains(&subcommand.as_str());
        if let (Some(page), false) = (ask(binary, &["man", &subcommand])?, apart) {
            pages.push((format!("{name}-{subcommand}"), page));
        }
    }
    Ok(pages)
}

/// The subcommands that a manual page refers to, as lines of `imds\-get(1)`.
fn subcommands(page: &str, name: &str) -> Vec<String> {
    let lines = page.lines().map(|line| line.replace('\\', ""));
    let names = lines
        .filter_map(|line| Some(line.strip_prefix(name)?.strip_prefix('-')?.strip_suffix("(1)")?.to_owned()));
    names.collect()
}

/// What a program prints; `None` if it has no such subcommand. It talks to nobody for any of these.
fn ask(binary: &Path, arguments: &[&str]) -> Result<Option<String>, String> {
    let output = Command::new(binary)
        .args(arguments)
        .env(imds_model::env::DISABLED, "true")
        .output()
        .map_err(|error| format!("cannot run `{}`: {error}", binary.display()))?;
    if !output.status.success() {
        return Ok(None);
    }
    String::from_utf8(output.stdout).map(Some).map_err(|error| format!("`{}`: {error}", binary.display()))
}

/// Packs a file without its name and time; gives the path of the result.
fn gzip(path: &Path) -> Result<PathBuf, String> {
    workspace::run(Command::new("gzip").args(["--no-name", "--best", "--keep", "--force"]).arg(path))?;
    let mut packed = path.as_os_str().to_owned();
    packed.push(".gz");
    Ok(packed.into())
}

#[cfg(test)]
mod tests {
    #[test]
    fn subcommands_are_those_that_the_page_refers_to() {
        let page = ".SH SUBCOMMANDS\n.TP\nimds\\-get(1)\nPrint it\n.TP\nimds\\-user\\-data(1)\nimds is it\n";
        assert_eq!(super::subcommands(page, "imds"), ["get", "user-data"]);
    }
}
