//! Conversations of applications: one each, as its protocol describes it.

use super::{check, hints};
use crate::decode::Hints;

#[test]
fn ddp_methods_and_subscriptions_are_paired() {
    check(
        hints("/websocket", None),
        &[
            (r#"<{"server_id":"0"}"#, r#"json | - - | {"server_id":"0"}"#),
            (r#">{"msg":"connect","version":"1","support":["1","pre2"]}"#, "ddp | connect - | connect 1"),
            (r#"<{"msg":"connected","session":"s1"}"#, "ddp | connected - ↩2 | connected s1"),
            (r#">{"msg":"sub","id":"a","name":"tasks","params":[7]}"#, "ddp | tasks a | sub tasks #a [7]"),
            (
                r#"<{"msg":"added","collection":"tasks","id":"t1","fields":{"x":1}}"#,
                r#"ddp | added t1 | added tasks #t1 {"x":1}"#,
            ),
            (r#"<{"msg":"ready","subs":["a"]}"#, "ddp | ready a ↩4 | ready #a"),
            (r#">{"msg":"method","method":"add","params":["x"],"id":"1"}"#, r#"ddp | add 1 | method add #1 ["x"]"#),
            (r#"<{"msg":"result","id":"1","result":null}"#, "ddp | result 1 ↩7 | result #1"),
            (r#"<{"msg":"updated","methods":["1"]}"#, "ddp | updated 1 | updated #1"),
            (r#"<{"msg":"ping"}"#, "ddp | ping - ~ | ping"),
            (r#">{"msg":"pong"}"#, "ddp | pong - ↩10 ~ | pong"),
            (r#">{"msg":"unsub","id":"a"}"#, "ddp | unsub a | unsub #a"),
            (r#"<{"msg":"nosub","id":"a"}"#, "ddp | nosub a ↩12 | nosub #a"),
            (r#"<{"msg":"hello"}"#, r#"json | hello - | {"msg":"hello"}"#),
        ],
    );
}

#[test]
fn home_assistant_commands_are_paired() {
    check(
        hints("/api/websocket", None),
        &[
            (
                r#"<{"type":"auth_required","ha_version":"2021.5.3"}"#,
                "home-assistant | auth_required - | auth_required 2021.5.3",
            ),
            (r#">{"type":"auth","access_token":"ABCD"}"#, "home-assistant | auth - | auth"),
            (r#"<{"type":"auth_ok","ha_version":"2021.5.3"}"#, "home-assistant | auth_ok - ↩2 | auth_ok 2021.5.3"),
            (
                r#">{"id":18,"type":"subscribe_events","event_type":"state_changed"}"#,
                "home-assistant | subscribe_events 18 | subscribe_events state_changed #18",
            ),
            (
                r#"<{"id":18,"type":"result","success":true,"result":null}"#,
                "home-assistant | result 18 ↩4 | result #18",
            ),
            (
                r#"<{"id":18,"type":"event","event":{"data":{"x":1},"event_type":"state_changed"}}"#,
                r#"home-assistant | state_changed 18 | event state_changed #18 {"x":1}"#,
            ),
            (r#">{"id":24,"type":"get_states"}"#, "home-assistant | get_states 24 | get_states #24"),
            (
                r#"<{"id":24,"type":"result","success":false,"error":{"code":"x"}}"#,
                r#"home-assistant | result 24 ↩7 | result #24 {"code":"x"}"#,
            ),
            (r#">{"id":19,"type":"ping"}"#, "home-assistant | ping 19 ~ | ping #19"),
            (r#"<{"id":19,"type":"pong"}"#, "home-assistant | pong 19 ↩9 ~ | pong #19"),
        ],
    );
}

#[test]
fn obs_requests_are_paired_in_json_and_messagepack() {
    let hello = r#"<{"op":0,"d":{"obsWebSocketVersion":"5.1.0","rpcVersion":1}}"#;
    check(
        Hints::default(),
        &[
            (hello, "obs-websocket | Hello - | Hello 5.1.0"),
            (r#">{"op":1,"d":{"rpcVersion":1}}"#, "obs-websocket | Identify - | Identify"),
            (r#"<{"op":2,"d":{"negotiatedRpcVersion":1}}"#, "obs-websocket | Identified - ↩2 | Identified"),
            (
                r#">{"op":6,"d":{"requestType":"SetScene","requestId":"f8","requestData":{"sceneName":"S"}}}"#,
                r#"obs-websocket | SetScene f8 | Request SetScene #f8 {"sceneName":"S"}"#,
            ),
            (
                r#"<{"op":7,"d":{"requestType":"SetScene","requestId":"f8","requestStatus":{"result":false,"code":608,"comment":"no"}}}"#,
                r#"obs-websocket | RequestResponse f8 ↩4 | RequestResponse SetScene no #f8 {"result":false,"code":608,"comment":"no"}"#,
            ),
            (
                r#"<{"op":5,"d":{"eventType":"StudioModeStateChanged","eventIntent":1,"eventData":{"on":true}}}"#,
                r#"obs-websocket | StudioModeStateChanged - | Event StudioModeStateChanged {"on":true}"#,
            ),
        ],
    );
    // {op: 6, d: {requestType: "V", requestId: "1"}}
    let request =
        ">#82 a2 6f 70 06 a1 64 82 ab 72 65 71 75 65 73 74 54 79 70 65 a1 56 a9 72 65 71 75 65 73 74 49 64 a1 31";
    check(
        hints("/", Some("obswebsocket.msgpack")),
        &[(request, "obs-websocket | V 1 | Request V #1"), (">#82 a2 6f 70", "nothing")],
    );
}

#[test]
fn discord_speaks_json() {
    check(
        hints("/?v=10&encoding=json", None),
        &[
            (
                r#"<{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":41250}}"#,
                r#"discord | Hello - | Hello {"heartbeat_interval":41250}"#,
            ),
            (r#">{"op":2,"d":{"token":"secret"}}"#, "discord | Identify - | Identify"),
            (r#"<{"t":"READY","s":1,"op":0,"d":{"v":10}}"#, r#"discord | READY - | Dispatch READY {"v":10}"#),
            (r#">{"op":1,"d":251}"#, "discord | Heartbeat - ~ | Heartbeat"),
            (r#"<{"t":null,"s":null,"op":11,"d":null}"#, "discord | Heartbeat ACK - ↩4 ~ | Heartbeat ACK"),
        ],
    );
}

/// One zlib stream goes through all messages: a later one refers to what an earlier one had, and one may come in two.
#[test]
fn discord_has_one_zlib_stream_over_messages() {
    use super::{Direction, Limits, Opcode, Session, message, told};
    use flate2::{Compress, Compression, FlushCompress};
    let mut deflater = Compress::new(Compression::default(), true);
    let mut packed = |text: &str| {
        let mut out = Vec::with_capacity(1 << 16);
        deflater.compress_vec(text.as_bytes(), &mut out, FlushCompress::Sync).unwrap();
        out
    };
    let event = |nth: u32| {
        format!(r#"{{"t":"TICK","s":{nth},"op":0,"d":{{"nth":{nth},"pad":"{}"}}}}"#, "abcdefgh".repeat(5000))
    };
    let mut session = Session::new(hints("/?v=10&encoding=json&compress=zlib-stream", None), None, &Limits::DEFAULT);
    let mut tell = |bytes: &[u8]| {
        let decoded = session.message(&message(1, Direction::ToClient, Opcode::BINARY, bytes));
        decoded.map_or("nothing".to_owned(), |decoded| told(&decoded).chars().take(60).collect())
    };
    let hello = packed(r#"{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":1}}"#);
    assert_eq!(tell(&hello), r#"discord | Hello - | Hello {"heartbeat_interval":1}"#);
    for nth in 1..6 {
        let bytes = packed(&event(nth));
        let (front, back) = bytes.split_at(bytes.len() / 2);
        if nth == 3 {
            assert_eq!(tell(front), "discord");
        }
        let told = tell(if nth == 3 { back } else { &bytes });
        assert!(told.starts_with(&format!(r#"discord | TICK - | Dispatch TICK {{"nth":{nth},"#)), "{told}");
    }
    assert!(session.held() < 40_000, "{}", session.held());
    // A bomb, and what comes behind it, is not decoded.
    let bomb = packed(&format!(r#"{{"op":0,"d":"{}"}}"#, "a".repeat(5 << 20)));
    let mut tell = |bytes: &[u8]| session.message(&message(1, Direction::ToClient, Opcode::BINARY, bytes)).is_some();
    assert!(bomb.len() < 1 << 16 && !tell(&bomb));
    assert!(!tell(&packed(&event(7))));
}

#[test]
fn nostr_subscriptions_bring_events() {
    let event = r#"{"id":"e1","pubkey":"p","created_at":1,"kind":1,"tags":[],"content":"hi","sig":"s"}"#;
    let (published, brought) = (format!(r#">["EVENT",{event}]"#), format!(r#"<["EVENT","sub",{event}]"#));
    check(
        Hints::default(),
        &[
            (r#">["REQ","sub",{"kinds":[1]}]"#, r#"nostr | REQ sub | REQ #sub {"kinds":[1]}"#),
            (&brought, &format!("nostr | EVENT sub ↩1 | EVENT kind 1 #sub {event}")),
            (r#"<["EOSE","sub"]"#, "nostr | EOSE sub ↩1 | EOSE #sub"),
            (&published, &format!("nostr | EVENT e1 | EVENT kind 1 #e1 {event}")),
            (r#"<["OK","e1",false,"blocked: no"]"#, r#"nostr | OK e1 ↩4 | OK #e1 "blocked: no""#),
            (r#"<["CLOSED","sub","error: x"]"#, r#"nostr | CLOSED sub ↩1 | CLOSED #sub "error: x""#),
            (r#"<["NOTICE","slow down"]"#, r#"nostr | NOTICE - | NOTICE "slow down""#),
            (r#">["CLOSE","sub"]"#, "nostr | CLOSE sub | CLOSE #sub"),
            (r#"<["OTHER",{}]"#, r#"json | OTHER - | ["OTHER",{}]"#),
        ],
    );
    check(Hints::default(), &[(r#"<["NOTICE","hello"]"#, r#"nostr | NOTICE - | NOTICE "hello""#)]);
    check(Hints::default(), &[(r#"<["EVENT",{"a":1}]"#, r#"json | EVENT - | ["EVENT",{"a":1}]"#)]);
}

#[test]
fn channels_of_kubernetes() {
    check(
        hints("/api/v1/namespaces/default/pods/p/exec?command=sh", Some("v5.channel.k8s.io")),
        &[
            (">#00 6c 73 0a", "kubernetes | stdin - | stdin ls\n"),
            ("<#01 61 ff", "kubernetes | stdout - | stdout <2 bytes>"),
            (">#04 7b7d", "kubernetes | resize - | resize {}"),
            (">#ff 00", "kubernetes | close - | close stdin"),
            ("<#03 7b 22 73 22 3a 31 7d", r#"kubernetes | error - | error {"s":1}"#),
            ("<#07 00", "nothing"),
            ("<", "nothing"),
        ],
    );
    check(
        hints("/exec", Some("base64.channel.k8s.io")),
        &[(">0bHMK", "kubernetes | stdin - | stdin ls\n"), ("<1*", "nothing"), ("<x", "nothing")],
    );
    check(
        hints("/api/v1/namespaces/default/pods/p/portforward?ports=80", Some("v4.channel.k8s.io")),
        &[
            ("<#00 50 00", "kubernetes | data 0 - | data 0 80"),
            ("<#01 50 00", "kubernetes | error 0 - | error 0 80"),
            (">#00 47 45 54", "kubernetes | data 0 - | data 0 GET"),
            ("<#00 48 54", "kubernetes | data 0 - | data 0 HT"),
        ],
    );
}

#[test]
fn jupyter_requests_have_replies() {
    let request = r#">{"channel":"shell","header":{"msg_id":"m1","msg_type":"execute_request"},"parent_header":{},"metadata":{},"content":{"code":"1+1"}}"#;
    let status = r#"<{"channel":"iopub","header":{"msg_id":"m2","msg_type":"status"},"parent_header":{"msg_id":"m1"},"content":{"execution_state":"busy"}}"#;
    check(
        hints("/api/kernels/x/channels", None),
        &[
            (request, r#"jupyter | execute_request m1 | shell execute_request #m1 {"code":"1+1"}"#),
            (status, r#"jupyter | status m1 | iopub status #m1 {"execution_state":"busy"}"#),
        ],
    );
    let parts: [&[u8]; 6] = [
        b"shell",
        br#"{"msg_id":"m3","msg_type":"execute_reply"}"#,
        br#"{"msg_id":"m1"}"#,
        b"{}",
        br#"{"status":"ok"}"#,
        b"\x00\x01",
    ];
    let mut offset = 8 * (parts.len() as u64 + 2);
    let mut v1 = (parts.len() as u64 + 1).to_le_bytes().to_vec();
    v1.extend(offset.to_le_bytes());
    for part in parts {
        offset += part.len() as u64;
        v1.extend(offset.to_le_bytes());
    }
    v1.extend(parts.concat());
    let json = br#"{"channel":"iopub","header":{"msg_id":"m4","msg_type":"comm_msg"},"parent_header":{"msg_id":"m1"},"content":{}}"#;
    let old = [&[0, 0, 0, 2, 0, 0, 0, 12, 0, 0, 0, 12 + json.len() as u8][..], json, &[7]].concat();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    check(
        hints("/api/kernels/x/channels", Some("v1.kernel.websocket.jupyter.org")),
        &[
            (request, r#"jupyter | execute_request m1 | shell execute_request #m1 {"code":"1+1"}"#),
            (&format!("<#{}", hex(&v1)), r#"jupyter | execute_reply m1 ↩1 | shell execute_reply #m1 {"status":"ok"}"#),
            (&format!("<#{}", hex(&old)), "jupyter | comm_msg m1 | iopub comm_msg #m1 {}"),
            (&format!("<#{}", hex(&v1[..v1.len() - 1])), "nothing"),
        ],
    );
}

#[test]
fn servers_of_development_tell_of_updates() {
    check(
        hints("/?token=x", Some("vite-hmr")),
        &[
            (r#"<{"type":"connected"}"#, "vite | connected - | connected"),
            (
                r#"<{"type":"update","updates":[{"type":"js-update","path":"/a.js"}]}"#,
                r#"vite | update - | update js-update /a.js [{"type":"js-update","path":"/a.js"}]"#,
            ),
            (
                r#">{"type":"custom","event":"vite:invalidate","data":{"path":"/a.js"}}"#,
                r#"vite | vite:invalidate - | custom vite:invalidate {"path":"/a.js"}"#,
            ),
            (r#"<{"type":"full-reload","path":"*"}"#, "vite | full-reload - | full-reload *"),
            (r#">{"type":"ping"}"#, "vite | ping - ~ | ping"),
        ],
    );
    check(
        hints("/ws", None),
        &[
            (r#"<{"type":"hot"}"#, "webpack | hot - | hot"),
            (r#"<{"type":"hash","data":"8fd9a5cbb7b24aaf1034"}"#, "webpack | hash - | hash 8fd9a5cbb7b24aaf1034"),
            (r#"<{"type":"errors","data":[{"message":"no"}]}"#, r#"webpack | errors - | errors [{"message":"no"}]"#),
            (r#"<{"type":"other"}"#, r#"json | other - | {"type":"other"}"#),
        ],
    );
}

/// A document with the text `hi`, as y-protocols writes it.
#[test]
fn yjs_documents_are_synchronised() {
    check(
        hints("/room", None),
        &[
            (">#00000401ac0202", r#"yjs | sync step 1 - | sync step 1 {"300":2}"#),
            ("<#00010d0101ac02000401017402686900", "yjs | sync step 2 - ↩1 | sync step 2 <13 bytes>"),
            ("<#00020d0101ac02000401017402686900", "yjs | update - | update <13 bytes>"),
            (
                "<#011c01ac0201177b2275736572223a7b226e616d65223a22416e6e227d7d",
                r#"yjs | awareness - | awareness [{"user":{"name":"Ann"}}]"#,
            ),
            // One that is gone.
            ("<#01 09 01 ac 02 02 04 6e 75 6c 6c", "yjs | awareness - | awareness [null]"),
            (">#03", "yjs | query awareness - | query awareness"),
            ("<#02 00 02 6e 6f", "yjs | auth - | auth permission denied no"),
            ("<#00 02 05 00", "nothing"),
        ],
    );
}
