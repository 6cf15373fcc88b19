//! What stands at a moment.

use super::{hints, message, unhex};
use crate::decode::Session;
use crate::model::{Direction, Limits, Mark, Moment, Opcode, PacketNo, Pending, Standing, Timestamp};

fn at(number: u64) -> Mark {
    Mark { packet: PacketNo(number), time: Some(Timestamp::from_nanos(number as i64 * 1_000_000)) }
}

/// Things as `kind id (name)`, then `|`, then requests as `event id`, with `+` and the answers so far.
fn told(moment: &Moment) -> String {
    let thing = |Standing { kind, id, name, .. }: &Standing| {
        let name = name.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
        format!("{kind} {id}{name}")
    };
    let asked = |Pending { event, id, replies, .. }: &Pending| {
        let replies = if *replies > 0 { format!("+{replies}") } else { String::new() };
        format!("{} {id}{replies}", event.as_deref().unwrap_or("-"))
    };
    let join = |all: Vec<String>| all.join(", ");
    format!("{}|{}", join(moment.open.iter().map(thing).collect()), join(moment.pending.iter().map(asked).collect()))
}

/// A conversation as `check` has it, and what stands behind each message.
#[track_caller]
fn check(path: &str, subprotocol: Option<&str>, conversation: &[(&str, &str)]) {
    let mut session = Session::new(hints(path, subprotocol), None, &Limits::DEFAULT);
    for (number, (said, wanted)) in (1..).zip(conversation) {
        let dir = if said.starts_with('>') { Direction::ToServer } else { Direction::ToClient };
        let (opcode, bytes) = match said[1..].strip_prefix('#') {
            Some(hex) => (Opcode::BINARY, unhex(hex)),
            None => (Opcode::TEXT, said.as_bytes()[1..].to_vec()),
        };
        session.message(&message(number, dir, opcode, &bytes));
        assert_eq!(told(&session.state(at(number))), *wanted, "{said}");
    }
}

#[test]
fn topics_of_mqtt_stand_but_those_that_are_refused() {
    check(
        "/",
        Some("mqtt"),
        &[
            (">#82 0a 0001 0001 61 00 0001 62 00", "topic a, topic b|SUBSCRIBE 1"),
            // The second is refused.
            ("<#90 04 0001 00 80", "topic a|"),
            (">#82 06 0002 0001 61 01", "topic a|SUBSCRIBE 2"),
            (">#30 04 0001 61 78", "topic a|SUBSCRIBE 2"),
            (">#a2 05 0003 0001 61", "|SUBSCRIBE 2, UNSUBSCRIBE 3"),
        ],
    );
}

#[test]
fn subscriptions_and_transactions_of_stomp() {
    check(
        "/",
        Some("v12.stomp"),
        &[
            (">SUBSCRIBE\nid:0\ndestination:/q\n\n\0", "subscription 0 (/q)|"),
            (">BEGIN\ntransaction:t\n\n\0", "subscription 0 (/q), transaction t|"),
            (">UNSUBSCRIBE\nid:0\nreceipt:r\n\n\0", "transaction t|UNSUBSCRIBE r"),
            ("<RECEIPT\nreceipt-id:r\n\n\0", "transaction t|"),
            (">COMMIT\ntransaction:t\n\n\0", "|"),
        ],
    );
}

