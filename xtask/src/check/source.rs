//! One tracked file, and which of its lines are production code.

/// A tracked text file.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn new(path: &str, text: String) -> Self {
        Self { path: path.to_owned(), text }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Written by a program, as its first lines say: no budget and no wording applies.
    pub(crate) fn is_generated(&self) -> bool {
        self.text
            .lines()
            .take(3)
            .any(|line| line.contains("@generated") || line.contains("Written by `cargo xtask "))
    }

    /// Whether the whole file is there for tests: in a folder of them, or a `mod tests;` that has a
    /// file of its own.
    pub(crate) fn is_test_file(&self) -> bool {
        self.path.ends_with("/tests.rs")
            || ["tests/", "benches/", "fuzz/", "interop/"]
                .iter()
                .any(|folder| self.path.starts_with(folder) || self.path.contains(&format!("/{folder}")))
    }

    /// Number of lines before the unit tests.
    pub(crate) fn production_lines(&self) -> usize {
        if self.is_test_file() {
            0
        } else {
            self.text.lines().take_while(|line| *line != "#[cfg(test)]").count()
        }
    }

    /// The lines of production code, with their numbers; comments left out.
    pub(crate) fn production(&self) -> impl Iterator<Item = (usize, &str)> {
        let count = self.production_lines();
        self.numbered().take(count).filter(|(_, line)| !is_comment(line))
    }

    /// The lines of tests, with their numbers; comments left out.
    pub(crate) fn tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let count = self.production_lines();
        self.numbered().skip(count).filter(|(_, line)| !is_comment(line))
    }

    fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Where a finding points: the file and the line.
    pub(crate) fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}
