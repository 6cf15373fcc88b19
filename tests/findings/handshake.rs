//! Findings about the opening handshake.

use super::support::craft::*;
use super::{Case, case, paced, told, turn};
use wspect::model::Limits;

/// A capture of a request and its answer.
fn upgrade(request: impl Into<Vec<u8>>, response: impl Into<Vec<u8>>) -> Vec<u8> {
    let mut session = Session::bare(1);
    session.turn(Client, request).turn(Server, response);
    capture_of(&session.segments())
}

/// A faultless request but for a line that is replaced.
fn asking(line: &str, other: &str) -> Vec<u8> {
    let whole = String::from_utf8(request("/", "")).unwrap();
    assert!(whole.contains(line), "{line}");
    whole.replace(line, other).into_bytes()
}

/// The capture of such a request, accepted.
fn asks(line: &str, other: &str) -> Vec<u8> {
    upgrade(asking(line, other), response(""))
}

/// The capture of a faultless exchange with these headers more.
fn exchange(asked: &str, answered: &str) -> Vec<u8> {
    upgrade(request("/", asked), response(answered))
}

/// The capture of a handshake of the first draft, with this origin and location in its answer.
fn hixie(origin: &str, location: &str) -> Vec<u8> {
    let common = "Upgrade: WebSocket\r\nConnection: Upgrade\r\n";
    upgrade(
        format!("GET / HTTP/1.1\r\n{common}Host: lab.test\r\nOrigin: http://lab.test\r\n\r\n"),
        format!(
            "HTTP/1.1 101 Web Socket Protocol Handshake\r\n{common}\
             WebSocket-Origin: {origin}\r\nWebSocket-Location: {location}\r\n\r\n"
        ),
    )
}

