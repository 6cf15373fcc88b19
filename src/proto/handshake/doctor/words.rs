//! Evidence in words: headers, short and without what is secret.

use crate::model::Head;

/// Bytes of a header's value, or of a body, that are repeated in a finding.
pub(super) const BRIEF: usize = 160;

/// What a header says: `Upgrade: websocket`, `no Upgrade`.
pub(in crate::proto) fn shown(head: &Head, name: &str) -> String {
    header(head, name).unwrap_or_else(|| format!("no {name}"))
}

/// What a header says, if it is there; several lines are `one | two`.
pub(super) fn header(head: &Head, name: &str) -> Option<String> {
    let values = head.values(name).collect::<Vec<_>>();
    (!values.is_empty()).then(|| format!("{name}: {}", brief(&values.join(" | "))))
}

/// A text that may be long, cut.
pub(super) fn brief(text: &str) -> String {
    match beginning(text, BRIEF) {
        whole if whole.len() == text.len() => text.to_owned(),
        part => format!("{part}…"),
    }
}

/// At most so many bytes of a text, up to the end of a character.
pub(super) fn beginning(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = (0..=most).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// A list of subprotocols, without the tokens that some clients send in it.
pub(super) fn protocols<'a>(list: impl IntoIterator<Item = &'a str>) -> String {
    let shown = list.into_iter().map(|name| if is_bearer(name) { "(a bearer token)" } else { name });
    brief(&shown.collect::<Vec<_>>().join(", "))
}

/// Whether a subprotocol is a credential, as Kubernetes and some tunnels send them.
pub(super) fn is_bearer(subprotocol: &str) -> bool {
    subprotocol.to_ascii_lowercase().contains("bearer") || is_jwt(subprotocol)
}

/// Whether a value looks like a JSON Web Token (RFC 7519 §3): three parts, the first of which begins with `{"` in base64.
pub(super) fn is_jwt(value: &str) -> bool {
    value.starts_with("eyJ") && value.bytes().filter(|&byte| byte == b'.').count() == 2
}

/// An address or target without what may be secret in it: user and password, query, fragment.
pub(super) fn public(url: &str) -> String {
    let (address, hidden) = match url.find(['?', '#']) {
        Some(at) => (url.get(..at).unwrap_or_default(), "?…"),
        None => (url, ""),
    };
    let address = match address.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => address.to_owned(),
    };
    brief(&address) + hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_repeated() {
        assert_eq!(public("/chat?token=abc#x"), "/chat?…");
        assert_eq!(public("https://me:pw@host:1/a@b"), "https://host:1/a@b");
        assert_eq!(public("https://host"), "https://host");
        assert_eq!(
            protocols(["v1", "authorization.bearer.eyJh.b.c", "eyJh.b.c"]),
            "v1, (a bearer token), (a bearer token)"
        );
        assert_eq!(brief(&"é".repeat(100)), format!("{}…", "é".repeat(80)));
    }
}
