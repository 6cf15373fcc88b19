//! Sessions: what a client and a server have with one another, over HTTP requests and WebSocket connections alike.
//!
//! Socket.IO, SockJS and SignalR were made for browsers and proxies without WebSocket: they begin with HTTP requests, and go on
//! with them where no WebSocket comes about. What ties these requests and the WebSocket together stands in their URLs.

use super::amount::duration;
use super::event::ConnId;
use super::flow::{Direction, Endpoint};
use super::hex::push_percent;
use super::mark::{Mark, Span};
use super::url::{url_authority, url_parts};
use std::fmt;

/// A session's number, from 1, in the order in which they are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SessionId(pub u32);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The connection that a client had before at the same place: the same host and path, the query aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reconnect {
    /// That connection.
    pub conn: ConnId,
    /// Nanoseconds from its end to the beginning of what follows it.
    pub gap: Option<i64>,
}

/// A protocol that has other transports beside WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fallback {
    /// Engine.IO 3 and 4, below Socket.IO.
    EngineIo,
    /// SockJS.
    SockJs,
    /// SignalR of ASP.NET Core.
    SignalR,
    /// SignalR of ASP.NET before that.
    SignalRClassic,
}

impl Fallback {
    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EngineIo => "engine.io",
            Self::SockJs => "sockjs",
            Self::SignalR => "signalr",
            Self::SignalRClassic => "signalr-classic",
        }
    }

    /// The parameters of URLs, and the members of answers, that have the id of a session.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::EngineIo => &["sid"],
            Self::SockJs => &[],
            Self::SignalR => &["id", "connectionToken", "connectionId"],
            Self::SignalRClassic => &["connectionToken"],
        }
    }
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Asks what the server can do.
    Info,
    /// Begins a session: the answer has its id.
    Negotiate,
    /// Waits for what the server has to say, once.
    Poll,
    /// The same, for as long as it lasts.
    Stream,
    /// Says something to the server.
    Send,
    /// Says that the transport is there.
    Start,
    /// Keeps the session alive.
    Ping,
    /// Ends the session.
    Abort,
    /// Opens a WebSocket.
    WebSocket,
}

impl Step {
    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Negotiate => "negotiate",
            Self::Poll => "poll",
            Self::Stream => "stream",
            Self::Send => "send",
            Self::Start => "start",
            Self::Ping => "ping",
            Self::Abort => "abort",
            Self::WebSocket => "websocket",
        }
    }

    /// All names.
    pub const NAMES: [&'static str; 9] =
        ["info", "negotiate", "poll", "stream", "send", "start", "ping", "abort", "websocket"];

    /// Whether the beginning of the answer's body tells more than its head.
    pub const fn is_told_by_body(self) -> bool {
        matches!(self, Self::Info | Self::Negotiate)
    }
}

/// What a URL says of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tie<'u> {
    /// The protocol.
    pub fallback: Fallback,
    /// Its version, where the URL has it: the `4` of `EIO=4`.
    pub version: Option<&'u str>,
    /// What it is for.
    pub step: Step,
    /// The id of the session, percent-encoded as it stands there.
    pub id: Option<&'u str>,
    /// The path below which the protocol is served.
    pub base: &'u str,
}

/// What SockJS clients ask for below `<base>/<server>/<session>/`.
const SOCKJS: &[(&str, Step)] = &[
    ("xhr", Step::Poll),
    ("jsonp", Step::Poll),
    ("xhr_streaming", Step::Stream),
    ("eventsource", Step::Stream),
    ("htmlfile", Step::Stream),
    ("xhr_send", Step::Send),
    ("jsonp_send", Step::Send),
    ("websocket", Step::WebSocket),
];

impl<'u> Tie<'u> {
    /// Reads the method and the URL of a request; of one for a WebSocket the method is `GET`. `None` where it is of no such protocol,
    /// as far as a URL can tell: a path that ends in `info` is SockJS's if the answer is, an `id` is SignalR's if a server gave it.
    pub fn of(method: &str, url: &'u str) -> Option<Self> {
        let (_, path, query) = url_parts(url);
        let query = query.unwrap_or_default();
        Self::engine_io(method, path, query)
            .or_else(|| Self::classic(path, query))
            .or_else(|| Self::sockjs(method, path))
            .or_else(|| Self::signalr(method, path, query))
    }

