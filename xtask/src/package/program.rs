//! The programs that are packaged, and what each package holds besides the program.

use crate::dist;

/// One program: a package of its own in every format.
#[derive(Debug)]
pub(crate) struct Program {
    /// Of the command and of the packages.
    pub(crate) name: &'static str,
    /// The crate that builds it.
    pub(crate) krate: &'static str,
    /// The profile of its release build.
    pub(crate) profile: &'static str,
    /// systemd units, by their name in `packaging/systemd`.
    pub(crate) units: &'static [&'static str],
    /// Configuration files, by their name in `packaging/etc` and in `/etc/imds`.
    pub(crate) configuration: &'static [&'static str],
    /// Configuration of a journal namespace, by its name in `packaging/systemd` and in
    /// `/etc/systemd`.
    pub(crate) journal: Option<&'static str>,
    /// Packages without which it is of little use.
    pub(crate) recommends: &'static [&'static str],
}

const PROGRAMS: [Program; 5] = [
    Program {
        name: "imds",
        krate: "imds-cli",
        profile: "release",
        units: &["imds-watch@.service"],
        configuration: &["watch-spot-interruption.conf"],
        journal: None,
        recommends: &[],
    },
    Program {
        name: "imds-lifecycle",
        krate: "imds-lifecycle",
        profile: "release",
        units: &["imds-lifecycle.service", "imds-lifecycle-poweroff.service"],
        configuration: &["lifecycle.conf"],
        journal: None,
        recommends: &["imds"],
    },
    Program {
        name: "imds-fleet",
        krate: "imds-fleet",
        profile: "fleet",
        units: &[],
        configuration: &[],
        journal: None,
        recommends: &[],
    },
    Program {
        name: "imds-trace",
        krate: "imds-trace",
        profile: "release",
        units: &["imds-trace.service"],
        configuration: &[],
        journal: Some("journald@imds-trace.conf"),
        recommends: &["imds"],
    },
    Program {
        name: "imds-lint",
        krate: "imds-lint",
        profile: "release",
        units: &[],
        configuration: &[],
        journal: None,
        recommends: &[],
    },
];

/// The programs of these names, or all that the workspace has.
pub(crate) fn select(names: &[String]) -> Result<Vec<Program>, String> {
    let metadata = dist::metadata()?;
    let exists = |program: &Program| {
        let mut packages = metadata["packages"].as_array().into_iter().flatten();
        packages.any(|package| package["name"] == program.krate)
    };
    for name in names {
        if !PROGRAMS.iter().any(|program| program.name == name && exists(program)) {
            let known: Vec<&str> =
                PROGRAMS.iter().filter(|program| exists(program)).map(|program| program.name).collect();
            return Err(format!("there is no program `{name}`; there are `{}`", known.join("`, `")));
        }
    }
    let wanted = |program: &Program| names.is_empty() || names.iter().any(|name| name == program.name);
    Ok(PROGRAMS.into_iter().filter(|program| wanted(program) && exists(program)).collect())
}