/// The capture of a faultless request that is answered so.
fn answered(status: &str, headers: &str) -> Vec<u8> {
    upgrade(request("/", ""), format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n{headers}\r\n"))
}

/// The capture of a faultless request that is refused in these words.
fn says(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let len = body.len();
    upgrade(request("/", ""), format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {len}\r\n\r\n{body}"))
}

pub(super) fn cases() -> Vec<Case> {
    rules().into_iter().chain(advice()).chain(refusals()).collect()
}

fn rules() -> Vec<Case> {
    let protocol = |names: &str| format!("Sec-WebSocket-Protocol: {names}\r\n");
    let extension = |names: &str| format!("Sec-WebSocket-Extensions: {names}\r\n");
    let deflate = extension("permessage-deflate");
    let with_bits = extension("permessage-deflate; client_max_window_bits");
    let answer_bits = extension("permessage-deflate; client_max_window_bits=12");
    let old_answer = |line: &str| String::from_utf8(response("")).unwrap().replacen("HTTP/1.1", line, 1);
    let wrong_accept = String::from_utf8(response("")).unwrap().replace(&accept(KEY), &accept("another"));
    let key = format!("Sec-WebSocket-Key: {KEY}\r\n");
    let early = |before: bool| {
        let mut session = Session::bare(1);
        let frame = session.framed(Client, Frame::new(TEXT, "early")).bytes();
        session.turn(Client, request("/", ""));
        match before {
            true => session.turn(Client, frame).turn(Server, response("")),
            false => session.turn(Server, response("")).turn(Client, frame),
        };
        capture_of(&session.segments())
    };
    let challenge = |missing: usize, answer: &str| {
        let mut asked = Draft::Hixie76.request("/", "");
        asked.truncate(asked.len() - missing);
        let mut whole = Draft::Hixie76.response("/", "");
        let at = whole.len() - answer.len();
        whole.splice(at.., answer.bytes());
        upgrade(asked, if missing == 0 { whole } else { b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec() })
    };
    let mut unkeyed = Draft::Hixie76.request("/", "");
    let at = unkeyed.windows(5).position(|window| window == b"Key1:").unwrap();
    unkeyed[at + 3] = b'3';
    let headers = exchange("A: b\r\nC: d\r\nE: f\r\n", "");
    let few = Limits { head_headers: 4, ..Limits::DEFAULT };
    vec![
        case("HS-METHOD", asks("GET /", "POST /"), exchange("", "")),
        case("HS-HTTP-VERSION", asks("HTTP/1.1", "HTTP/1.0"), exchange("", "")),
        case("HS-HTTP-VERSION", asks("HTTP/1.1", "HTTP/2.0"), exchange("", "")),
        case("HS-HTTP-VERSION", upgrade(request("/", ""), old_answer("HTTP/1.0")), exchange("", "")),
        case("HS-HOST", asks("Host: lab.test\r\n", ""), exchange("", "")),
        case("HS-HOST", exchange("Host: other\r\n", ""), exchange("X-Host: other\r\n", "")),
        case("HS-BLANK", asks("Upgrade: ", "Upgrade : "), asks("Upgrade: ", "Upgrade:  ")),
        case("HS-BLANK", exchange("", "X-A\t: b\r\n"), exchange("", "X-A: b \r\n")),
        case("HS-UPGRADE", asks("Upgrade: websocket\r\n", ""), asks("Upgrade: websocket", "upgrade: foo/1, WebSocket")),
        case("HS-UPGRADE", asks("Upgrade: websocket", "Upgrade: websocket/13"), asks("websocket", "WebSocket")),
        case(
            "HS-CONNECTION",
            asks("Connection: Upgrade", "Connection: close"),
            asks("Connection: Upgrade", "Connection: keep-alive, UPGRADE"),
        ),
        case("HS-KEY", asks(KEY, "ZmlmdGVlbiBieXRlczE1"), asks(KEY, "c2l4dGVlbiBieXRlcyAxNg==")),
        // RFC 6455 §4.1 has this key for an example, with bits in its last sign that mean nothing.
        case("HS-KEY", asks(KEY, "AQIDBAUGBwgJCgsMDQ4PEC"), asks(KEY, "AQIDBAUGBwgJCgsMDQ4PEC==")),
        case("HS-VERSION", asks("Version: 13", "Version: 99"), asks("Version: 13", "Version: 8")),
        case("HS-DRAFT", asks("Version: 13", "Version: 8"), exchange("", "")),
        case("HS-CHALLENGE", challenge(8, ""), challenge(0, "")),
        case("HS-CHALLENGE", upgrade(unkeyed, Draft::Hixie76.response("/", "")), challenge(0, "")),
        case("HS-CHALLENGE-ANSWER", challenge(0, "0123456789abcdef"), challenge(0, "")),
        case("HS-ORIGIN", hixie("http://other.test", "ws://lab.test/"), hixie("http://lab.test", "ws://lab.test/")),
        case(
            "HS-LOCATION",
            hixie("http://lab.test", "ws://lab.test/other"),
            hixie("http://lab.test", "ws://LAB.test/"),
        ),
        case("HS-OFFER", exchange(&protocol("a, b, a"), ""), exchange(&protocol("a, b, A"), "")),
        case("HS-OFFER", exchange(&protocol("a b"), ""), exchange(&protocol("a.b"), "")),
        case(
            "HS-DEFLATE-OFFER",
            exchange(&extension("permessage-deflate; client_max_window_bits=7"), ""),
            exchange(&extension("permessage-deflate; client_max_window_bits=\"8\""), ""),
        ),
        case("HS-ACCEPT", upgrade(request("/", ""), wrong_accept.clone()), exchange("", "")),
        case("HS-ACCEPT", upgrade(request("/", ""), wrong_accept.replace(&accept("another"), "")), asks(&key, "")),
        case("HS-ACCEPT", exchange("", &format!("Sec-WebSocket-Accept: {}\r\n", accept(KEY))), exchange("", "")),
        case(
            "HS-SUBPROTOCOL",
            exchange(&protocol("a, b"), &protocol("c")),
            exchange(&protocol("a, b"), &protocol("b")),
        ),
        case(
            "HS-SUBPROTOCOL",
            exchange(&protocol("a, b"), &protocol("a, b")),
            exchange(&protocol("a, b"), &protocol("a")),
        ),
        // An empty name is not the same as none (RFC 6455 §4.2.2).
        case("HS-SUBPROTOCOL", exchange(&protocol("a"), &protocol("")), exchange(&protocol("a"), "")),
        case("HS-SUBPROTOCOL", exchange("", &protocol(" ,")), exchange("", "X-Sec-WebSocket-Protocol: \r\n")),
        case("HS-NO-SUBPROTOCOL", exchange(&protocol("a"), ""), exchange(&protocol("a"), &protocol(""))),
        case("HS-NO-SUBPROTOCOL", exchange(&protocol("a"), ""), exchange("", "")),
        case("HS-BODY", exchange("", "Content-Length: 0\r\n"), exchange("", "X-Content-Length: 0\r\n")),
        case("HS-BODY", exchange("", "Transfer-Encoding: chunked\r\n"), answered("200 OK", "")),
        case("HS-EXTENSION", exchange("", &deflate), exchange(&with_bits, &deflate)),
        case(
            "HS-EXTENSION-UNKNOWN",
            exchange(&extension("x-odd; a=1"), &extension("x-odd")),
            exchange(&with_bits, &deflate),
        ),
        case("HS-DEFLATE", exchange(&deflate, &answer_bits), exchange(&with_bits, &answer_bits)),
        case("HS-EARLY-DATA", early(true), early(false)),
        Case { limits: few, ..case("HTTP-LIMIT", headers.clone(), headers) },
    ]
}

fn advice() -> Vec<Case> {
    let mut session = Session::bare(1);
    session.turn(Client, request("/", "")).turn(Server, response(""));
    let slow = |millis| paced(&session.segments(), &[(turn(1), millis)]);
    let target = |target: &str| upgrade(request(target, ""), response(""));
    let mut local = Session::bare(1);
    local.client.set_ip([127, 0, 0, 1].into());
    local.server.set_ip([127, 0, 0, 1].into());
    local.turn(Client, request("/", "Cookie: sid=1\r\n")).turn(Server, response(""));
    let origin = |origin: &str| exchange(&format!("Origin: {origin}\r\n"), "");
    let ported = |port: &str, origin: &str| {
        upgrade(asking("Host: lab.test", &format!("Host: lab.test{port}\r\nOrigin: {origin}")), response(""))
    };
    let bearer = "Sec-WebSocket-Protocol: v1, base64url.bearer.authorization.k8s.io.c2VjcmV0\r\n";
    vec![
        case("HS-SLOW", slow(2500), slow(1900)),
        case("ORIGIN", origin("https://app.test"), origin("https://LAB.test")),
        case("ORIGIN", origin("null"), origin("http://lab.test:80")),
        case("ORIGIN", ported(":8080", "http://lab.test:3000"), ported(":8080", "http://lab.test:8080")),
        case("ORIGIN", ported("", "http://lab.test:3000"), ported(":443", "https://lab.test")),
        case("CLEAR-CREDENTIALS", exchange("Cookie: sid=1\r\n", ""), capture_of(&local.segments())),
        case("CLEAR-CREDENTIALS", exchange("Authorization: Basic eA==\r\n", ""), exchange("Authorization:\r\n", "")),
        case("CLEAR-CREDENTIALS", exchange(bearer, ""), exchange("Sec-WebSocket-Protocol: v1\r\n", "")),
        case("QUERY-TOKEN", target("/a?x=1&access-Token=s3cret"), target("/a?token=&keyboard=1")),
        case("QUERY-TOKEN", target("/a?PHPSESSID=abcdef"), target("/a?session_id=abcdef&sid=abcdef&auth=true")),
        case("QUERY-TOKEN", target("/?q=eyJhbGciOiJIUzI1NiJ9.e30.x"), target("/?q=eyJhbGciOiJIUzI1NiJ9")),
    ]
}

fn refusals() -> Vec<Case> {
    let plain = |lines: &[&str], status: &str| {
        let mut asked = String::from_utf8(request("/", "")).unwrap();
        for line in lines {
            assert!(asked.contains(line));
            asked = asked.replace(line, "");
        }
        upgrade(asked, format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"))
    };
    let versions = |list: &str| answered("426 Upgrade Required", &format!("Sec-WebSocket-Version: {list}\r\n"));
    let switch = |to: &str| {
        let whole = String::from_utf8(response("")).unwrap();
        upgrade(request("/", ""), whole.replace("Upgrade: websocket", &format!("Upgrade: {to}")))
    };
    let misnamed = |status: &str| {
        upgrade(asking("Upgrade: websocket", "Upgrade: websocket/13"), format!("HTTP/1.1 {status}\r\n\r\n"))
    };
    let mut unanswered = Session::bare(1);
    unanswered.turn(Client, request("/", ""));
    let raw = |answer: &[u8]| upgrade(request("/", ""), answer);
    let demanded = |upgrade: &str| answered("426 Upgrade Required", &format!("Upgrade: {upgrade}\r\n"));
    let tls = "<html><title>400 Bad Request</title><center>The plain HTTP request was sent to HTTPS port</center>";
    let connect = |status: &str| {
        let mut session = Session::bare(1);
        let answer = format!("HTTP/1.1 {status}\r\n\r\n");
        session.turn(Client, "CONNECT lab.test:80 HTTP/1.1\r\nHost: lab.test:80\r\n\r\n").turn(Server, answer);
        capture_of(&session.segments())
    };
    let socks = |methods: &[u8], reply: u8| {
        let mut session = Session::bare(1);
        session.turn(Client, b"\x05\x01\0").turn(Server, methods);
        session.turn(Client, b"\x05\x01\0\x03\x08lab.test\0\x50").turn(Server, [5, reply, 0, 1, 0, 0, 0, 0, 0, 0]);
        capture_of(&session.segments())
    };
    let led = |times: usize| {
        let mut session = Session::bare(1);
        session.turn(Client, b"PROXY UNKNOWN\r\n".repeat(times)).turn(Server, b"220 lab.test\r\n");
        capture_of(&session.segments())
    };
    vec![
        case("NEST-LIMIT", led(17), led(16)),
        case("HS-TLS-PORT", raw(b"\x15\x03\x01\0\x02\x02\x46"), raw(b"\x16\x04\x01\0\x02\x02\x46")),
        case("HS-TLS-PORT", says("400 Bad Request", "", tls), says("400 Bad Request", "", "to HTTPS, please")),
        case("HS-NOT-HTTP", raw(b"SSH-2.0-OpenSSH_9.6\r\n"), raw(b"\r\nHTTP/1.1 400 Bad Request\r\n\r\n")),
        case("HS-NOT-HTTP", raw(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64"), raw(b"HTTP/1.1 400 ")),
        case("HS-OTHER-DEMANDED", demanded("HTTP/2.0"), demanded("HTTP/2.0, WebSocket")),
        case(
            "HS-ORIGIN-REFUSED",
            says("403 Forbidden", "", "Origin not allowed"),
            says("403 Forbidden", "", "Address not allowed"),
        ),
        case(
            "HS-ORIGIN-REFUSED",
            answered("403 Forbidden", "X-WebSocket-Reject-Reason: Origin not whitelisted\r\n"),
            answered("404 Not Found", "X-WebSocket-Reject-Reason: Origin not whitelisted\r\n"),
        ),
        case(
            "HS-STRIPPED",
            says("400 Bad Request", "Content-Type: text/plain\r\n", "Can \"Upgrade\" only to \"WebSocket\"."),
            says("400 Bad Request", "Content-Encoding: gzip\r\n", "Can \"Upgrade\" only to \"WebSocket\"."),
        ),
        case("PROXY-REFUSED", connect("403 Forbidden"), connect("200 OK")),
        case("PROXY-REFUSED", socks(b"\x05\0", 5), socks(b"\x05\0", 0)),
        case("PROXY-REFUSED", socks(b"\x05\xff", 0), socks(b"\x05\x01", 0)),
        case("HS-STATUS", answered("304 Not Modified", ""), exchange("", "")),
        case("HS-STRIPPED", plain(&["Upgrade: websocket\r\n"], "400 Bad Request"), plain(&[], "400 Bad Request")),
        // What is there in other words was not lost.
        case("HS-BAD-REQUEST", misnamed("400 Bad Request"), misnamed("500 Internal Server Error")),
        case("HS-STRIPPED", plain(&["Connection: Upgrade\r\n"], "200 OK"), plain(&[], "200 OK")),
        case("HS-STRIPPED", versions("13"), versions("8, 7")),
        case("HS-VERSIONS", versions("8, 7"), versions("13, 8")),
        case("HS-BAD-REQUEST", answered("400 Bad Request", ""), answered("404 Not Found", "")),
        case("HS-AUTH", answered("401 Unauthorized", ""), answered("403 Forbidden", "")),
        case("HS-FORBIDDEN", answered("403 Forbidden", ""), answered("401 Unauthorized", "")),
        case("HS-NOT-FOUND", answered("404 Not Found", ""), answered("400 Bad Request", "")),
        case("HS-REDIRECT", answered("301 Moved", "Location: /x\r\n"), answered("304 Not Modified", "")),
        case("HS-PLAIN-ANSWER", answered("200 OK", "Content-Type: text/html\r\n"), exchange("", "")),
        case("HS-PROXY-AUTH", answered("407 Proxy Authentication Required", ""), answered("401 Unauthorized", "")),
        case("HS-RATE-LIMIT", answered("429 Too Many Requests", ""), answered("503 Service Unavailable", "")),
        case("HS-GATEWAY", answered("502 Bad Gateway", ""), answered("500 Internal Server Error", "")),
        case("HS-NOT-FOUND", answered("421 Misdirected Request", ""), answered("431 Too Large", "")),
        case("HS-STATUS", answered("501 Not Implemented", ""), answered("500 Internal Server Error", "")),
        case("HS-SERVER-ERROR", answered("500 Internal Server Error", ""), answered("502 Bad Gateway", "")),
        case("HS-OTHER-PROTOCOL", switch("h2c"), switch("h2c, WebSocket")),
        case("HS-NO-ANSWER", capture_of(&unanswered.segments()), exchange("", "")),
    ]
}

/// Each refusal gives its evidence, and never what is secret.
#[test]
fn refusals_give_their_evidence() {
    for (code, status, headers, evidence) in [
        ("HS-AUTH", "401 Unauthorized", "WWW-Authenticate: Bearer\r\nServer: x/1\r\n", "WWW-Authenticate: Bearer"),
        ("HS-AUTH", "401 Unauthorized", "", "no WWW-Authenticate; the request has neither Authorization nor Cookie"),
        (
            "HS-FORBIDDEN",
            "403 Forbidden",
            "Via: 1.1 edge\r\n",
            "no Origin, Host: lab.test; the request has neither Authorization nor Cookie; Via: 1.1 edge",
        ),
        ("HS-ORIGIN-REFUSED", "403 No", "X-WebSocket-Reject-Reason: origin\r\n", "X-WebSocket-Reject-Reason: origin"),
        ("HS-REDIRECT", "302 Found", "Location: https://me:pw@sso.test/in?code=s3cret\r\n", "https://sso.test/in?…"),
        (
            "HS-GATEWAY",
            "503 Busy",
            "Retry-After: 30\r\nServer: edge\r\n",
            "status 503 Busy; Retry-After: 30; Server: edge",
        ),
        ("HS-PLAIN-ANSWER", "200 OK", "Content-Type: text/html; charset=utf-8\r\n", "a web page"),
        ("HS-BAD-REQUEST", "431 Too Large", "", "the request's head has 1"),
        ("HS-BAD-REQUEST", "405 Method Not Allowed", "Allow: POST\r\n", "Allow: POST; no fault"),
    ] {
        let told = told(&answered(status, headers));
        let sentence = told.sentence(code);
        assert!(sentence.contains(evidence), "{code}: no `{evidence}` in {sentence}");
        assert!(!sentence.contains("s3cret") && !sentence.contains("pw@"), "{sentence}");
        assert_eq!(told.findings.len(), 1, "one cause: {:?}", told.findings);
    }
}

/// What a refusal says in its body is told, if it is more than the status, and what known servers mean by it.
#[test]
fn refusals_say_why_in_their_body() {
    let page =
        |text: &str| format!("<html><head><title>403 Forbidden</title></head><h1>403 Forbidden</h1>{text}</html>");
    for (code, status, body, evidence) in [
        ("HS-FORBIDDEN", "403 Forbidden", page("<hr>nginx"), "neither Authorization nor Cookie"),
        ("HS-FORBIDDEN", "403 Forbidden", page("<p>Not &amp; yet"), "; body: Not & yet"),
        (
            "HS-TLS-PORT",
            "400 Bad Request",
            "Client sent an HTTP request to an HTTPS server.\n".into(),
            "a server in Go",
        ),
        ("HS-STRIPPED", "400 Bad Request", r#"{"code":3,"message":"Bad request"}"#.into(), "typical of Engine.IO"),
        ("HS-STRIPPED", "400 No Connection upgrade", String::new(), "typical of Actix"),
        ("HS-NOT-FOUND", "404 Not Found", "Page not found".into(), "typical of Action Cable"),
        ("HS-NOT-FOUND", "404 Not Found", "Page not found here".into(), "; body: Page not found here"),
        ("HS-NOT-FOUND", "403 Forbidden", r#"{"message":"Missing Authentication Token"}"#.into(), "typical of Amazon"),
        ("HS-BAD-REQUEST", "400 Bad Request", "x\0y".into(), "no fault is seen"),
        ("HS-BAD-REQUEST", "400 Bad Request", "é".repeat(3000), &format!("; body: {}…", "é".repeat(80))),
        ("HS-BAD-REQUEST", "400 Bad Request", "say \x1b[31m".into(), "no fault is seen"),
    ] {
        let told = told(&says(status, "", &body));
        let sentence = told.sentence(code);
        assert!(sentence.contains(evidence), "{code}: no `{evidence}` in {sentence}");
        assert!(sentence.ends_with(evidence) || !evidence.starts_with("neither"), "{sentence}");
        assert!(!sentence.contains('\x1b'), "{sentence}");
        assert_eq!(told.findings.len(), 1, "one cause: {:?}", told.findings);
    }
}

/// A version that is too high is not called too low.
#[test]
fn what_is_not_http_1_1_is_not_called_older() {
    let newer = told(&asks("HTTP/1.1", "HTTP/2.0"));
    let said = "The handshake does not speak HTTP/1.1: request: HTTP/2.0";
    assert!(newer.sentence("HS-HTTP-VERSION").eq_ignore_ascii_case(said), "{:?}", newer.findings);
}

/// An origin that may be the cause stands in the refusal and is not told twice.
#[test]
fn a_refusal_over_the_origin_is_told_once() {
    let asked = request("/", "Origin: https://page.test\r\n");
    let of = |status: &str| told(&upgrade(asked.clone(), format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")));
    let forbidden = of("403 Forbidden");
    let evidence = "most likely the origin check: Origin: https://page.test, Host: lab.test";
    assert!(forbidden.sentence("HS-FORBIDDEN").contains(evidence));
    assert!(!forbidden.has("ORIGIN"), "{:?}", forbidden.findings);
    assert!(of("404 Not Found").has("ORIGIN"));
    let own = upgrade(request("/", "Origin: https://lab.test\r\n"), "HTTP/1.1 403 Forbidden\r\n\r\n");
    assert!(!told(&own).sentence("HS-FORBIDDEN").contains("likely"));
}

/// An answer that is no HTTP refuses the upgrade, with the words of what answered; one that came in part says how much.
#[test]
fn answers_that_are_no_http_are_named() {
    let of = |answer: &[u8]| told(&upgrade(request("/", ""), answer));
    let alert = of(b"\x15\x03\x01\0\x02\x02\x46");
    assert!(alert.sentence("HS-TLS-PORT").ends_with("answer: a TLS alert (fatal, protocol_version)"));
    let verdict = alert.rows[0].verdict().text;
    assert_eq!(verdict, "the upgrade was refused: the request came in clear to a port that speaks TLS");
    assert!(of(b"SSH-2.0-x\r\n").sentence("HS-NOT-HTTP").ends_with("answer: SSH, \"SSH-2.0-x\""));
    let part = of(b"HTTP/1.1 400 ");
    assert!(part.sentence("HS-NO-ANSWER").contains(": only 13 bytes of its head came; TCP FIN"), "{:?}", part.findings);
}

/// A proxy that asks for credentials and gets them let the client through after all.
#[test]
fn credentials_that_follow_are_no_refusal() {
    let ask = "CONNECT lab.test:80 HTTP/1.1\r\nHost: lab.test:80\r\n\r\n";
    let again = "CONNECT lab.test:80 HTTP/1.1\r\nHost: lab.test:80\r\nProxy-Authorization: Basic eA==\r\n\r\n";
    let asks = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n";
    let mut session = Session::bare(1);
    session.turn(Client, ask).turn(Server, asks);
    let refused = told(&capture_of(&session.segments()));
    let sentence = refused.sentence("PROXY-REFUSED");
    assert!(
        sentence.contains("CONNECT lab.test:80 at ") && sentence.ends_with("Proxy-Authenticate: Basic"),
        "{sentence}"
    );
    assert!(refused.rows.is_empty());
    session.turn(Client, again).turn(Server, "HTTP/1.1 200 OK\r\n\r\n");
    let let_through = told(&capture_of(&session.segments()));
    assert!(let_through.findings.is_empty(), "{:?}", let_through.findings);
}

/// Nothing that is told of a handshake repeats a cookie, a credential or a token.
#[test]
fn secrets_are_told_of_without_being_told() {
    let secret = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2VjcmV0";
    let headers = format!(
        "Cookie: sid={secret}\r\nAuthorization: Bearer {secret}\r\n\
         Sec-WebSocket-Protocol: v1, authorization.bearer.{secret}, authorization.bearer.{secret}\r\n"
    );
    for answer in [
        "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: v2\r\n\r\n".to_owned(),
        "HTTP/1.1 401 Unauthorized\r\n\r\n".to_owned(),
        "HTTP/1.1 403 Forbidden\r\n\r\n".to_owned(),
        format!("HTTP/1.1 403 Forbidden\r\n\r\nno such user: {secret}, in /chat?token={secret}"),
        format!("HTTP/1.1 403 Forbidden\r\n\r\n{{\"token\":\"{secret}\"}}"),
        "HTTP/1.1 404 Not Found\r\n\r\n".to_owned(),
        format!("HTTP/1.1 302 Found\r\nLocation: /login?back={secret}\r\n\r\n"),
    ] {
        let told = told(&upgrade(request(&format!("/chat?token={secret}"), &headers), answer.clone()));
        assert!(
            told.has("CLEAR-CREDENTIALS") && told.has("QUERY-TOKEN") && told.has("HS-OFFER"),
            "{:?}",
            told.findings
        );
        for (code, sentence, _) in &told.findings {
            assert!(!sentence.contains(secret), "{code} gives it away: {sentence}");
        }
        let verdict = told.rows[0].verdict().text;
        assert!(!verdict.contains(secret), "{verdict}");
    }
}