/// An operation that has had data stands, and waits for nothing.
#[test]
fn operations_of_graphql_stand_until_they_are_complete() {
    check(
        "/",
        Some("graphql-transport-ws"),
        &[
            (r#">{"type":"connection_init"}"#, "|connection_init "),
            (r#"<{"type":"connection_ack"}"#, "|"),
            (
                r#">{"id":"1","type":"subscribe","payload":{"query":"subscription Ticks { t }"}}"#,
                "operation 1 (subscription Ticks)|subscribe 1",
            ),
            (r#"<{"id":"1","type":"next","payload":{}}"#, "operation 1 (subscription Ticks)|"),
            (r#"<{"id":"1","type":"complete"}"#, "|"),
        ],
    );
}

#[test]
fn channels_that_were_joined() {
    check(
        "/socket/websocket?vsn=2.0.0",
        None,
        &[
            (r#">["1","1","room:a","phx_join",{}]"#, "channel room:a|phx_join 1"),
            (r#"<["1","1","room:a","phx_reply",{"status":"ok","response":{}}]"#, "channel room:a|"),
            (r#">["2","2","room:b","phx_join",{}]"#, "channel room:a, channel room:b|phx_join 2"),
            (r#"<["2","2","room:b","phx_reply",{"status":"error","response":{}}]"#, "channel room:a|"),
            (r#"<["1",null,"room:a","phx_close",{}]"#, "|"),
        ],
    );
    let chat = r#""identifier":"{\"channel\":\"Chat\"}""#;
    check(
        "/cable",
        Some("actioncable-v1-json"),
        &[
            (
                &format!(r#">{{"command":"subscribe",{chat}}}"#),
                r#"channel {"channel":"Chat"} (Chat)|subscribe {"channel":"Chat"}"#,
            ),
            (&format!(r#"<{{"type":"reject_subscription",{chat}}}"#), "|"),
        ],
    );
    check(
        "/app/k?protocol=7",
        None,
        &[
            (r#">{"event":"pusher:subscribe","data":{"channel":"c"}}"#, "channel c|pusher:subscribe c"),
            (r#"<{"event":"pusher_internal:subscription_succeeded","channel":"c","data":"{}"}"#, "channel c|"),
            (r#">{"event":"pusher:unsubscribe","data":{"channel":"c"}}"#, "|"),
        ],
    );
}

/// What is subscribed to is called by the id that the answer gives it.
#[test]
fn an_answer_may_name_what_was_asked_for() {
    check(
        "/",
        Some("wamp.2.json"),
        &[
            (r#">[32,7,{},"a.topic"]"#, "subscription request 7 (a.topic)|a.topic 7"),
            ("<[33,7,99]", "subscription 99 (a.topic)|"),
            (r#">[64,8,{},"a.sum"]"#, "subscription 99 (a.topic), registration request 8 (a.sum)|a.sum 8"),
            (r#"<[8,64,8,{},"wamp.error"]"#, "subscription 99 (a.topic)|"),
            (">[34,9,99]", "|UNSUBSCRIBE 9"),
        ],
    );
    check(
        "/",
        None,
        &[
            (
                r#">{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}"#,
                "subscription request 1 (newHeads)|eth_subscribe 1",
            ),
            (r#"<{"jsonrpc":"2.0","id":1,"result":"0x9c"}"#, "subscription 0x9c (newHeads)|"),
            (r#">{"jsonrpc":"2.0","id":2,"method":"eth_unsubscribe","params":["0x9c"]}"#, "|eth_unsubscribe 2"),
            // Another's answer names nothing.
            (r#"<{"jsonrpc":"2.0","id":2,"result":"0x1"}"#, "|"),
            (
                r#">{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"file:///a"}}}"#,
                "document file:///a|",
            ),
        ],
    );
}

#[test]
fn subscriptions_of_applications() {
    check(
        "/websocket",
        None,
        &[
            (r#">{"msg":"connect","version":"1","support":["1"]}"#, "|connect "),
            (r#">{"msg":"sub","id":"a","name":"tasks"}"#, "subscription a (tasks)|connect , tasks a"),
            (r#"<{"msg":"nosub","id":"a","error":{}}"#, "|connect "),
        ],
    );
    check(
        "/api/websocket",
        None,
        &[
            (r#"<{"type":"auth_required","ha_version":"1"}"#, "|"),
            (r#">{"id":1,"type":"subscribe_events","event_type":"e"}"#, "subscription 1 (e)|subscribe_events 1"),
            (r#"<{"id":1,"type":"result","success":false}"#, "|"),
            (r#">{"id":2,"type":"subscribe_events"}"#, "subscription 2|subscribe_events 2"),
            (r#"<{"id":2,"type":"result","success":true}"#, "subscription 2|"),
            (r#">{"id":3,"type":"unsubscribe_events","subscription":2}"#, "|unsubscribe_events 3"),
        ],
    );
    check(
        "/",
        Some("nats"),
        &[
            (">SUB a.> 1\r\nSUB b q 2\r\n", "subscription 1 (a.>), subscription 2 (b)|"),
            (">UNSUB 2 5\r\n", "subscription 1 (a.>), subscription 2 (b)|"),
            (">UNSUB 2\r\n", "subscription 1 (a.>)|"),
        ],
    );
    check(
        "/",
        None,
        &[
            (r#">["REQ","s",{"kinds":[1]}]"#, "subscription s|REQ s"),
            (r#"<["EOSE","s"]"#, "subscription s|"),
            (r#">["CLOSE","s"]"#, "|"),
        ],
    );
    check(
        "/devtools/browser/x",
        None,
        &[
            (r#">{"id":1,"method":"Page.enable","sessionId":"S"}"#, "domain Page in S|Page.enable S#1"),
            (
                r#"<{"method":"Target.attachedToTarget","params":{"sessionId":"T","targetInfo":{"url":"about:blank"}}}"#,
                "domain Page in S, session T (about:blank)|Page.enable S#1",
            ),
            (r#"<{"id":1,"sessionId":"S","error":{"code":1}}"#, "session T (about:blank)|"),
        ],
    );
    check(
        "/socket.io/?EIO=4&transport=websocket",
        None,
        &[
            (">40", "namespace /|connect /"),
            (r#"<40{"sid":"x"}"#, "namespace /|"),
            (">40/a,", "namespace /, namespace /a|connect /a"),
            (r#"<44/a,{"message":"no"}"#, "namespace /|"),
            ("<41", "|"),
        ],
    );
}

/// Past the bound nothing is forgotten: what came last is counted only; and what was lost says that it may be otherwise.
#[test]
fn what_is_too_much_is_counted() {
    let limits = Limits { open_requests: 3, ..Limits::DEFAULT };
    let mut session = Session::new(hints("/", Some("nats")), None, &limits);
    for number in 1..=10 {
        let text = format!("SUB s{number} {number}\r\n");
        session.message(&message(number, Direction::ToServer, Opcode::TEXT, text.as_bytes()));
    }
    let moment = session.state(at(20));
    assert_eq!(told(&moment), "subscription 1 (s1), subscription 2 (s2), subscription 3 (s3)|");
    assert_eq!((moment.open_more, moment.partial, moment.open[0].since.age), (7, false, Some(19_000_000)));
    session.lost(Direction::ToServer);
    assert!(session.state(at(20)).partial);
    let mut asking = Session::new(hints("/", None), None, &limits);
    for number in 1..=4 {
        let text = format!(r#"{{"jsonrpc":"2.0","id":{number},"method":"m"}}"#);
        asking.message(&message(number, Direction::ToServer, Opcode::TEXT, text.as_bytes()));
        assert_eq!(asking.state(at(number)).partial, number > 3, "the oldest request was forgotten");
    }
    session.forget();
    assert_eq!(session.state(at(20)), Moment { partial: true, ..Moment::default() });
}
