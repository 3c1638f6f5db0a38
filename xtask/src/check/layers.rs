//! The direction of imports: between crates, and between the modules of a crate.
//!
//! `xtask/layers.toml` holds what each may import. A module is found by its first folder or file
//! below `src`, or deeper where the table has a row for it. Circles are looked for at every level,
//! with a table or without.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::Finding;
use super::modules::{self, Arrow};
use super::source::Source;

pub(crate) const TABLE: &str = "xtask/layers.toml";
const CRATES: &str = "crates";

/// What may import what.
pub(crate) struct Layers {
    /// Crate to the crates of the workspace that it may depend on.
    crates: BTreeMap<String, BTreeSet<String>>,
    /// Crate to module to the modules that it may import.
    modules: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl Layers {
    pub(crate) fn parse(text: &str) -> Result<Self, Finding> {
        let fail = |message: String| Finding::new(TABLE, message);
        let table: Table = text.parse().map_err(|error: toml::de::Error| fail(error.to_string()))?;
        let mut layers = Self { crates: BTreeMap::new(), modules: BTreeMap::new() };
        for (name, value) in table {
            match value {
                Value::Table(rows) if name == CRATES => layers.crates = read_rows(rows)?,
                Value::Table(rows) => {
                    layers.modules.insert(name, read_rows(rows)?);
                }
                _ => return Err(fail(format!("`{name}` is not a table of lists"))),
            }
        }
        Ok(layers)
    }

    fn may_import(&self, krate: &str, from: &str, to: &str) -> bool {
        self.modules.get(krate).and_then(|rows| rows.get(from)).is_some_and(|allowed| allowed.contains(to))
    }
}

fn strings(values: &[Value]) -> BTreeSet<String> {
    values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

fn read_rows(rows: Table) -> Result<BTreeMap<String, BTreeSet<String>>, Finding> {
    rows.into_iter()
        .map(|(name, value)| match value {
            Value::Array(names) => Ok((name, strings(&names))),
            _ => Err(Finding::new(TABLE, format!("the row `{name}` is not a list"))),
        })
        .collect()
}

/// Every import that points up or closes a circle.
pub(crate) fn check(sources: &[Source], layers: &Layers) -> Vec<Finding> {
    let mut findings = table_circles(layers);
    let manifests =
        sources.iter().filter_map(|source| Some((source.path.strip_suffix("/Cargo.toml")?, source)));
    for (folder, manifest) in manifests.filter(|(folder, _)| is_member(folder)) {
        let name = folder.rsplit('/').next().unwrap_or(folder);
        findings.extend(check_manifest(name, manifest, layers));
        match modules::arrows(folder, sources) {
            Ok(arrows) => {
                findings.extend(upward(name, &arrows, layers));
                findings.extend(circles(name, &arrows));
            }
            Err(finding) => findings.push(finding),
        }
    }
    findings
}

fn is_member(folder: &str) -> bool {
    folder == "xtask" || folder.strip_prefix("crates/").is_some_and(|name| !name.contains('/'))
}

/// The real imports of a crate, as rows for the table.
pub(crate) fn rows(folder: &str, sources: &[Source]) -> Result<String, Finding> {
    let mut rows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for arrow in modules::arrows(folder, sources)? {
        for end in [&arrow.from, &arrow.to] {
            rows.entry(end.first().cloned().unwrap_or_default()).or_default();
        }
        if let Some((_, from, to)) = siblings(&arrow).filter(|(level, ..)| level.is_empty()) {
            rows.entry(from).or_default().insert(to);
        }
    }
    rows.remove("");
    let line = |(name, imports): (&String, &BTreeSet<String>)| {
        format!("{name} = {:?}\n", imports.iter().collect::<Vec<_>>())
    };
    Ok(rows.iter().map(line).collect())
}

/// An arrow between two modules of one folder: the folder, and both.
fn siblings(arrow: &Arrow) -> Option<(String, String, String)> {
    let shared = arrow.from.iter().zip(&arrow.to).take_while(|(from, to)| from == to).count();
    let (from, to) = (arrow.from.get(shared)?, arrow.to.get(shared)?);
    let level = arrow.from[..shared].join("/");
    let below = |name: &String| if level.is_empty() { name.clone() } else { format!("{level}/{name}") };
    Some((level.clone(), below(from), below(to)))
}

fn upward(krate: &str, arrows: &[Arrow], layers: &Layers) -> Vec<Finding> {
    let Some(rows) = layers.modules.get(krate) else {
        return vec![Finding::new(TABLE, format!("has no table for the crate `{krate}`"))];
    };
    let mut findings = Vec::new();
    for arrow in arrows {
        let refused = match (siblings(arrow), arrow.to.is_empty()) {
            (Some((level, from, to)), _) => {
                let has_rows =
                    level.is_empty() || rows.keys().any(|row| row.starts_with(&format!("{level}/")));
                (has_rows && !layers.may_import(krate, &from, &to)).then_some((from, to))
            }
            // What the root of the crate defines itself.
            (None, true) => {
                let from = arrow.from.first().cloned().unwrap_or_default();
                (!layers.may_import(krate, &from, "crate")).then(|| (from, "crate".to_owned()))
            }
            (None, false) => None,
        };
        if let Some((from, to)) = refused {
            let rule = format!("`{from}` of {krate} imports `{to}`, which {TABLE} does not allow");
            findings.push(Finding::new(&arrow.at, rule));
        }
    }
    findings
}

/// Arrows between the modules of one folder that lead back to where they start.
fn circles(krate: &str, arrows: &[Arrow]) -> Vec<Finding> {
    let mut levels: BTreeMap<String, BTreeMap<String, BTreeMap<String, &str>>> = BTreeMap::new();
    for arrow in arrows {
        if let Some((level, from, to)) = siblings(arrow) {
            levels.entry(level).or_default().entry(from).or_default().entry(to).or_insert(&arrow.at);
        }
    }
    let mut findings = Vec::new();
    for graph in levels.values() {
        let plain = graph.iter().map(|(from, to)| (from.clone(), to.keys().cloned().collect())).collect();
        if let Some(circle) = find_circle(&plain) {
            let places = circle.windows(2).filter_map(|pair| Some(*graph.get(&pair[0])?.get(&pair[1])?));
            let rule = format!("a circle of imports in {krate}: {}", circle.join(" -> "));
            findings.push(Finding::new(places.collect::<Vec<_>>().join(", "), rule));
        }
    }
    findings
}

/// What the table itself allows must have a direction.
fn table_circles(layers: &Layers) -> Vec<Finding> {
    let graphs = layers.modules.iter().map(|(name, rows)| (name.as_str(), rows));
    graphs
        .chain([(CRATES, &layers.crates)])
        .filter_map(|(name, rows)| {
            let circle = find_circle(rows)?;
            Some(Finding::new(TABLE, format!("[{name}] allows a circle: {}", circle.join(" -> "))))
        })
        .collect()
}

/// The first circle of a graph, its first node repeated at the end.
fn find_circle(graph: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut done = BTreeSet::new();
    graph.keys().find_map(|start| follow(graph, start, &mut Vec::new(), &mut done))
}

fn follow(
    graph: &BTreeMap<String, BTreeSet<String>>,
    node: &str,
    path: &mut Vec<String>,
    done: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    if let Some(begin) = path.iter().position(|earlier| earlier == node) {
        let mut circle = path.split_off(begin);
        circle.push(node.to_owned());
        return Some(circle);
    }
    if done.contains(node) {
        return None;
    }
    path.push(node.to_owned());
    for next in graph.get(node).into_iter().flatten() {
        if let Some(circle) = follow(graph, next, path, done) {
            return Some(circle);
        }
    }
    path.pop();
    done.insert(node.to_owned());
    None
}

/// The dependencies that a crate ships with; what its tests use may point anywhere.
fn check_manifest(krate: &str, manifest: &Source, layers: &Layers) -> Vec<Finding> {
    let Some(allowed) = layers.crates.get(krate) else {
        return vec![Finding::new(TABLE, format!("[{CRATES}] has no row for `{krate}`"))];
    };
    let table: Table = match manifest.text.parse() {
        Ok(table) => table,
        Err(error) => return vec![Finding::new(&manifest.path, format!("{error}"))],
    };
    let targets = table.get("target").and_then(Value::as_table).into_iter().flatten();
    let platform_tables = targets.filter_map(|(_, target)| target.as_table());
    let mut findings = Vec::new();
    for section in platform_tables.chain([&table]) {
        let dependencies = ["dependencies", "build-dependencies"].map(|kind| section.get(kind));
        for name in dependencies.into_iter().flatten().filter_map(Value::as_table).flat_map(Table::keys) {
            if layers.crates.contains_key(name) && !allowed.contains(name) {
                let rule = format!("`{krate}` depends on `{name}`, which {TABLE} does not allow");
                findings.push(Finding::new(&manifest.path, rule));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRATE: &str = "[crates]\nlow = []\nhigh = [\"low\"]\n\
                         [high]\ntop = [\"floor\", \"ground\"]\nfloor = [\"ground\"]\nground = []\n[low]\n";

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<Source> =
            files.iter().map(|(path, text)| Source::new(path, (*text).to_owned())).collect();
        let layers = Layers::parse(CRATE).unwrap();
        check(&sources, &layers).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_import_that_points_up_is_refused() {
        let found = findings(&[
            ("crates/high/Cargo.toml", "[dependencies]\nlow.workspace = true\n"),
            ("crates/high/src/lib.rs", "mod top; mod floor; mod ground;\n"),
            ("crates/high/src/top/mod.rs", "use crate::{floor, ground};\n"),
            ("crates/high/src/floor.rs", "use crate::ground;\n"),
            ("crates/high/src/ground.rs", "fn f() { crate::floor::g() }\n#[cfg(test)]\nuse crate::top;\n"),
        ]);
        assert_eq!(
            found,
            [
                "crates/high/src/ground.rs:1: `ground` of high imports `floor`, which xtask/layers.toml does not allow",
                "crates/high/src/floor.rs:1, crates/high/src/ground.rs:1: a circle of imports in high: floor -> ground \
                 -> floor",
            ]
        );
    }

    #[test]
    fn a_circle_within_a_folder_is_refused() {
        let found = findings(&[
            ("crates/high/Cargo.toml", ""),
            ("crates/high/src/top/mod.rs", "mod a; mod b; pub use b::B;\n"),
            ("crates/high/src/top/a.rs", "use super::B;\n"),
            ("crates/high/src/top/b.rs", "\nuse super::a;\n"),
        ]);
        let circle = "crates/high/src/top/a.rs:1, crates/high/src/top/b.rs:2: a circle of imports in high: top/a -> \
                      top/b -> top/a";
        assert_eq!(found, [circle]);
    }

    #[test]
    fn a_crate_depends_only_on_those_below() {
        let found = findings(&[
            (
                "crates/low/Cargo.toml",
                "[target.x.dependencies]\nhigh.workspace = true\n[dev-dependencies]\nhigh = {}\n",
            ),
            ("crates/new/Cargo.toml", ""),
        ]);
        assert_eq!(
            found,
            [
                "crates/low/Cargo.toml: `low` depends on `high`, which xtask/layers.toml does not allow",
                "xtask/layers.toml: [crates] has no row for `new`",
                "xtask/layers.toml: has no table for the crate `new`",
            ]
        );
    }

    #[test]
    fn the_table_itself_has_a_direction() {
        let layers = Layers::parse("[crates]\n[a]\nx = [\"y\"]\ny = [\"z\"]\nz = [\"x\"]\n").unwrap();
        let found: Vec<String> = check(&[], &layers).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["xtask/layers.toml: [a] allows a circle: x -> y -> z -> x"]);
    }
}
