//! Why an upgrade did not come about: the first cause that fits.

use super::super::excerpt::Said;
use super::super::is_switch;
use super::Case;
use super::advice::foreign_origin;
use super::heard::{Heard, REASON};
use super::rules::status as status_words;
use super::words::{brief, header, public, shown};
use crate::model::{Check, Endpoint, Head, NoteCode, Severity, StartLine, count};

/// An upgrade that was answered otherwise than with a switch to WebSocket.
struct Refused<'a> {
    case: &'a Case<'a>,
    request: Option<&'a Head>,
    answer: &'a Head,
    status: u16,
    heard: Heard,
}

/// A cause: its evidence beside the status, when it is the one.
type Cause = (NoteCode, fn(&Refused<'_>) -> Option<Vec<String>>);

/// From what the status says beyond doubt to what it leaves open.
const CAUSES: &[Cause] = &[
    (NoteCode::HsOtherProtocol, other_protocol),
    (NoteCode::HsProxyAuth, |it| it.with(it.status == 407, &["Proxy-Authenticate"])),
    (NoteCode::HsAuth, auth),
    (NoteCode::HsRateLimit, |it| it.with(it.status == 429, &["Retry-After"])),
    (NoteCode::HsGateway, |it| it.with(matches!(it.status, 502..=504 | 520..=530), &["Retry-After"])),
    (NoteCode::HsRedirect, redirect),
    (NoteCode::HsTlsPort, |it| it.with(it.says(NoteCode::HsTlsPort), &[])),
    (NoteCode::HsStripped, stripped),
    (NoteCode::HsVersions, versions),
    (NoteCode::HsOtherDemanded, other_demanded),
    (NoteCode::HsBadRequest, faulty),
    (NoteCode::HsOriginRefused, origin_refused),
    (NoteCode::HsStripped, asked_again),
    (NoteCode::HsForbidden, forbidden),
    (NoteCode::HsNotFound, not_found),
    (NoteCode::HsPlainAnswer, content),
    (NoteCode::HsBadRequest, faultless),
    (NoteCode::HsServerError, |it| {
        it.with((500..600).contains(&it.status) && !matches!(it.status, 501 | 505), &["Retry-After"])
    }),
    (NoteCode::HsStatus, |it| it.with(true, &[])),
];

/// The check that says why; `None` when the server switched to WebSocket, or did not answer.
pub(super) fn why(case: &Case<'_>) -> Option<Check> {
    let (request, answer) = (case.request(), case.answer()?);
    let status = answer.status()?;
    let is_accepted = if case.is_h2() { (200..300).contains(&status) } else { status == 101 && is_switch(answer) };
    if is_accepted {
        return None;
    }
    let heard = Heard::of(answer, request, case.said.unwrap_or(&Said::default()));
    let refused = Refused { case, request, answer, status, heard };
    let (code, evidence) = CAUSES.iter().find_map(|(code, cause)| Some((*code, cause(&refused)?)))?;
    let detail: Vec<String> = std::iter::once(status_words(answer)).chain(evidence).chain(refused.who()).collect();
    Some(Check { code, ok: false, detail: detail.join("; ") })
}

/// How a proxy refuses a CONNECT (RFC 9110 §9.3.6).
pub(in crate::proto) fn blocked(answer: &Head, to: &str, proxy: Endpoint) -> String {
    let headers =
        ["Proxy-Authenticate", "X-Squid-Error", "Server", "Via"].iter().filter_map(|name| header(answer, name));
    let headers: String = headers.map(|header| format!("; {header}")).collect();
    format!("CONNECT {} at {proxy}; {}{headers}", brief(to), status_words(answer))
}

impl Refused<'_> {
    /// The headers of the answer that are there, if `applies`.
    fn with(&self, applies: bool, headers: &[&str]) -> Option<Vec<String>> {
        applies.then(|| headers.iter().filter_map(|name| header(self.answer, name)).collect())
    }

    /// A header of the request.
    fn asked<'b>(&'b self, name: &'b str) -> Option<&'b str> {
        self.request?.value(name)
    }

    fn is_other_protocol(&self) -> bool {
        !is_switch(self.answer)
    }

    /// Whether the words of the answer name that cause.
    fn says(&self, code: NoteCode) -> bool {
        self.heard.code == Some(code)
    }

    /// Whether it is that cause by its words or, where they name none, by its status.
    fn is(&self, code: NoteCode, by_status: bool) -> bool {
        self.heard.code.map_or(by_status, |said| said == code)
    }

    /// Who answered, as far as the answer tells, and in whose words.
    fn who(&self) -> Vec<String> {
        let headers = [REASON, "Server", "Via"].iter().filter_map(|name| header(self.answer, name));
        let quote = self.heard.quote.as_ref().map(|quote| format!("body: {quote}"));
        let hint = (!self.heard.hint.is_empty()).then(|| format!("typical of {}", self.heard.hint));
        headers.chain(quote).chain(hint).collect()
    }

    /// The rules that the request breaks.
    fn faults(&self) -> Vec<String> {
        let broken = self.case.handshake.checks.iter();
        let broken = broken.filter(|check| !check.ok && check.code.severity() == Severity::Error);
        broken.map(|check| format!("{} ({})", check.code, check.detail)).collect()
    }
}

fn other_protocol(it: &Refused<'_>) -> Option<Vec<String>> {
    (it.status == 101 && it.is_other_protocol()).then(|| vec![shown(it.answer, "Upgrade")])
}

fn auth(it: &Refused<'_>) -> Option<Vec<String>> {
    let sent = it.request.map(credentials);
    (it.status == 401).then(|| std::iter::once(shown(it.answer, "WWW-Authenticate")).chain(sent).collect())
}

fn redirect(it: &Refused<'_>) -> Option<Vec<String>> {
    let to = it.answer.value("location");
    let to = to.map_or_else(|| "no Location".to_owned(), |to| format!("Location: {}", public(to)));
    matches!(it.status, 300..=303 | 305..=308).then(|| vec![to])
}

/// Headers of a request that proxies add.
const HOPS: [&str; 3] = ["Via", "Forwarded", "X-Forwarded-For"];

/// The request was captured where its hop-by-hop headers were gone already.
fn stripped(it: &Refused<'_>) -> Option<Vec<String>> {
    let request = it.request.filter(|request| !request.is_h2())?;
    // A proxy drops Upgrade; whoever has another value there wrote that himself.
    let lost =
        [("Upgrade", request.value("upgrade").is_none()), ("Connection", !request.has_token("connection", "upgrade"))];
    let lost: Vec<String> = lost
        .into_iter()
        .filter(|&(_, is_lost)| is_lost)
        .map(|(name, _)| format!("the request has {}", shown(request, name)))
        .collect();
    let hops = HOPS.iter().filter_map(|name| header(request, name));
    (!lost.is_empty()).then(|| lost.iter().cloned().chain(hops).collect())
}

fn versions(it: &Refused<'_>) -> Option<Vec<String>> {
    let own = it.asked("sec-websocket-version")?;
    let listed: Vec<&str> = it.answer.list("sec-websocket-version").collect();
    let differs = match listed.as_slice() {
        [] => own != "13" && matches!(it.status, 400 | 426),
        listed => !listed.contains(&own),
    };
    differs.then(|| {
        let listed = if listed.is_empty() { "none named".to_owned() } else { brief(&listed.join(", ")) };
        vec![format!("the client's version: {}", brief(own)), format!("the server's: {listed}")]
    })
}

fn faulty(it: &Refused<'_>) -> Option<Vec<String>> {
    let faults = it.faults();
    let explains = (400..500).contains(&it.status) && !faults.is_empty();
    explains.then(|| header(it.answer, "Allow").into_iter().chain(faults).collect())
}

/// The server demands another protocol, and WebSocket is not among those that it names (RFC 9110 §15.5.22).
fn other_demanded(it: &Refused<'_>) -> Option<Vec<String>> {
    let named = it.answer.value("upgrade").is_some_and(|named| !named.is_empty());
    (it.status == 426 && named && it.is_other_protocol()).then(|| vec![shown(it.answer, "Upgrade")])
}

/// Whom a request is for.
fn host(request: &Head) -> Option<String> {
    header(request, if request.is_h2() { ":authority" } else { "Host" })
}

/// Origin and Host, which an origin check compares.
fn origin_and_host(request: &Head) -> String {
    let host = host(request).map(|host| format!(", {host}")).unwrap_or_default();
    shown(request, "Origin") + &host
}

fn origin_refused(it: &Refused<'_>) -> Option<Vec<String>> {
    let said = it.is(NoteCode::HsOriginRefused, matches!(it.status, 400 | 403) && it.heard.of_origin);
    said.then(|| it.request.map(origin_and_host).into_iter().collect())
}

/// The server does not allow it, and does not say why: with a page of another origin, that is it more often than not.
fn forbidden(it: &Refused<'_>) -> Option<Vec<String>> {
    if !it.is(NoteCode::HsForbidden, it.status == 403) {
        return None;
    }
    let Some(request) = it.request else { return Some(Vec::new()) };
    let likely = foreign_origin(request).is_some() && it.heard.hint.is_empty();
    let origin = if likely { "most likely the origin check: " } else { "" }.to_owned() + &origin_and_host(request);
    Some(vec![origin, credentials(request)])
}

/// Whether the request says who asks.
fn credentials(request: &Head) -> String {
    let sent: Vec<&str> =
        ["Authorization", "Cookie"].into_iter().filter(|name| request.value(name).is_some()).collect();
    match sent.as_slice() {
        [] => "the request has neither Authorization nor Cookie".to_owned(),
        some => format!("the request has {}", some.join(" and ")),
    }
}

fn not_found(it: &Refused<'_>) -> Option<Vec<String>> {
    let path = it.request.and_then(|request| match &request.start {
        StartLine::Request { target, .. } => Some(format!("path {}", public(target))),
        StartLine::Response { .. } => None,
    });
    let host = it.request.and_then(host);
    it.is(NoteCode::HsNotFound, matches!(it.status, 404 | 410 | 421)).then(|| path.into_iter().chain(host).collect())
}

/// The server demands what the request, where it was captured, does ask for.
fn asked_again(it: &Refused<'_>) -> Option<Vec<String>> {
    let request = it.request.filter(|request| !request.is_h2() && it.is(NoteCode::HsStripped, it.status == 426))?;
    let hops = HOPS.iter().filter_map(|name| header(request, name));
    let asked = "the request, where it was captured, asks for the upgrade".to_owned();
    let listed = it.answer.list("sec-websocket-version").collect::<Vec<_>>();
    let listed = (!listed.is_empty()).then(|| format!("the server's versions: {}", brief(&listed.join(", "))));
    Some(std::iter::once(asked).chain(listed).chain(hops).collect())
}

fn content(it: &Refused<'_>) -> Option<Vec<String>> {
    let kind = it.answer.value("content-type").unwrap_or_default().to_ascii_lowercase();
    let page = kind.starts_with("text/html").then(|| "a web page".to_owned());
    let mut evidence = it.with((200..300).contains(&it.status), &["Content-Type"])?;
    evidence.extend(page);
    Some(evidence)
}

fn faultless(it: &Refused<'_>) -> Option<Vec<String>> {
    let mut evidence = it.with(it.is(NoteCode::HsBadRequest, (400..500).contains(&it.status)), &["Allow"])?;
    evidence.extend(it.request.map(|request| match it.status {
        414 | 431 => format!("the request's head has {}", count(request.len, "byte")),
        _ => "no fault is seen in the request, where it was captured".to_owned(),
    }));
    Some(evidence)
}
