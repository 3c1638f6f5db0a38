//! The languages that are parsed.

use std::sync::OnceLock;

use tree_sitter::Language;

/// A language with a grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// POSIX shell and bash.
    Bash,
    /// PowerShell.
    PowerShell,
    /// Python.
    Python,
    /// JavaScript.
    JavaScript,
    /// Go.
    Go,
    /// Ruby.
    Ruby,
    /// Java.
    Java,
    /// HCL: Terraform and Packer.
    Hcl,
    /// YAML.
    Yaml,
    /// JSON.
    Json,
    /// Dockerfiles.
    Containerfile,
}

impl Grammar {
    /// What a message calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bash => "shell",
            Self::PowerShell => "PowerShell",
            Self::Python => "Python",
            Self::JavaScript => "JavaScript",
            Self::Go => "Go",
            Self::Ruby => "Ruby",
            Self::Java => "Java",
            Self::Hcl => "HCL",
            Self::Yaml => "YAML",
            Self::Json => "JSON",
            Self::Containerfile => "a Dockerfile",
        }
    }

    /// The grammar, loaded once and kept, so that the names of its nodes are static.
    pub(super) fn language(self) -> &'static Language {
        static LOADED: [OnceLock<Language>; 11] = [const { OnceLock::new() }; 11];
        let [first, ..] = &LOADED;
        LOADED.get(self as usize).unwrap_or(first).get_or_init(|| self.load())
    }

    fn load(self) -> Language {
        match self {
            Self::Bash => tree_sitter_bash::LANGUAGE.into(),
            Self::PowerShell => tree_sitter_powershell::LANGUAGE.into(),
            Self::Python => tree_sitter_python::LANGUAGE.into(),
            Self::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
            Self::Go => tree_sitter_go::LANGUAGE.into(),
            Self::Ruby => tree_sitter_ruby::LANGUAGE.into(),
            Self::Java => tree_sitter_java::LANGUAGE.into(),
            Self::Hcl => tree_sitter_hcl::LANGUAGE.into(),
            Self::Yaml => tree_sitter_yaml::LANGUAGE.into(),
            Self::Json => tree_sitter_json::LANGUAGE.into(),
            Self::Containerfile => tree_sitter_containerfile::LANGUAGE.into(),
        }
    }
}
