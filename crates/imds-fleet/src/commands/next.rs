//! The commands that go on with a change, or undo it, as a person can type them.

use std::path::Path;

use crate::cli::{AccessArgs, RoleArgs};
use crate::shell;

/// The command that was run, to be run again.
pub fn again() -> String {
    let words = std::env::args_os().skip(1).map(|word| shell::word(&word.to_string_lossy()));
    std::iter::once("imds-fleet".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// The command that undoes what a journal says was done, with the same access.
pub fn rollback(journal: &Path, access: &AccessArgs, role: &RoleArgs) -> String {
    let mut words = vec!["imds-fleet".to_owned(), "rollback".to_owned()];
    words.push(shell::word(&journal.display().to_string()));
    let options = [
        ("--profile", &access.profile),
        ("--home-region", &access.home_region),
        ("--endpoint-url", &access.endpoint_url),
        ("--role-name", &role.role_name),
        ("--external-id", &role.external_id),
    ];
    for (option, value) in options {
        words.extend(value.iter().flat_map(|value| [option.to_owned(), shell::word(value)]));
    }
    if access.instance_role {
        words.push("--instance-role".to_owned());
    }
    words.join(" ")
}
