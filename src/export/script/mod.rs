//! Programs that say again what was said: what both languages have in common.
//!
//! What somebody sent never becomes code: in Python it is JSON in comments, in shell escapes and base64 in quotes.

mod python;
mod shell;

pub use python::Python;
pub use shell::{Shell, websocat};

use crate::model::{Head, StartLine};

/// Headers that the player's own handshake has, or that are about one hop only.
const OF_THE_HOP: &[&str] =
    &["host", "connection", "upgrade", "keep-alive", "proxy-connection", "content-length", "transfer-encoding", "te"];

/// Headers that let somebody in.
const SECRET: &[&str] = &["cookie", "set-cookie", "authorization", "proxy-authorization"];

/// The headers of a head that are sent again, those that let somebody in only if told.
fn headers(head: Option<&Head>, secrets: bool) -> impl Iterator<Item = (&str, &str)> {
    let is_among = |names: &[&str], name: &str| names.iter().any(|own| own.eq_ignore_ascii_case(name));
    let all = head.into_iter().flat_map(|head| &head.headers).map(|(name, value)| (name.trim_end(), value.as_str()));
    all.filter(move |(name, _)| {
        let is_of_websocket = name.get(..14).is_some_and(|begin| begin.eq_ignore_ascii_case("sec-websocket-"));
        // Those of HTTP/2 that begin with a colon say what the player's own request line does.
        !is_of_websocket
            && !name.starts_with(':')
            && !is_among(OF_THE_HOP, name)
            && (secrets || !is_among(SECRET, name))
    })
}

/// Path and query that were asked for; `/` where nobody knows.
fn path(head: Option<&Head>) -> &str {
    match head.map(|head| &head.start) {
        Some(StartLine::Request { target, .. }) if target.starts_with('/') => target,
        _ => "/",
    }
}
