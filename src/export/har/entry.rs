//! The parts of an entry: heads, cookies, query, times.

use super::Pending;
use crate::export::json::{self, lit};
use crate::model::{Connection, Handshake, Head, Mark, Span, StartLine, Timestamp, push_percent};
use std::io::Write as _;

/// Appends an entry up to its heads.
pub(super) fn begin(pending: &Pending, row: &mut Vec<u8>) {
    let Pending { row: connection, .. } = pending;
    let times = Times::of(pending);
    lit!(row, r#"{"_resourceType":"websocket","startedDateTime":"#);
    date(times.start, row);
    lit!(row, r#","time":"#);
    millis(times.send.saturating_add(times.wait).saturating_add(times.receive), row);
    lit!(row, r#","timings":{"blocked":-1,"dns":-1,"connect":-1,"ssl":-1,"send":"#);
    millis(times.send, row);
    lit!(row, r#","wait":"#);
    millis(times.wait, row);
    lit!(row, r#","receive":"#);
    millis(times.receive, row);
    lit!(row, r#"},"cache":{},"serverIPAddress":"#);
    let _ = write!(row, "\"{}\"", connection.server().ip);
    if let Some(stream) = connection.stream {
        let _ = write!(row, r#","connection":"{stream}""#);
    }
    lit!(row, r#","comment":"#);
    json::string(row, &comment(connection, &times));
    lit!(row, ",");
}

/// What there is to say of a connection: how it ended, and whether the capture has no times.
fn comment(connection: &Connection, times: &Times) -> String {
    let verdict = connection.verdict().text;
    if times.start.is_some() { verdict } else { format!("{verdict}; the capture has no times") }
}

/// How long what took, in nanoseconds, on the wire.
struct Times {
    start: Option<Timestamp>,
    /// From the first packet of the request to its last.
    send: i64,
    /// From there to the first packet of the answer; to the end, where there is none.
    wait: i64,
    /// From there to the end of the connection.
    receive: i64,
}

impl Times {
    fn of(pending: &Pending) -> Self {
        let Pending { row, asked, answered } = pending;
        let end = row.span.last;
        let first = asked.or(*answered).map_or(row.span.first, |span| span.first);
        // A clock that was set back while the capture ran tells nothing.
        let between = |from: Mark, to: Mark| to.since(from).unwrap_or(0).max(0);
        let sent = asked.map_or(first, |span| span.last);
        let heard = answered.map_or(end, |Span { first, .. }| first);
        let is_answered = answered.is_some() || asked.is_none();
        let heard = if asked.is_none() { first } else { heard };
        Self {
            start: first.time,
            send: between(first, sent),
            wait: between(sent, heard),
            receive: if is_answered { between(heard, end) } else { 0 },
        }
    }
}

/// Appends `request` and `response`.
pub(super) fn write_heads(connection: &Connection, handshake: &Handshake, row: &mut Vec<u8>) {
    lit!(row, r#""request":"#);
    request(connection, handshake, row);
    lit!(row, r#","response":"#);
    response(handshake.response.as_ref(), row);
}

fn request(connection: &Connection, handshake: &Handshake, row: &mut Vec<u8>) {
    let url = handshake.url.as_ref().or(connection.opened.url.as_ref());
    let head = handshake.request.as_ref();
    let (method, target, version) = match head.map(|head| &head.start) {
        Some(StartLine::Request { method, target, version }) => (method.as_str(), target.as_str(), version.as_str()),
        _ => ("GET", "", ""),
    };
    lit!(row, r#"{"method":"#);
    json::string(row, method);
    lit!(row, r#","url":"#);
    json::string(row, &url.map_or_else(|| address(connection), |url| uri(url)));
    lit!(row, r#","httpVersion":"#);
    json::string(row, version);
    headers(head, row);
    lit!(row, r#","cookies":"#);
    let cookies = head.into_iter().flat_map(|head| head.values("cookie")).flat_map(|value| value.split(';'));
    json::list(row, cookies.map(str::trim).filter(|pair| !pair.is_empty()), |row, pair| {
        lit!(row, "{");
        named(pair, row);
        lit!(row, "}");
    });
    lit!(row, r#","queryString":"#);
    // A fragment does not belong in a request; where one is sent, it is no part of the query.
    let target = target.split_once('#').map_or(target, |(target, _)| target);
    let query = target.split_once('?').map_or("", |(_, query)| query);
    json::list(row, query.split('&').filter(|pair| !pair.is_empty()), |row, pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        lit!(row, r#"{"name":"#);
        json::string(row, name);
        lit!(row, r#","value":"#);
        json::string(row, value);
        lit!(row, "}");
    });
    lit!(row, r#","bodySize":"#);
    json::int(row, if head.is_some() { 0 } else { -1 });
    if url.is_none() {
        lit!(row, r#","comment":"the request was not captured, or cannot be read: the URL is its server's address""#);
    }
    lit!(row, "}");
}

/// Where a connection leads whose request nobody knows.
fn address(connection: &Connection) -> String {
    let (scheme, tls) = match &connection.opened.tls {
        Some(tls) => ("wss", tls.sni.as_deref()),
        None => ("ws", None),
    };
    tls.map_or_else(|| format!("{scheme}://{}/", connection.server()), |sni| format!("{scheme}://{sni}/"))
}

fn response(head: Option<&Head>, row: &mut Vec<u8>) {
    let (status, reason, version) = match head.map(|head| &head.start) {
        Some(StartLine::Response { version, status, reason }) => (*status, reason.as_str(), version.as_str()),
        _ => (0, "", ""),
    };
    lit!(row, r#"{"status":"#);
    json::int(row, status);
    lit!(row, r#","statusText":"#);
    json::string(row, reason);
    lit!(row, r#","httpVersion":"#);
    json::string(row, version);
    headers(head, row);
    lit!(row, r#","cookies":"#);
    json::list(row, head.into_iter().flat_map(|head| head.values("set-cookie")), set_cookie);
    // A switch has no body; that of a refusal is not kept.
    let size = if status == 101 { 0 } else { -1 };
    lit!(row, r#","content":{"size":"#);
    json::int(row, size);
    lit!(row, r#","mimeType":"#);
    json::string(row, head.and_then(|head| head.value("content-type")).unwrap_or("x-unknown"));
    lit!(row, r#"},"redirectURL":"#);
    json::string(row, head.and_then(|head| head.value("location")).unwrap_or_default());
    lit!(row, r#","bodySize":"#);
    json::int(row, size);
    if head.is_none() {
        lit!(row, r#","comment":"the answer was not captured, or cannot be read""#);
    }
    lit!(row, "}");
}

/// Appends `headers` and `headersSize`.
fn headers(head: Option<&Head>, row: &mut Vec<u8>) {
    lit!(row, r#","headers":"#);
    json::list(row, head.into_iter().flat_map(|head| &head.headers), |row, (name, value)| {
        lit!(row, r#"{"name":"#);
        json::string(row, name);
        lit!(row, r#","value":"#);
        json::string(row, value);
        lit!(row, "}");
    });
    lit!(row, r#","headersSize":"#);
    match head.filter(|head| head.whole) {
        Some(head) => json::int(row, head.len),
        None => lit!(row, "-1"),
    }
}

/// Appends `name` and `value` of a cookie; one without `=` has no name (RFC 6265bis §5.7).
fn named(pair: &str, row: &mut Vec<u8>) {
    let (name, value) = pair.split_once('=').unwrap_or(("", pair));
    lit!(row, r#""name":"#);
    json::string(row, name.trim());
    lit!(row, r#","value":"#);
    json::string(row, value.trim());
}

/// Appends a cookie that is set (RFC 6265 §5.2); attributes that HAR does not know are left out.
fn set_cookie(row: &mut Vec<u8>, text: &str) {
    let mut parts = text.split(';').map(str::trim);
    let (mut http_only, mut secure) = (false, false);
    lit!(row, "{");
    named(parts.next().unwrap_or_default(), row);
    // Of an attribute that comes twice the last counts, and no key may.
    let (mut path, mut domain, mut expires) = (None, None, None);
    for part in parts {
        let (name, value) = part.split_once('=').map_or((part, ""), |(name, value)| (name.trim(), value.trim()));
        match name.to_ascii_lowercase().as_str() {
            "path" => path = Some(value.to_owned()),
            "domain" => domain = Some(value.to_owned()),
            "expires" => expires = expiry(value),
            "httponly" => http_only = true,
            "secure" => secure = true,
            _ => {}
        }
    }
    for (name, value) in [("path", path), ("domain", domain), ("expires", expires)] {
        if let Some(value) = value {
            lit!(row, ",");
            json::name(row, name);
            lit!(row, ":");
            json::string(row, &value);
        }
    }
    lit!(row, r#","httpOnly":"#);
    json::bool(row, http_only);
    lit!(row, r#","secure":"#);
    json::bool(row, secure);
    lit!(row, "}");
}

/// `Wed, 21 Oct 2026 07:28:00 GMT` (RFC 9110 §5.6.7) as HAR wants it; `None` for what is no such date.
fn expiry(text: &str) -> Option<String> {
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(zoned.timestamp().strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string())
}

/// Appends a time as browsers write it, to the millisecond: readers know no finer one. What has none is of 1970.
fn date(at: Option<Timestamp>, row: &mut Vec<u8>) {
    let text = at.unwrap_or(Timestamp::from_nanos(0)).to_string();
    let (seconds, fraction) = text.split_once('.').unwrap_or((&text, "000"));
    let _ = write!(row, "\"{seconds}.{}Z\"", fraction.get(..3).unwrap_or("000"));
}

/// Appends nanoseconds as milliseconds.
fn millis(nanos: i64, row: &mut Vec<u8>) {
    decimal(nanos, 6, row);
}

/// Appends `value / 10^digits`, exactly and without needless zeros.
pub(super) fn decimal(value: i64, digits: u32, row: &mut Vec<u8>) {
    let unit = 10_u64.pow(digits);
    let (whole, rest) = (value.unsigned_abs() / unit, value.unsigned_abs() % unit);
    if value < 0 {
        lit!(row, "-");
    }
    json::int(row, whole);
    if rest > 0 {
        let fraction = format!("{rest:00$}", digits as usize);
        let _ = write!(row, ".{}", fraction.trim_end_matches('0'));
    }
}

/// A URL as a URI has it (RFC 3986 §2): what must not stand there is percent-encoded, escapes stay.
fn uri(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for byte in url.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte) {
            out.push(char::from(byte));
        } else {
            push_percent(byte, &mut out);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut row = Vec::new();
        write(&mut row);
        String::from_utf8(row).unwrap()
    }

    #[test]
    fn decimals_are_exact() {
        let decimal = |value, digits| written(|row| decimal(value, digits, row));
        assert_eq!(decimal(1_700_000_647_060_101_000, 9), "1700000647.060101");
        assert_eq!(decimal(412_000_000, 6), "412");
        assert_eq!(decimal(1, 6), "0.000001");
        assert_eq!(decimal(0, 9), "0");
        assert_eq!(decimal(-1_500_000_000, 9), "-1.5");
        assert_eq!(decimal(i64::MIN, 9), "-9223372036.854775808");
    }

    #[test]
    fn dates_are_those_of_browsers() {
        let shown = |nanos: Option<i64>| written(|row| date(nanos.map(Timestamp::from_nanos), row));
        assert_eq!(shown(Some(1_700_000_647_060_901_000)), r#""2023-11-14T22:24:07.060Z""#);
        assert_eq!(shown(None), r#""1970-01-01T00:00:00.000Z""#);
    }

    #[test]
    fn cookies_that_are_set() {
        let set = |text| written(|row| set_cookie(row, text));
        assert_eq!(
            set("sid=a=b; Path=/x; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly; SameSite=Lax; path=/"),
            r#"{"name":"sid","value":"a=b","path":"/","expires":"2026-10-21T07:28:00.000Z","httpOnly":true,"secure":false}"#
        );
        assert_eq!(
            set("bare; Secure; Expires=soon; Domain=a.test"),
            r#"{"name":"","value":"bare","domain":"a.test","httpOnly":false,"secure":true}"#
        );
    }
}