    fn engine_io(method: &str, path: &'u str, query: &'u str) -> Option<Self> {
        let version = parameter(query, "EIO")?;
        let id = parameter(query, "sid");
        let step = match (parameter(query, "transport")?, method, id) {
            ("websocket", _, _) => Step::WebSocket,
            ("polling", "GET", None) => Step::Negotiate,
            ("polling", "GET", _) => Step::Poll,
            ("polling", "POST", _) => Step::Send,
            _ => return None,
        };
        Some(Self { fallback: Fallback::EngineIo, version: Some(version), step, id, base: path })
    }

    fn sockjs(method: &str, path: &'u str) -> Option<Self> {
        let (before, last) = path.rsplit_once('/')?;
        let of = |step, id, base| Self { fallback: Fallback::SockJs, version: None, step, id, base };
        if last == "info" && method == "GET" {
            return Some(of(Step::Info, None, before));
        }
        let &(_, step) = SOCKJS.iter().find(|(name, _)| *name == last)?;
        let (outer, session) = before.rsplit_once('/')?;
        let (base, server) = outer.rsplit_once('/')?;
        let is_server = server.len() == 3 && server.bytes().all(|byte| byte.is_ascii_digit());
        let is_tied = is_server && !session.is_empty() && !session.contains('.');
        is_tied.then(|| of(step, before.get(base.len() + 1..), base))
    }

    fn signalr(method: &str, path: &'u str, query: &'u str) -> Option<Self> {
        let of = |step, id, base| Self { fallback: Fallback::SignalR, version: None, step, id, base };
        match (path.strip_suffix("/negotiate"), method) {
            (Some(base), "POST") => return Some(of(Step::Negotiate, None, base)),
            (Some(_), _) => return None,
            (None, _) => {}
        }
        let step = match method {
            "GET" => Step::Poll,
            "POST" => Step::Send,
            "DELETE" => Step::Abort,
            _ => return None,
        };
        Some(of(step, Some(parameter(query, "id").filter(|id| !id.is_empty())?), path))
    }

    fn classic(path: &'u str, query: &'u str) -> Option<Self> {
        let (base, last) = path.rsplit_once('/')?;
        let version = parameter(query, "clientProtocol");
        let id = parameter(query, "connectionToken").filter(|id| !id.is_empty());
        let step = match (last, parameter(query, "transport")) {
            ("negotiate", _) => Step::Negotiate,
            ("ping", _) => Step::Ping,
            ("connect" | "reconnect", Some("webSockets")) => Step::WebSocket,
            ("connect" | "reconnect", Some("serverSentEvents" | "foreverFrame")) => Step::Stream,
            ("connect" | "reconnect", Some("longPolling")) | ("poll", _) => Step::Poll,
            ("send", _) => Step::Send,
            ("start", _) => Step::Start,
            ("abort", _) => Step::Abort,
            _ => return None,
        };
        let is_tied = id.is_some() || step == Step::Negotiate && version.is_some();
        is_tied.then_some(Self { fallback: Fallback::SignalRClassic, version, step, id, base })
    }

    /// The id that the beginning of an answer's body gives, percent-encoded as a URL would have it; `None` where it gives none. Whether
    /// it is an answer of the protocol at all, [`Self::is_answered_by`] says.
    pub fn named_by(&self, body: &[u8]) -> Option<String> {
        let name = |name: &str| member(body, name);
        let id = match (self.fallback, self.step) {
            (Fallback::EngineIo, Step::Negotiate) => name("sid"),
            (Fallback::SignalR, Step::Negotiate) => name("connectionToken").or_else(|| name("connectionId")),
            (Fallback::SignalRClassic, Step::Negotiate) => name("ConnectionToken"),
            _ => None,
        }?;
        let mut encoded = String::new();
        for byte in id.bytes() {
            match byte {
                b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
                _ if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
                _ => push_percent(byte, &mut encoded),
            }
        }
        Some(encoded)
    }

    /// The id that a WebSocket of Engine.IO is told first, where it came without one: `0{"sid":"…"}`.
    pub fn named_by_open(message: &[u8]) -> Option<String> {
        message.first().filter(|&&kind| kind == b'0').and_then(|_| member(message, "sid")).map(str::to_owned)
    }

    /// Whether the beginning of a body is an answer of the protocol: other servers have paths that end in `info` or `negotiate`, too.
    pub fn is_answered_by(&self, body: &[u8]) -> bool {
        let has = |name: &str| memchr::memmem::find(body, name.as_bytes()).is_some();
        match (self.fallback, self.step) {
            (Fallback::SockJs, Step::Info) => has("\"entropy\""),
            (Fallback::SignalR, Step::Negotiate) => has("\"connectionId\"") || has("\"accessToken\""),
            _ => true,
        }
    }
}

