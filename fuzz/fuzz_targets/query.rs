//! Any text as a `--query`: no panic and no deep recursion, in parsing and in applying it. It
//! compiles the command's own module, because the command is no library.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// What the module uses of the command's exit codes.
mod exit {
    #[derive(Debug)]
    pub(crate) enum Exit {
        Unexpected,
    }
}

/// What the module uses of the command's errors.
mod report {
    use crate::exit::Exit;

    #[derive(Debug)]
    pub(crate) struct Failure;

    impl Failure {
        pub(crate) fn usage(_: String) -> Self {
            Self
        }

        pub(crate) fn told(_: Exit, _: String) -> Self {
            Self
        }

        pub(crate) fn caused_by(self, _: String) -> Self {
            self
        }
    }
}

#[path = "../../crates/imds-cli/src/query/mod.rs"]
mod query;
#[allow(dead_code, reason = "the command uses the rest")]
#[path = "../../crates/imds-cli/src/suggest.rs"]
mod suggest;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(
        r#"{"a": {"b": [{"c": 1, "d": "x"}, {"c": null}]}, "items": [3, 1, 2], "t": "text"}"#,
    )
    .expect("a document")
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(query) = query::Query::parse(&String::from_utf8_lossy(bytes)) {
        let _ = query.search(&DOCUMENT);
    }
});
