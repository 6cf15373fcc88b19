//! What known servers and proxies say when they refuse, and what that means.

use super::super::excerpt::Said;
use super::words::{BRIEF, beginning, brief, is_bearer, is_jwt};
use crate::model::{Head, NoteCode, StartLine};
use memchr::memmem;

/// Words of an answer, in small letters, all of which must be there; the cause that they name, and who says so and when.
struct Phrase {
    words: &'static [&'static str],
    code: NoteCode,
    hint: &'static str,
}

const fn phrase(words: &'static [&'static str], code: NoteCode, hint: &'static str) -> Phrase {
    Phrase { words, code, hint }
}

/// From what is said in full to what is said in passing.
const PHRASES: &[Phrase] = &[
    phrase(&["plain http request was sent to https port"], NoteCode::HsTlsPort, "nginx"),
    phrase(&["speaking plain http to an ssl-enabled server port"], NoteCode::HsTlsPort, "Apache httpd"),
    phrase(&["client sent an http request to an https server"], NoteCode::HsTlsPort, "a server in Go"),
    phrase(&["this combination of host and port requires tls"], NoteCode::HsTlsPort, "Tomcat"),
    phrase(&["cross origin websockets not allowed"], NoteCode::HsOriginRefused, "Tornado: see check_origin"),
    phrase(&["request origin", "is not authorized for host"], NoteCode::HsOriginRefused, "coder/websocket in Go"),
    phrase(&["invalid cors request"], NoteCode::HsOriginRefused, "Spring: see setAllowedOrigins"),
    phrase(&["websocket", "invalid origin header"], NoteCode::HsOriginRefused, "Python websockets: see origins"),
    phrase(
        &["can \"upgrade\" only to \"websocket\""],
        NoteCode::HsStripped,
        "Tornado, aiohttp, Spring or Vert.x, when no Upgrade reaches it",
    ),
    phrase(
        &["\"connection\"", "must be \"upgrade\""],
        NoteCode::HsStripped,
        "Tornado, Spring or Vert.x, when no Connection: upgrade reaches it",
    ),
    phrase(&["no connection upgrade hdr"], NoteCode::HsStripped, "aiohttp"),
    phrase(&["token not found in 'connection' header"], NoteCode::HsStripped, "Gorilla"),
    phrase(&["token not found in 'upgrade' header"], NoteCode::HsStripped, "Gorilla"),
    phrase(&["the client is not using the websocket protocol"], NoteCode::HsStripped, "Gorilla"),
    phrase(&["websocket protocol violation", "does not contain"], NoteCode::HsStripped, "coder/websocket in Go"),
    phrase(&["header did not include 'upgrade'"], NoteCode::HsStripped, "axum"),
    phrase(&["`upgrade` header did not include 'websocket'"], NoteCode::HsStripped, "axum"),
    phrase(&["header must contain 'upgrade'"], NoteCode::HsStripped, "Phoenix or another server on WebSock"),
    phrase(&["header must contain 'websocket'"], NoteCode::HsStripped, "Phoenix or another server on WebSock"),
    phrase(&["invalid upgrade header"], NoteCode::HsStripped, "ws for Node.js"),
    phrase(&["missing connection header"], NoteCode::HsStripped, "Python websockets"),
    phrase(&["missing upgrade header"], NoteCode::HsStripped, ""),
    phrase(&["upgrade header missing"], NoteCode::HsStripped, ""),
    phrase(&["missing request header", "upgrade"], NoteCode::HsStripped, "warp"),
    phrase(&["no websocket upgrade h"], NoteCode::HsStripped, "Actix or aiohttp"),
    phrase(&["no connection upgrade"], NoteCode::HsStripped, "Actix"),
    phrase(&["missing or bad upgrade"], NoteCode::HsStripped, "golang.org/x/net/websocket"),
    phrase(&["not websocket protocol"], NoteCode::HsStripped, "golang.org/x/net/websocket"),
    phrase(&["not a websocket handshake"], NoteCode::HsStripped, ""),
    phrase(&["not a websocket request"], NoteCode::HsStripped, ""),
    phrase(&["not a websocket upgrade"], NoteCode::HsStripped, ""),
    phrase(&["upgrade request required"], NoteCode::HsStripped, "the API server of Kubernetes"),
    phrase(&["missing upgrade headers in request"], NoteCode::HsStripped, "Kubernetes"),
    phrase(&["websocket upgrade is expected"], NoteCode::HsStripped, "Actix"),
    phrase(
        &["\"code\":3", "\"message\":\"bad request\""],
        NoteCode::HsStripped,
        "Engine.IO (Socket.IO), when a request for its transport websocket arrives without Upgrade",
    ),
    phrase(
        &["\"code\":1", "session id unknown"],
        NoteCode::HsBadRequest,
        "Engine.IO (Socket.IO): another server has the session; let the load balancer keep a client at one",
    ),
    phrase(
        &["\"code\":4", "\"message\":\"forbidden\""],
        NoteCode::HsForbidden,
        "Engine.IO (Socket.IO): its allowRequest or, in version 2, its list of origins",
    ),
    phrase(
        &["\"code\":5", "unsupported protocol version"],
        NoteCode::HsBadRequest,
        "Engine.IO (Socket.IO): client and server are of versions that do not fit",
    ),
    phrase(
        &["\"code\":0", "transport unknown"],
        NoteCode::HsBadRequest,
        "Engine.IO (Socket.IO): the server is not set up for this transport",
    ),
    phrase(
        &["connection id required"],
        NoteCode::HsStripped,
        "SignalR, when a request arrives without Upgrade: it is taken for long polling",
    ),
    phrase(
        &["no connection with that id"],
        NoteCode::HsNotFound,
        "SignalR: another server negotiated; let the load balancer keep a client at one, or skip the negotiation",
    ),
    phrase(&["missing or invalid sec-websocket-version"], NoteCode::HsBadRequest, "ws for Node.js"),
    phrase(&["missing or invalid sec-websocket-key"], NoteCode::HsBadRequest, "ws for Node.js"),
    phrase(
        &["missing authentication token"],
        NoteCode::HsNotFound,
        "Amazon API Gateway, for a path or stage that it does not have",
    ),
    phrase(&["invalid hostname"], NoteCode::HsNotFound, "IIS, for a Host that no site is bound to"),
    phrase(&["request hostname is invalid"], NoteCode::HsNotFound, "IIS, for a Host that no site is bound to"),
    phrase(&["invalid host header"], NoteCode::HsForbidden, "a development server: see its list of allowed hosts"),
    phrase(&["blocked request", "this host"], NoteCode::HsForbidden, "Vite: see server.allowedHosts"),
    phrase(&["blocked host"], NoteCode::HsForbidden, "Rails: see config.hosts"),
    phrase(&["disallowedhost"], NoteCode::HsBadRequest, "Django: see ALLOWED_HOSTS"),
    phrase(
        &["cannot get /"],
        NoteCode::HsNotFound,
        "Express: no WebSocket server hangs at it, or a proxy lost Upgrade",
    ),
    phrase(&["default backend"], NoteCode::HsNotFound, "the Ingress of Kubernetes: no rule fits host and path"),
    phrase(&["404 page not found"], NoteCode::HsNotFound, "Traefik or a server in Go: no route fits"),
    phrase(&["just a moment"], NoteCode::HsForbidden, "Cloudflare's bot check, which only a browser's page passes"),
    phrase(&["attention required", "cloudflare"], NoteCode::HsForbidden, "Cloudflare's firewall, not the server"),
    phrase(&["sorry, you have been blocked"], NoteCode::HsForbidden, "Cloudflare's firewall, not the server"),
    phrase(&["error code: 1010"], NoteCode::HsForbidden, "Cloudflare's firewall, not the server"),
    phrase(&["error code: 1020"], NoteCode::HsForbidden, "Cloudflare's firewall, not the server"),
    phrase(&["the request could not be satisfied"], NoteCode::HsForbidden, "Amazon CloudFront, not the server"),
    phrase(&["rbac: access denied"], NoteCode::HsForbidden, "Envoy or Istio: a policy of the mesh, not the server"),
    phrase(&["no healthy upstream"], NoteCode::HsGateway, "Envoy: it knows no server that is up"),
    phrase(&["upstream connect error"], NoteCode::HsGateway, "Envoy: it does not reach the server"),
    phrase(
        &["no server is available to handle this request"],
        NoteCode::HsGateway,
        "HAProxy: it knows no server that is up",
    ),
    // Alone in the body.
    phrase(
        &["\n\npage not found\n"],
        NoteCode::HsNotFound,
        "Action Cable (Rails), which says so of an Origin that it does not accept, too",
    ),
];

