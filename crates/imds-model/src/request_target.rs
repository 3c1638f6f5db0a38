//! The target of an HTTP request, as the service reads it.

use std::borrow::Cow;

/// Returns the path of a request target: without query and fragment and, in the absolute form of a
/// proxy request, without the host. Several slashes in a row are one: the service tolerates them
/// (ex-aws/ex_aws#496), and clients that join an endpoint which ends in `/` with a path that begins
/// with one send them, for session tokens too. The service's view of a query is unknown.
#[must_use]
pub fn path_of(target: &str) -> Cow<'_, str> {
    let path = match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.find('/').map_or("/", |slash| &rest[slash..]),
        _ => target,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if !path.contains("//") {
        return Cow::Borrowed(path);
    }
    let mut single = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !single.ends_with('/') {
            single.push(character);
        }
    }
    Cow::Owned(single)
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn of_every_form() {
        for (target, path) in [
            ("/latest/user-data?token=hunter2", "/latest/user-data"),
            ("/latest/user-data?at=http://a/b#c", "/latest/user-data"),
            ("http://169.254.169.254/latest/x#y", "/latest/x"),
            ("http://169.254.169.254//latest/x", "/latest/x"),
            ("http://169.254.169.254", "/"),
            ("//latest//api///token?x=//", "/latest/api/token"),
            ("/a://b", "/a:/b"),
            ("*", "*"),
            ("", ""),
        ] {
            assert_eq!(path_of(target), path, "{target}");
        }
    }
}
