//! Any text in a language that `imds-lint` reads: no panic, edits that lie in the text, and a
//! rewritten text that can be read again. `LINT_KIND` names the language; `fuzz/run` sets it, so
//! that each parser has a corpus and a time of its own.
#![no_main]

use std::sync::LazyLock;

use imds_lint::check::{Settings, check, check_as};
use imds_lint::extract::kind::{Kind, Manifest};
use imds_lint::fix::Style;
use imds_lint::fix::apply::{apply, choose};
use libfuzzer_sys::fuzz_target;

/// `None`: what the bytes themselves say, archives and user data included.
static KIND: LazyLock<Option<Kind>> = LazyLock::new(|| {
    Some(match std::env::var("LINT_KIND").as_deref() {
        Ok("shell") => Kind::Shell,
        Ok("powershell") => Kind::PowerShell,
        Ok("python") => Kind::Python,
        Ok("javascript") => Kind::JavaScript,
        Ok("go") => Kind::Go,
        Ok("ruby") => Kind::Ruby,
        Ok("java") => Kind::Java,
        Ok("dockerfile") => Kind::Dockerfile,
        Ok("hcl") => Kind::Hcl,
        Ok("yaml") => Kind::Yaml,
        Ok("json") => Kind::Json,
        Ok("manifest") => Kind::Manifest(Manifest::PackageJson),
        Ok("content") => return None,
        other => panic!("LINT_KIND is {other:?}"),
    })
});

fuzz_target!(|bytes: &[u8]| {
    for style in [Style::Imds, Style::Curl] {
        let settings = Settings { style };
        let read = |bytes: &[u8]| match *KIND {
            Some(kind) => check_as(kind, bytes, settings),
            None => check("user-data", bytes, settings),
        };
        let checked = read(bytes);
        let groups: Vec<_> = checked.findings.iter().map(|finding| &finding.edits[..]).collect();
        for edit in groups.iter().flat_map(|group| group.iter()) {
            assert!(checked.text.get(edit.span.start..edit.span.end).is_some(), "{edit:?}");
        }
        let chosen = choose(&groups);
        if !chosen.is_empty() {
            let _ = read(apply(&checked.text, &chosen).as_bytes());
        }
    }
});