/// A header by which an answer gives itself away: its name, a word of its value, the status, and what that means.
const SIGNS: &[(&str, &str, u16, &str)] = &[
    ("cf-mitigated", "challenge", 403, "Cloudflare's bot check, which only a browser's page passes"),
    ("server", "envoy", 403, "Envoy, where a route allows no upgrades (upgrade_configs)"),
    ("server", "awselb", 403, "a rule of an AWS load balancer or AWS WAF, not the server"),
    ("server", "awselb", 464, "an AWS load balancer whose targets are set to HTTP/2 or gRPC"),
    ("server", "cloudfront", 403, "Amazon CloudFront: AWS WAF, or a behavior that does not pass the headers on"),
    ("x-amzn-errortype", "forbidden", 403, "Amazon API Gateway: no such API, stage or right"),
];

/// What an answer says.
pub(super) struct Heard {
    /// The cause that its words name.
    pub(super) code: Option<NoteCode>,
    /// Whose words they are, and when they are said.
    pub(super) hint: &'static str,
    /// Whether they speak of the origin.
    pub(super) of_origin: bool,
    /// Its words, as far as they say more than the status; short, and without what the request has in secret.
    pub(super) quote: Option<String>,
}

impl Heard {
    /// Looks for known words in the status line, the reason that some servers give in a header, and the body.
    pub(super) fn of(answer: &Head, request: Option<&Head>, said: &Said) -> Self {
        let StartLine::Response { status, reason, .. } = &answer.start else {
            return Self { code: None, hint: "", of_origin: false, quote: None };
        };
        let header = answer.value(REASON).unwrap_or_default();
        let text = format!("{reason}\n{header}\n{}\n", said.pieces.join(" ")).to_lowercase();
        let known = PHRASES.iter().find(|phrase| phrase.words.iter().all(|words| has(&text, words)));
        let known = known.filter(|_| *status >= 400);
        let sign = SIGNS.iter().find(|(name, word, of, _)| {
            of == status && answer.value(name).is_some_and(|value| value.to_ascii_lowercase().contains(word))
        });
        let hint = known.map(|phrase| phrase.hint).filter(|hint| !hint.is_empty());
        Self {
            code: known.map(|phrase| phrase.code),
            hint: hint.or(sign.map(|(.., hint)| *hint)).unwrap_or_default(),
            of_origin: has(&text, "origin"),
            quote: quote(*status, reason, request, said),
        }
    }
}

