//! Any text as a path: no panic, nothing in it that a request line cannot hold, the same path when
//! it is parsed again, and as secret as before.
#![no_main]

use imds_model::MetadataPath;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let Ok(path) = text.parse::<MetadataPath>() else { return };
    assert!(path.as_str().starts_with('/'));
    assert!(path.as_str().bytes().all(|byte| byte.is_ascii_graphic()), "{path:?}");
    let again: MetadataPath = path.as_str().parse().expect("a path is a path");
    assert_eq!(again.as_str(), path.as_str());
    assert_eq!(again.is_secret(), path.is_secret());
    let _ = (path.redacted(), path.lists_secrets(), path.below_version(), imds_model::catalogue::find(&path));
    let _ = path.child(&text).map(|child| child.is_secret() || !path.is_secret());
});
