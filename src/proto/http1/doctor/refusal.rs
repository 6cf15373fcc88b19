//! Why an upgrade did not come about: the first cause that fits.

use super::Case;
use super::rules::status;
use super::words::{brief, header, public, shown};
use crate::model::{Check, Head, NoteCode, Severity, StartLine};

/// An upgrade that was answered otherwise than with a switch to WebSocket.
struct Refused<'a> {
    case: &'a Case<'a>,
    request: Option<&'a Head>,
    answer: &'a Head,
    status: u16,
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
    (NoteCode::HsStripped, stripped),
    (NoteCode::HsVersions, versions),
    (NoteCode::HsBadRequest, faulty),
    (NoteCode::HsForbidden, forbidden),
    (NoteCode::HsNotFound, not_found),
    (NoteCode::HsStripped, asked_again),
    (NoteCode::HsPlainAnswer, content),
    (NoteCode::HsBadRequest, faultless),
    (NoteCode::HsServerError, |it| it.with((500..600).contains(&it.status), &["Retry-After"])),
    (NoteCode::HsStatus, |it| it.with(true, &[])),
];

/// The check that says why; `None` when the server switched to WebSocket, or did not answer.
pub(super) fn why(case: &Case<'_>) -> Option<Check> {
    let answer = case.answer()?;
    let refused = Refused { case, request: case.request(), answer, status: answer.status()? };
    if refused.status == 101 && !refused.is_other_protocol() {
        return None;
    }
    let (code, evidence) = CAUSES.iter().find_map(|(code, cause)| Some((*code, cause(&refused)?)))?;
    let detail: Vec<String> = std::iter::once(status(answer)).chain(evidence).chain(refused.who()).collect();
    Some(Check { code, ok: false, detail: detail.join("; ") })
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
        !super::super::upgrade::is_switch(self.answer)
    }

    /// Who answered, as far as the answer tells, and in whose words.
    fn who(&self) -> Vec<String> {
        ["X-WebSocket-Reject-Reason", "Server", "Via"].iter().filter_map(|name| header(self.answer, name)).collect()
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
    let sent: Vec<&str> = ["Authorization", "Cookie"].into_iter().filter(|name| it.asked(name).is_some()).collect();
    let sent = match sent.as_slice() {
        [] => "the request has neither Authorization nor Cookie".to_owned(),
        some => format!("the request has {}", some.join(" and ")),
    };
    (it.status == 401).then(|| vec![shown(it.answer, "WWW-Authenticate"), sent])
}

fn redirect(it: &Refused<'_>) -> Option<Vec<String>> {
    let to = it.answer.value("location");
    let to = to.map_or_else(|| "no Location".to_owned(), |to| format!("Location: {}", public(to)));
    matches!(it.status, 300..=303 | 305..=308).then(|| vec![to])
}

/// The request was captured where its hop-by-hop headers were gone already.
fn stripped(it: &Refused<'_>) -> Option<Vec<String>> {
    let request = it.request?;
    let lost = [("Upgrade", "websocket"), ("Connection", "upgrade")].into_iter();
    let lost: Vec<String> = lost
        .filter(|(name, token)| !request.has_token(name, token))
        .map(|(name, _)| format!("the request has {}", shown(request, name)))
        .collect();
    let hops = ["Via", "Forwarded", "X-Forwarded-For"].iter().filter_map(|name| header(request, name));
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

fn forbidden(it: &Refused<'_>) -> Option<Vec<String>> {
    let request = it.request.filter(|_| it.status == 403);
    let origin = request.map(|request| shown(request, "Origin"));
    let host = request.and_then(|request| header(request, "Host"));
    let cookie = request.map(|request| match request.value("cookie") {
        Some(_) => "a Cookie was sent".to_owned(),
        None => "no Cookie was sent".to_owned(),
    });
    (it.status == 403).then(|| [origin, host, cookie].into_iter().flatten().collect())
}

fn not_found(it: &Refused<'_>) -> Option<Vec<String>> {
    let path = it.request.and_then(|request| match &request.start {
        StartLine::Request { target, .. } => Some(format!("path {}", public(target))),
        StartLine::Response { .. } => None,
    });
    let host = it.request.and_then(|request| header(request, "Host"));
    matches!(it.status, 404 | 410).then(|| path.into_iter().chain(host).collect())
}

/// The server demands what the request, where it was captured, does ask for.
fn asked_again(it: &Refused<'_>) -> Option<Vec<String>> {
    it.request.filter(|_| it.status == 426)?;
    let asked = "the request, where it was captured, asks for the upgrade".to_owned();
    let listed = it.answer.list("sec-websocket-version").collect::<Vec<_>>();
    let listed = (!listed.is_empty()).then(|| format!("the server's versions: {}", brief(&listed.join(", "))));
    Some(std::iter::once(asked).chain(listed).collect())
}

fn content(it: &Refused<'_>) -> Option<Vec<String>> {
    let kind = it.answer.value("content-type").unwrap_or_default().to_ascii_lowercase();
    let page = kind.starts_with("text/html").then(|| "a web page".to_owned());
    let mut evidence = it.with((200..300).contains(&it.status), &["Content-Type"])?;
    evidence.extend(page);
    Some(evidence)
}

fn faultless(it: &Refused<'_>) -> Option<Vec<String>> {
    let mut evidence = it.with((400..500).contains(&it.status), &["Allow"])?;
    evidence.extend(it.request.map(|_| "the request, where it was captured, has no fault".to_owned()));
    Some(evidence)
}