/// The value of the first parameter of that name in a query.
fn parameter<'u>(query: &'u str, name: &str) -> Option<&'u str> {
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(own, _)| *own == name).map(|(_, value)| value)
}

/// A string that stands in JSON under a name: its first place, also in JSON within a string, of which each quote has a backslash.
/// A string with escapes is none.
fn member<'b>(body: &'b [u8], name: &str) -> Option<&'b str> {
    let key = format!("\"{name}");
    let key = key.as_bytes();
    let rest = memchr::memmem::find_iter(body, key).find_map(|at| {
        let rest = body.get(at + key.len()..)?;
        let rest = rest.strip_prefix(b"\\").unwrap_or(rest).strip_prefix(b"\"")?.trim_ascii_start();
        let rest = rest.strip_prefix(b":")?.trim_ascii_start();
        rest.strip_prefix(b"\\").unwrap_or(rest).strip_prefix(b"\"")
    })?;
    let end = rest.iter().position(|&byte| matches!(byte, b'"' | b'\\'))?;
    std::str::from_utf8(rest.get(..end)?).ok().filter(|value| !value.is_empty())
}

/// How a transport of Engine.IO is tried before it is used: `2probe`, `3probe`, `5`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Probe {
    /// The client asks.
    pub asked: Option<Mark>,
    /// The server answers.
    pub answered: Option<Mark>,
    /// The client goes on with it.
    pub upgraded: Option<Mark>,
}

impl Probe {
    /// Messages of a connection among which it is looked for.
    pub const WITHIN: u64 = 8;

    /// Nanoseconds between question and answer.
    pub fn took(self) -> Option<i64> {
        self.answered?.since(self.asked?)
    }

    /// Hears a message.
    pub fn hear(&mut self, dir: Direction, payload: &[u8], brought: Mark) {
        match (dir, payload) {
            (Direction::ToServer, b"2probe") => self.asked = Some(brought),
            (Direction::ToClient, b"3probe") => self.answered = Some(brought),
            (Direction::ToServer, b"5") => self.upgraded = Some(brought),
            _ => {}
        }
    }

    /// `probe answered after 1.2 ms, upgraded`; `None` where there was none.
    pub fn words(self) -> Option<String> {
        let asked = match (self.asked, self.took()) {
            (Some(_), Some(took)) => Some(format!("probe answered after {}", duration(took))),
            (Some(_), None) => Some("probe without an answer".to_owned()),
            (None, _) => None,
        };
        let upgraded = self.upgraded.map(|_| "upgraded".to_owned());
        let words: Vec<String> = [asked, upgraded].into_iter().flatten().collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// An HTTP request of such a protocol, which is no WebSocket, and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The session.
    pub session: SessionId,
    /// Of the first of a session: the WebSocket that the client had before at this place.
    pub reconnect_of: Option<Reconnect>,
    /// Who asked; the address that a proxy before it names, where one does.
    pub client: Endpoint,
    /// The other end.
    pub server: Endpoint,
    /// `GET`.
    pub method: String,
    /// `http://host/path?query`, or `https:` inside TLS; a very long one is cut.
    pub url: String,
    /// Of the answer, where its head was captured.
    pub status: Option<u16>,
    /// The id that the answer gives to the session, percent-encoded as a URL would have it.
    pub gives: Option<String>,
    /// From the first byte of the request to its last.
    pub asked: Span,
    /// The same of the answer, as far as it was captured.
    pub answered: Option<Span>,
    /// Bytes of the request's content that were captured, without those of chunks.
    pub sent: u64,
    /// The same of the answer's.
    pub received: u64,
}

impl Exchange {
    /// What its URL says.
    pub fn tie(&self) -> Option<Tie<'_>> {
        Tie::of(&self.method, &self.url)
    }

    /// The id of its session: that of its URL, or that which the answer gives.
    pub fn id(&self) -> Option<&str> {
        self.tie().and_then(|tie| tie.id).or(self.gives.as_deref())
    }
}

