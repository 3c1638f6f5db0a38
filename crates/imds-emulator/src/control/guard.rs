//! Keeps web pages away from the control API: a browser on this machine may be made to send
//! requests here.

/// Whether a request may have come from this machine's user, and not from a foreign page: `Host` is
/// a loopback name, so that no DNS name was rebound to us; `Origin`, where there is one, is ours; a
/// browser does not call it cross-site.
pub(crate) fn admits(host: Option<&str>, origin: Option<&str>, fetch_site: Option<&str>) -> bool {
    host.is_some_and(is_loopback)
        && origin.is_none_or(|origin| origin.strip_prefix("http://").is_some_and(|rest| Some(rest) == host))
        && fetch_site.is_none_or(|site| matches!(site, "same-origin" | "none"))
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    matches!(name, "127.0.0.1" | "localhost" | "::1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_pages_are_kept_away() {
        let local = Some("127.0.0.1:1339");
        assert!(admits(local, None, None));
        assert!(admits(Some("localhost:1339"), Some("http://localhost:1339"), Some("same-origin")));
        assert!(admits(Some("[::1]:1339"), None, Some("none")));
        for (host, origin, site) in [
            (None, None, None),
            (Some("rebound.example:1339"), None, None),
            (Some("127.0.0.1.example"), None, None),
            (local, Some("http://rebound.example:1339"), None),
            (local, Some("http://127.0.0.1:8080"), None),
            (local, Some("null"), None),
            (local, Some("https://127.0.0.1:1339"), None),
            (local, None, Some("cross-site")),
            (local, None, Some("same-site")),
        ] {
            assert!(!admits(host, origin, site), "{host:?} {origin:?} {site:?}");
        }
    }
}
