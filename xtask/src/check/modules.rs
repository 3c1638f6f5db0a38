//! The module tree of one crate, and the arrows between its modules.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::imports::{self, Import, ModulePath};
use super::source::Source;

/// An import, resolved: the module that imports, and the one that holds what is imported.
#[derive(Debug, Clone)]
pub(crate) struct Arrow {
    pub(crate) from: ModulePath,
    pub(crate) to: ModulePath,
    /// File and line, as a finding shows them.
    pub(crate) at: String,
}

/// The longest chain of re-exports that is followed.
const MOST_REEXPORTS: usize = 16;

/// The arrows of the crate in `folder` (`crates/imds`), tests left out.
pub(crate) fn arrows(folder: &str, sources: &[Source]) -> Result<Vec<Arrow>, Finding> {
    let mut tree = Tree::default();
    let mut imports: Vec<(String, Import)> = Vec::new();
    let mut tests: BTreeSet<ModulePath> = BTreeSet::new();
    for source in sources.iter().filter(|source| source.is_rust() && !source.is_test_file()) {
        let Some(module) = module_path(folder, &source.path) else { continue };
        let file = imports::read(&source.text, &module).map_err(|error| Finding::new(&source.path, error))?;
        tree.modules.insert(module);
        tree.modules.extend(file.inline_modules);
        tests.extend(file.test_modules);
        imports.extend(file.imports.into_iter().map(|import| (source.path.clone(), import)));
    }
    let is_test = |module: &ModulePath| tests.iter().any(|test| module.starts_with(test));
    imports.retain(|(_, import)| !is_test(&import.module));
    let names: Vec<(ModulePath, String, Vec<String>)> = imports
        .iter()
        .filter_map(|(_, import)| {
            let path = tree.absolute(&import.module, &import.path)?;
            Some((import.module.clone(), import.name.clone()?, path))
        })
        .collect();
    for (module, name, path) in names {
        tree.uses.entry(module).or_default().entry(name).or_default().push(path);
    }
    let mut arrows = Vec::new();
    for (file, import) in &imports {
        let Some(path) = tree.absolute(&import.module, &import.path) else { continue };
        let to = tree.resolve(&path, MOST_REEXPORTS);
        if to != import.module {
            arrows.push(Arrow { from: import.module.clone(), to, at: format!("{file}:{}", import.line) });
        }
    }
    Ok(arrows)
}

/// The module of a file, by its place: `src/a/mod.rs` and `src/a.rs` are `a`, `src/lib.rs` is the
/// root.
fn module_path(folder: &str, path: &str) -> Option<ModulePath> {
    let below = path.strip_prefix(folder)?.strip_prefix("/src/")?.strip_suffix(".rs")?;
    let mut module: ModulePath = below.split('/').map(str::to_owned).collect();
    match module.last().map(String::as_str) {
        Some("lib" | "main") if module.len() == 1 => module.clear(),
        Some("mod") => {
            module.pop();
        }
        _ => {}
    }
    Some(module)
}

#[derive(Default)]
struct Tree {
    modules: BTreeSet<ModulePath>,
    /// What the `use` items of a module name, and where it comes from: re-exports are followed to
    /// the origin.
    uses: BTreeMap<ModulePath, BTreeMap<String, Vec<Vec<String>>>>,
}

impl Tree {
    /// A path from the root of the crate; `None` for what another crate holds.
    fn absolute(&self, module: &ModulePath, path: &[String]) -> Option<Vec<String>> {
        let mut at = module.clone();
        let mut words = path.iter().peekable();
        match words.peek().map(|word| word.as_str())? {
            "crate" => {
                at.clear();
                words.next();
            }
            "self" => {
                words.next();
            }
            "super" => {
                while words.next_if(|word| *word == "super").is_some() {
                    at.pop()?;
                }
            }
            child => {
                at.push(child.to_owned());
                if !self.modules.contains(&at) {
                    return None;
                }
                words.next();
            }
        }
        at.extend(words.cloned());
        Some(at)
    }

    /// The module that holds what a path from the root names.
    fn resolve(&self, path: &[String], left: usize) -> ModulePath {
        let mut module: ModulePath = Vec::new();
        for (index, word) in path.iter().enumerate() {
            module.push(word.clone());
            if self.modules.contains(&module) {
                continue;
            }
            module.pop();
            let reexported =
                self.uses.get(&module).and_then(|uses| uses.get(word)).and_then(|paths| paths.first());
            if let (Some(origin), true) = (reexported, left > 0) {
                let origin = origin.iter().chain(&path[index + 1..]).cloned().collect::<Vec<_>>();
                return self.resolve(&origin, left - 1);
            }
            break;
        }
        module
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_reexports_to_the_origin() {
        let source = |path: &str, text: &str| Source::new(path, text.to_owned());
        let sources = [
            source("crates/a/src/lib.rs", "mod low; mod high; pub use high::Top;\n"),
            source(
                "crates/a/src/high/mod.rs",
                "mod part; pub(crate) use part::Top;\nuse crate::low::Thing;\n",
            ),
            source("crates/a/src/high/part.rs", "use super::super::low;\nfn f() { low::g() }\n"),
            source("crates/a/src/low.rs", "fn f() { crate::Top::new(); std::mem::take() }\n"),
            source("crates/a/src/low/tests.rs", "use crate::high;\n"),
            source("crates/b/src/lib.rs", "use crate::c;\n"),
        ];
        let shown: Vec<String> = arrows("crates/a", &sources)
            .unwrap()
            .iter()
            .map(|arrow| format!("{}: {} -> {}", arrow.at, arrow.from.join("::"), arrow.to.join("::")))
            .collect();
        assert_eq!(
            shown,
            [
                "crates/a/src/lib.rs:1:  -> high::part",
                "crates/a/src/high/mod.rs:1: high -> high::part",
                "crates/a/src/high/mod.rs:2: high -> low",
                "crates/a/src/high/part.rs:1: high::part -> low",
                "crates/a/src/low.rs:1: low -> high::part",
            ]
        );
    }
}
