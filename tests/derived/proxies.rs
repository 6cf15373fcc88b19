//! What stands before a WebSocket where a proxy is spoken to: it is passed over, and told.

use super::support::capture;
use super::support::craft::*;
use super::support::run::{Input, key, records, string};
use super::{says, shown};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Who says what to a proxy.
type Turns<'a> = &'a [(Side, &'a [u8])];
/// Headers of the PROXY protocol, the client that they name, and their kinds.
type Headers<'a> = (&'a [&'a [u8]], Option<&'a str>, &'a [&'a str]);

/// A session whose first turns are these, before the handshake and what `sample` says.
fn behind(n: usize, turns: Turns<'_>) -> Session {
    let mut session = Session::sample(n);
    let turns = turns.iter().map(|(side, bytes)| (*side, bytes.to_vec()));
    session.turns.splice(0..0, turns);
    session
}

/// The proxies of each connection, by its client.
fn routes(file: &[u8]) -> BTreeMap<String, Value> {
    records("ls", Input::Bytes(file)).iter().map(|row| (string(row, "client"), key(row, "via").clone())).collect()
}

const REQUEST4: &[u8] = b"\x04\x01\x1f\x90\x0a\x01\0\x02me\0";
const REQUEST4A: &[u8] = b"\x04\x01\x1f\x90\0\0\0\x01\0chat.test\0";
const GRANTED4: &[u8] = b"\0\x5a\0\0\0\0\0\0";
const METHODS: &[u8] = b"\x05\x02\0\x02";
const REQUEST5: &[u8] = b"\x05\x01\0\x03\x09chat.test\x1f\x90";
const GRANTED5: &[u8] = b"\x05\0\0\x01\0\0\0\0\0\0";

#[test]
fn socks_is_passed_over() {
    let rows: &[(Turns<'_>, &str, &str)] = &[
        (&[(Client, REQUEST4), (Server, GRANTED4)], "socks4", "10.1.0.2:8080"),
        (&[(Client, REQUEST4A), (Server, GRANTED4)], "socks4", "chat.test:8080"),
        (&[(Client, METHODS), (Server, b"\x05\0"), (Client, REQUEST5), (Server, GRANTED5)], "socks5", "chat.test:8080"),
        (
            &[
                (Client, METHODS),
                (Server, b"\x05\x02"),
                (Client, b"\x01\x02me\x06secret"),
                (Server, b"\x01\0"),
                (Client, REQUEST5),
                (Server, GRANTED5),
            ],
            "socks5",
            "chat.test:8080",
        ),
        // A client that does not wait.
        (
            &[(Client, &[METHODS, REQUEST5].concat()), (Server, &[b"\x05\0", GRANTED5].concat())],
            "socks5",
            "chat.test:8080",
        ),
    ];
    let sessions: Vec<Session> = rows.iter().enumerate().map(|(n, (turns, ..))| behind(n, turns)).collect();
    for cut in [usize::MAX, 1, 3] {
        let file = capture_of(&interleave(sessions.iter().map(|session| session.cut(|_| vec![cut])).collect()));
        says(&file, &sessions, "SOCKS");
        let routes = routes(&file);
        for ((_, kind, address), session) in rows.iter().zip(&sessions) {
            assert_eq!(routes[&session.client.to_string()], json!([{ "kind": kind, "address": address }]));
        }
    }
    // Captured by half, each side is read by itself.
    for session in &sessions {
        for side in [Client, Server] {
            let mut segments = session.segments();
            segments.retain(|segment| (segment.src == session.client) == (side == Client));
            let all = shown(&capture_of(&segments));
            // A server of SOCKS 4 begins with a zero, and one that wants a password with what a client may begin with.
            if side == Client || session.turns[1].1.starts_with(&[5, 0]) {
                let said = session.said.iter().filter(|said| said.dir == side.dir()).count();
                assert_eq!(all.values().map(|one| one.of(side.dir()).len()).sum::<usize>(), said, "{side:?}");
            }
        }
    }
}

#[test]
fn socks_that_leads_nowhere_is_no_websocket() {
    for turns in [
        &[(Client, REQUEST4), (Server, &b"\0\x5b\0\0\0\0\0\0"[..])][..],
        &[(Client, METHODS), (Server, b"\x05\xff")],
        &[(Client, METHODS), (Server, b"\x05\x01")],
        &[(Client, METHODS), (Server, b"\x05\0"), (Client, REQUEST5), (Server, b"\x05\x05\0\x01\0\0\0\0\0\0")],
        &[(Client, b"\x05\x01\x00nonsense nonsense"), (Server, b"nonsense")],
    ] {
        let mut session = behind(0, turns);
        // A segment that begins with a request would be one, whatever was before it.
        session.turns[turns.len()].1.splice(0..0, *b"\r\n");
        let all = shown(&capture_of(&session.segments()));
        assert!(all.is_empty(), "{turns:?}");
    }
}

#[test]
fn the_proxy_protocol_names_the_client() {
    let v1 = b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n";
    let mut v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x13".to_vec();
    v2.extend([203, 0, 113, 9, 198, 51, 100, 7, 0x1f, 0x90, 1, 0xbb, 4, 0, 4, 1, 2, 3, 4]);
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    let v6 = b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n";
    let rows: [Headers<'_>; 6] = [
        (&[v1], Some("192.0.2.1:56324"), &["proxy-v1"]),
        (&[&v2], Some("203.0.113.9:8080"), &["proxy-v2"]),
        (&[v6], Some("[2001:db8::7]:4711"), &["proxy-v1"]),
        (&[b"PROXY UNKNOWN\r\n"], None, &["proxy-v1"]),
        (&[local], None, &["proxy-v2"]),
        // The header behind is of the proxy in front, which the client reached.
        (&[&v2, v1], Some("192.0.2.1:56324"), &["proxy-v2", "proxy-v1"]),
    ];
    for (headers, client, kinds) in rows {
        let mut session = Session::sample(1);
        session.turns[0].1 = [&headers.concat(), &session.turns[0].1[..]].concat();
        let peer = session.client.to_string();
        // Whom a header names has written the next.
        let ends = [peer.as_str(), "203.0.113.9:8080"];
        let via = kinds.iter().zip(ends).map(|(kind, end)| json!({ "kind": kind, "address": end }));
        let via: Vec<Value> = via.collect();
        for cut in [usize::MAX, 1] {
            let file = capture_of(&session.cut(|_| vec![cut]));
            let client = client.unwrap_or(&peer);
            assert_eq!(routes(&file)[client], Value::from(via.clone()));
            let mut seen = session.clone();
            seen.client = client.parse().unwrap();
            says(&file, &[seen], "PROXY");
        }
    }
}

#[test]
fn tunnels_lead_anywhere() {
    let connect = b"CONNECT chat.test:8080 HTTP/1.1\r\nHost: chat.test:8080\r\n\r\n";
    let again = b"CONNECT inner.test:80 HTTP/1.1\r\nHost: inner.test\r\nProxy-Authorization: Basic x\r\n\r\n";
    let ok = b"HTTP/1.1 200 Connection established\r\n\r\n";
    let login = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 5\r\n\r\nlogin";
    let hop = |kind: &str, address: &str| json!({ "kind": kind, "address": address });
    let rows: &[(Turns<'_>, Value)] = &[
        (&[(Client, connect), (Server, ok)], json!([hop("connect", "chat.test:8080")])),
        // Refused at first.
        (
            &[(Client, connect), (Server, login), (Client, again), (Server, ok)],
            json!([hop("connect", "inner.test:80")]),
        ),
        // One in another, and SOCKS in front.
        (
            &[(Client, connect), (Server, ok), (Client, again), (Server, ok)],
            json!([hop("connect", "chat.test:8080"), hop("connect", "inner.test:80")]),
        ),
        (
            &[(Client, REQUEST4), (Server, GRANTED4), (Client, again), (Server, ok)],
            json!([hop("socks4", "10.1.0.2:8080"), hop("connect", "inner.test:80")]),
        ),
        // A client that does not wait for the tunnel: the handshake is held until it is there.
        (
            &[(Client, &[&connect[..], &request("/0", "")].concat()), (Server, ok)],
            json!([hop("connect", "chat.test:8080")]),
        ),
    ];
    let mut sessions: Vec<Session> = rows.iter().enumerate().map(|(n, (turns, _))| behind(n, turns)).collect();
    sessions[4].turns.remove(2);
    let file = capture_of(&interleave(sessions.iter().map(Session::segments).collect()));
    says(&file, &sessions, "tunnels");
    let routes = routes(&file);
    for (session, (_, expected)) in sessions.iter().zip(rows) {
        assert_eq!(routes[&session.client.to_string()], *expected);
    }
}

/// A request to a proxy names the whole URL.
#[test]
fn targets_in_absolute_form_are_urls() {
    for (target, url) in [
        ("http://chat.test/a?b", "ws://chat.test/a?b"),
        ("ws://chat.test:81/", "ws://chat.test:81/"),
        ("https://chat.test/", "wss://chat.test/"),
    ] {
        let mut session = Session::bare(1);
        session.turn(Client, request(target, "")).turn(Server, response("")).text(Client, "hi");
        let file = capture_of(&session.segments());
        says(&file, &[session], target);
        assert_eq!(string(&records("ls", Input::Bytes(&file))[0], "url"), url);
    }
}

/// Both hops of a real proxy, in clear and sealed: the one before it is led through it, the one behind is not.
#[test]
fn a_real_tunnel_is_told() {
    let Some(path) = capture("lab", "proxy_connect.pcap") else { return };
    let rows = records("ls", Input::File(&path));
    assert!(!rows.is_empty());
    for row in rows {
        let to_proxy = string(&row, "server").ends_with(":25721");
        let is_sealed = string(&row, "url").starts_with("wss://");
        let target = if is_sealed { "127.0.0.1:25718" } else { "127.0.0.1:25714" };
        let via = if to_proxy { json!([{ "kind": "connect", "address": target }]) } else { json!([]) };
        assert_eq!(*key(&row, "via"), via);
    }
}
