//! A tree of values in the shapes that people and programs take it in.

pub(crate) mod env;
pub(crate) mod json;
pub(crate) mod shell;
pub(crate) mod snapshot;
pub(crate) mod yaml;

use imds::{MetadataPath, Response};

/// A value of a tree, with the names that lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// Where it is.
    pub(crate) path: MetadataPath,
    /// Its bytes.
    pub(crate) value: Vec<u8>,
}

impl From<Response> for Leaf {
    fn from(response: Response) -> Self {
        Self { path: response.path().clone(), value: response.into_bytes() }
    }
}

impl Leaf {
    /// The names of the path, percent-decoded, below a directory; all of them for a leaf that is no
    /// part of it.
    pub(crate) fn names_below(&self, directory: &MetadataPath) -> Vec<String> {
        let below = self.path.as_str().strip_prefix(directory.as_str().trim_end_matches('/'));
        let below = below.filter(|rest| !rest.trim_matches('/').is_empty()).unwrap_or(self.path.as_str());
        below.split('/').filter(|name| !name.is_empty()).map(decoded).collect()
    }
}

/// A segment of a path without its percent-encoding.
fn decoded(segment: &str) -> String {
    // Any version does: only what is below it is looked at.
    let path: Result<MetadataPath, _> = format!("/latest/{segment}").parse();
    path.map_or_else(|_| segment.to_owned(), |path| path.below_version().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_relative_and_decoded() {
        let leaf = Leaf { path: "tags/instance/Gr%C3%B6%C3%9Fe".parse().unwrap(), value: Vec::new() };
        assert_eq!(leaf.names_below(&"/latest/meta-data".parse().unwrap()), ["tags", "instance", "Größe"]);
        assert_eq!(leaf.names_below(&"tags/instance/".parse().unwrap()), ["Größe"]);
        let whole = ["latest", "meta-data", "tags", "instance", "Größe"];
        assert_eq!(leaf.names_below(&leaf.path.clone()), whole);
    }
}
