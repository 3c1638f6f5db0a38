//! Tests that need what not every machine has.

use std::io::Write as _;

/// Whether what a test needs is there. Where it is not, the test says loudly that it proved
/// nothing, and in CI it fails.
pub fn needed_or_told(there: bool, test: &str, needed: &str) -> bool {
    #[allow(clippy::disallowed_methods, reason = "CI tells its tests that none of them may be skipped")]
    let must = std::env::var_os("IMDS_SKIP_NO_TEST").is_some();
    assert!(there || !must, "{test} needs {needed}");
    if !there {
        // Past the test runner's capture, which hides what passing tests print.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {test} needs {needed}");
    }
    there
}