fn has(text: &str, words: &str) -> bool {
    memmem::find(text.as_bytes(), words.as_bytes()).is_some()
}

/// A header in which some servers for Node.js say why they refuse.
pub(super) const REASON: &str = "X-WebSocket-Reject-Reason";

/// What a body says beyond its status: a line, or the texts of a page.
fn quote(status: u16, reason: &str, request: Option<&Head>, said: &Said) -> Option<String> {
    let mut known = reason.to_lowercase();
    known += &format!(" {status} http error status code nginx");
    let known: Vec<&str> = known.split_whitespace().collect();
    let says_more = |piece: &&String| {
        let lower = piece.to_lowercase();
        let mut words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.any(|word| !known.contains(&word))
    };
    let mut quote = String::new();
    for piece in said.pieces.iter().filter(says_more) {
        if !quote.is_empty() {
            quote.push(' ');
        }
        quote += piece;
        if quote.len() > BRIEF || !said.is_page {
            break;
        }
    }
    (!quote.is_empty()).then(|| brief(&veiled(beginning(&quote, 4 * BRIEF).to_owned(), request)))
}

/// Values of a request that are looked for in an answer, and the fewest bytes of one that is worth it.
const SECRETS_MAX: usize = 256;
const SECRET_MIN: usize = 6;

/// A text without the credentials that the request has and that the text repeats.
fn veiled(mut text: String, request: Option<&Head>) -> String {
    for secret in request.into_iter().flat_map(secrets).take(SECRETS_MAX) {
        if secret.len() >= SECRET_MIN && has(&text, secret) {
            text = text.replace(secret, "…");
        }
    }
    let shown = text.split(' ').map(|word| {
        let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
        if is_jwt(bare) { "(a token)" } else { word }
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// The query and its values, cookies, credentials and bearer tokens.
fn secrets(request: &Head) -> impl Iterator<Item = &str> {
    let query = match &request.start {
        StartLine::Request { target, .. } => target.split_once('?').map(|(_, query)| query),
        StartLine::Response { .. } => None,
    };
    let value = |pair: &'_ str| pair.find('=').map(|at| at + 1);
    let values = query.into_iter().flat_map(|query| query.split('&'));
    let cookies = request.values("cookie").flat_map(|cookies| cookies.split(';'));
    let values = values.chain(cookies).filter_map(move |pair| pair.get(value(pair)?..).map(str::trim));
    let credentials = request.values("authorization").flat_map(str::split_whitespace).skip(1);
    query
        .into_iter()
        .chain(values)
        .chain(credentials)
        .chain(request.list("sec-websocket-protocol").filter(|one| is_bearer(one)))
}