/// Where a client goes: host, port if the URL has one, and the path that all requests of a session have in common.
pub fn url_place<'u>(url: &'u str, tie: Option<&Tie<'u>>) -> (&'u str, &'u str) {
    let (_, path, _) = url_parts(url);
    (url_authority(url), tie.map_or(path, |tie| tie.base))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `protocol step id base`.
    fn told(method: &str, url: &str) -> String {
        match Tie::of(method, url) {
            Some(tie) => {
                let Tie { fallback, step, id, base, .. } = tie;
                format!("{} {} {} {base}", fallback.name(), step.name(), id.unwrap_or("-"))
            }
            None => String::from("-"),
        }
    }

    #[test]
    fn urls_tell_of_sessions() {
        let engine = "http://h/socket.io/?EIO=4&transport=";
        for (method, rest, is) in [
            ("GET", "polling&t=abc", "negotiate -"),
            ("GET", "polling&sid=x_1", "poll x_1"),
            ("POST", "polling&sid=x_1", "send x_1"),
            ("GET", "websocket&sid=x_1", "websocket x_1"),
            ("GET", "websocket", "websocket -"),
        ] {
            assert_eq!(told(method, &format!("{engine}{rest}")), format!("engine.io {is} /socket.io/"));
        }
        assert_eq!(told("GET", "ws://h/echo/042/abcd/websocket"), "sockjs websocket 042/abcd /echo");
        assert_eq!(told("POST", "http://h/a/b/042/abcd/xhr_send?t=1"), "sockjs send 042/abcd /a/b");
        assert_eq!(told("GET", "https://h/echo/info?t=1"), "sockjs info - /echo");
        assert_eq!(told("POST", "https://h/chat/negotiate?negotiateVersion=1"), "signalr negotiate - /chat");
        assert_eq!(told("GET", "wss://h/chat?id=AbCdEfGhIjKlMnOpQrStUv"), "signalr poll AbCdEfGhIjKlMnOpQrStUv /chat");
        let classic = "http://h/signalr/";
        assert_eq!(
            told("GET", &format!("{classic}negotiate?clientProtocol=1.5")),
            "signalr-classic negotiate - /signalr"
        );
        for (path, is) in [
            ("connect?transport=webSockets&connectionToken=a%2Bb", "websocket"),
            ("connect?transport=serverSentEvents&connectionToken=a%2Bb", "stream"),
            ("start?transport=webSockets&connectionToken=a%2Bb", "start"),
            ("abort?transport=webSockets&connectionToken=a%2Bb", "abort"),
        ] {
            assert_eq!(told("GET", &format!("{classic}{path}")), format!("signalr-classic {is} a%2Bb /signalr"));
        }
    }

    #[test]
    fn other_urls_do_not() {
        for (method, url) in [
            ("GET", "http://h/"),
            ("GET", "http://h/socket.io/socket.io.js"),
            ("GET", "http://h/watch?id="),
            ("POST", "http://h/api/info"),
            ("GET", "http://h/live/one/websocket?vsn=2.0.0"),
            ("GET", "http://h/echo/042/a.b/xhr"),
            ("GET", "http://h/chat/negotiate"),
            ("GET", "http://h/api/start"),
            ("PUT", "http://h/x?EIO=4&transport=polling"),
        ] {
            assert_eq!(told(method, url), "-", "{url}");
        }
    }

    #[test]
    fn answers_name_sessions() {
        let named = |url: &str, method: &str, body: &str| Tie::of(method, url).unwrap().named_by(body.as_bytes());
        let engine = "http://h/e/?EIO=4&transport=polling";
        for body in [
            r#"0{"sid":"x_1","upgrades":["websocket"]}"#,
            r#"96:0{"sid":"x_1","upgrades":[]}"#,
            "\u{0}\u{9}\u{6}\u{fffd}0{\"sid\" : \"x_1\"}",
            r#"___eio[0]("96:0{\"sid\":\"x_1\",\"upgrades\":[]}");"#,
        ] {
            assert_eq!(named(engine, "GET", body).as_deref(), Some("x_1"), "{body}");
        }
        assert_eq!(named(engine, "GET", r#"{"code":0,"message":"Transport unknown"}"#), None);
        assert_eq!(named(engine, "GET", r#"0{"sid":"x"#), None);
        let core = r#"{"negotiateVersion":1,"connectionId":"a","connectionToken":"b","availableTransports":[]}"#;
        assert_eq!(named("http://h/c/negotiate", "POST", core).as_deref(), Some("b"));
        assert_eq!(named("http://h/c/negotiate", "POST", r#"{"connectionId":"a"}"#).as_deref(), Some("a"));
        let classic = r#"{"Url":"/signalr","ConnectionToken":"a+b/c=","ConnectionId":"d"}"#;
        assert_eq!(named("http://h/s/negotiate?clientProtocol=1.5", "GET", classic).as_deref(), Some("a%2Bb%2Fc%3D"));
    }
}
