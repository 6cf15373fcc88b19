//! What breaks no rule and is worth knowing: origins, credentials, a slow answer.

use super::words::{brief, is_bearer, is_jwt};
use super::{Case, Outcome, Rule};
use crate::model::{Head, NoteCode, StartLine, count, duration};

/// Of a request.
pub(super) const REQUEST: &[Rule] =
    &[(NoteCode::Origin, origin), (NoteCode::ClearCredentials, clear_credentials), (NoteCode::QueryToken, query_token)];

/// Of any answer.
pub(super) const ANSWER: &[Rule] = &[(NoteCode::HsSlow, slow)];

/// Nanoseconds that an answer may take. People notice one second, and some servers start things for an upgrade.
const SLOW: i64 = 2_000_000_000;

fn slow(case: &Case<'_>) -> Outcome {
    match case.handshake.latency {
        Some(latency) if latency > SLOW => Outcome::Broken(format!("after {}", duration(latency))),
        _ => Outcome::Silent,
    }
}

fn origin(case: &Case<'_>) -> Outcome {
    match case.request().and_then(foreign_origin) {
        Some((origin, host)) => Outcome::Broken(format!("Origin {}, Host {}", brief(origin), brief(host))),
        None => Outcome::Silent,
    }
}

/// Origin and Host of a request, when they are not of one origin (RFC 6454 §4): scheme, host and port make it. The scheme of the
/// request is not known here: a proxy may have taken TLS off.
pub(super) fn foreign_origin(head: &Head) -> Option<(&str, &str)> {
    let origin = head.value("origin").or_else(|| head.value("sec-websocket-origin"))?;
    let host = head.authority().unwrap_or_default();
    let same = origin.eq_ignore_ascii_case(host)
        || origin.split_once("://").is_some_and(|(scheme, authority)| {
            let default = match scheme {
                "http" => 80,
                "https" => 443,
                _ => return false,
            };
            let ((name, port), (host, host_port)) = (split_port(authority), split_port(host));
            let port = port.unwrap_or(default);
            name.eq_ignore_ascii_case(host) && host_port.map_or(matches!(port, 80 | 443), |host_port| host_port == port)
        });
    (!same).then_some((origin, host))
}

/// `host:port`, `host`, `[::1]:port`.
fn split_port(authority: &str) -> (&str, Option<u16>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
        _ => (authority, None),
    }
}

/// On a loopback interface nobody listens.
fn clear_credentials(case: &Case<'_>) -> Outcome {
    let Some(head) = case.request() else { return Outcome::Silent };
    let is_clear = case.handshake.url.as_deref().is_some_and(|url| url.starts_with("ws://"));
    if !is_clear || case.ends.0.ip.is_loopback() && case.ends.1.ip.is_loopback() {
        return Outcome::Silent;
    }
    let has = |name: &str| head.value(name).is_some_and(|value| !value.is_empty());
    let bearer = head.list("sec-websocket-protocol").any(is_bearer);
    let found = [
        (has("cookie"), "Cookie"),
        (has("authorization"), "Authorization"),
        (bearer, "a bearer token in Sec-WebSocket-Protocol"),
    ];
    let found: Vec<&str> = found.iter().filter(|(is_there, _)| *is_there).map(|&(_, what)| what).collect();
    if found.is_empty() { Outcome::Silent } else { Outcome::Broken(found.join(", ")) }
}

/// Names of parameters that carry credentials, without `-` and `_`. What only tells sessions apart (`sid`, `session_id`)
/// is none: Engine.IO and Jupyter number their connections so.
const SECRETS: [&str; 19] = [
    "accesstoken",
    "apikey",
    "apitoken",
    "auth",
    "authorization",
    "authtoken",
    "bearer",
    "clientsecret",
    "idtoken",
    "jsessionid",
    "jwt",
    "passwd",
    "password",
    "phpsessid",
    "secret",
    "sessiontoken",
    "ticket",
    "token",
    "xapikey",
];

/// Values that are no credential, whatever the name says.
const BLANK: [&str; 6] = ["", "0", "1", "true", "false", "null"];

fn query_token(case: &Case<'_>) -> Outcome {
    let Some(StartLine::Request { target, .. }) = case.request().map(|head| &head.start) else {
        return Outcome::Silent;
    };
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    let secret = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, value)| {
        let name: String = name.chars().filter(|c| !matches!(c, '-' | '_')).collect();
        !BLANK.contains(value) && SECRETS.contains(&name.to_ascii_lowercase().as_str()) || is_jwt(value)
    });
    match secret {
        Some((name, value)) => {
            Outcome::Broken(format!("parameter {} of {}", brief(name), count(value.len() as u64, "byte")))
        }
        None => Outcome::Silent,
    }
}
