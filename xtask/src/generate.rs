//! `cargo xtask generate [--check]`: writes what follows from `model/ast.json`.

mod ast;
mod catalogue;
mod conformance;
mod docs;
mod instance;
mod openapi;

use std::path::Path;

use crate::workspace;

/// A generated file, by its path below the root of the project.
struct Output {
    path: &'static str,
    text: String,
}

fn outputs(root: &Path) -> Result<Vec<Output>, String> {
    let ast = ast::Ast::parse(&read(&root.join("model/ast.json"))?)?;
    Ok(vec![
        Output { path: "crates/imds-model/src/catalogue/table.rs", text: catalogue::write(&ast)? },
        Output { path: "crates/imds-testkit/src/conformance/table.rs", text: conformance::write(&ast)? },
        Output { path: "crates/imds-emulator/src/instance/builtin.rs", text: instance::write(&ast)? },
        Output { path: "docs/categories.md", text: docs::write(&ast)? },
        Output { path: "model/openapi.json", text: openapi::write(&ast)? },
    ])
}

/// Writes the generated files, or with `--check` names those that are stale.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let root = workspace::root();
    match arguments {
        [] => outputs(&root)?.iter().try_for_each(|output| {
            let path = root.join(output.path);
            std::fs::write(&path, &output.text).map_err(|error| format!("{}: {error}", path.display()))
        }),
        [check] if check == "--check" => match stale(&root)?.as_slice() {
            [] => Ok(()),
            stale => Err(format!("stale, run `cargo xtask generate`: {}", stale.join(", "))),
        },
        _ => Err("usage: cargo xtask generate [--check]".to_owned()),
    }
}

fn stale(root: &Path) -> Result<Vec<&'static str>, String> {
    let mut stale = Vec::new();
    for output in outputs(root)? {
        if read(&root.join(output.path)).ok().as_deref() != Some(output.text.as_str()) {
            stale.push(output.path);
        }
    }
    Ok(stale)
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_generated_is_stale() {
        assert_eq!(
            super::stale(&crate::workspace::root()).unwrap(),
            Vec::<&str>::new(),
            "run `cargo xtask generate`"
        );
    }
}
