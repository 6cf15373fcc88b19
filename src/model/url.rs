//! URLs, as far as they tell where a connection leads.

/// The parts of `ws://host:80/path?query#fragment`: host without its port, path, query.
pub fn url_parts(url: &str) -> (&str, &str, Option<&str>) {
    let (authority, path) = halves(url);
    let path = path.split_once('#').map_or(path, |(path, _)| path);
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let host = without_user(authority);
    let host = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((host, _)) => host,
        None => host.rsplit_once(':').map_or(host, |(host, _)| host),
    };
    (host, path, query)
}

/// Host and port of `ws://host:80/path`.
pub fn url_authority(url: &str) -> &str {
    without_user(halves(url).0)
}

/// What stands before the path, and from it on.
fn halves(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or((rest, ""), |at| rest.split_at(at))
}

fn without_user(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_falls_into_parts() {
        assert_eq!(url_parts("wss://u@h.test:81/a/b?c=1?#d"), ("h.test", "/a/b", Some("c=1?")));
        assert_eq!(url_parts("ws://[::1]:80/"), ("::1", "/", None));
        assert_eq!(url_parts("ws://h"), ("h", "", None));
        assert_eq!(url_authority("ws://u@[::1]:80/a@b"), "[::1]:80");
    }
}
