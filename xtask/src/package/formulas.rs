//! The files that other package managers want, filled with the version and the checksums of this
//! release.

use std::path::{Path, PathBuf};

use super::Release;
use crate::workspace;

/// Template below `packaging`, and the name of what it becomes.
pub(super) const FORMULAS: [(&str, &str); 6] = [
    ("formulas/imds.rb.in", "imds.rb"),
    ("formulas/imds.json.in", "imds.json"),
    ("formulas/PKGBUILD.in", "PKGBUILD"),
    ("formulas/flake.nix.in", "flake.nix"),
    ("fleet/install-imds.ssm.yaml", "install-imds.ssm.yaml"),
    ("fleet/imds.component.yaml", "imds.component.yaml"),
];

/// Writes each formula whose archives are all there: a release has them, one target alone does not.
pub(crate) fn write(
    root: &Path,
    out: &Path,
    release: &Release,
    sums: &[(String, String)],
) -> Result<Vec<PathBuf>, String> {
    let mut made = Vec::new();
    for (template, name) in FORMULAS {
        let text = workspace::read(&root.join("packaging").join(template))?;
        match fill(&text, &release.version, sums) {
            Ok(text) => {
                let path = out.join(name);
                std::fs::write(&path, text).map_err(|error| format!("`{}`: {error}", path.display()))?;
                made.push(path);
            }
            Err(missing) => println!("left out dist/packages/{name}: there is no `{missing}`"),
        }
    }
    Ok(made)
}

/// Replaces `@VERSION@` and `@SHA256:imds-VERSION-TARGET.tar.gz@`; an archive that is missing is
/// the error.
fn fill(template: &str, version: &str, sums: &[(String, String)]) -> Result<String, String> {
    let mut rest = template.replace("@VERSION@", version);
    while let Some((before, after)) = rest.split_once("@SHA256:") {
        let Some((name, after)) = after.split_once('@') else { return Err("the end of @SHA256:".to_owned()) };
        let Some((_, sum)) = sums.iter().find(|(known, _)| known == name) else {
            return Err(name.to_owned());
        };
        rest = format!("{before}{sum}{after}");
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn a_formula_follows_version_and_checksums() {
        let sums = [("imds-1.2.3-a.tar.gz".to_owned(), "abc".to_owned())];
        let template = "v@VERSION@ @SHA256:imds-@VERSION@-a.tar.gz@\n";
        assert_eq!(fill(template, "1.2.3", &sums), Ok("v1.2.3 abc\n".to_owned()));
        assert_eq!(fill(template, "1.2.4", &sums), Err("imds-1.2.4-a.tar.gz".to_owned()));
    }
}
