//! Conversations in protocols of text.

use super::{check, hints};
use crate::decode::Hints;

#[test]
fn socket_io_events_and_acknowledgements() {
    let open = r#"<0{"sid":"x","upgrades":[],"pingInterval":700,"pingTimeout":5000}"#;
    check(
        hints("/socket.io/?EIO=4&transport=websocket", None),
        &[
            (open, r#"socket.io | open - | open {"sid":"x","upgrades":[],"pingInterval":700,"pingTimeout":5000}"#),
            (">40", "socket.io | connect - | CONNECT"),
            (r#"<40{"sid":"y"}"#, r#"socket.io | connect - ↩2 | CONNECT {"sid":"y"}"#),
            (r#">40/admin,{"token":1}"#, r#"socket.io | connect - | CONNECT /admin {"token":1}"#),
            (
                r#"<44/admin,{"message":"no"}"#,
                r#"socket.io | connect_error - ↩4 | CONNECT_ERROR /admin {"message":"no"}"#,
            ),
            ("<2", "socket.io | ping - ~ | ping"),
            (">3", "socket.io | pong - ↩6 ~ | pong"),
            (r#">4212["chat", {"a":1}, "b"]"#, r#"socket.io | chat 12 | chat #12 [{"a":1},"b"]"#),
            (r#">42/admin,12["chat"]"#, "socket.io | chat 12 | chat /admin #12 []"),
            (r#"<4312["ok"]"#, r#"socket.io | - 12 ↩8 | ACK #12 ["ok"]"#),
            (r#"<43/admin,12[]"#, "socket.io | - 12 ↩9 | ACK /admin #12 []"),
            (">41", "socket.io | disconnect - | DISCONNECT"),
            // What it does not understand is shown as what it is.
            ("<hello", "nothing"),
            (r#"<{"type":"x"}"#, r#"json | x - | {"type":"x"}"#),
            (">2probe", "socket.io | ping - | ping probe"),
            ("<3probe", "socket.io | pong - ↩15 | pong probe"),
        ],
    );
}

#[test]
fn socket_io_attachments_are_joined() {
    let event = r#"<452-/f,7["put",{"_placeholder":true,"num":1},[{"x":{"_placeholder":true,"num":0}},1e2]]"#;
    check(
        hints("/ws?EIO=4&transport=websocket", None),
        &[
            (
                event,
                "socket.io | put 7 | put /f #7 (2 attachments) [{\"_placeholder\":true,\"num\":1},[{\"x\":{\"_placeholder\":true,\"num\":0}},1e2]]",
            ),
            ("<#010203", "socket.io | - - | attachment 1 of 2"),
            (">#80", "nothing"),
            ("<#0405", "socket.io | - - | attachment 2 of 2: put /f #7 [<2 bytes>,[{\"x\":<3 bytes>},1e2]]"),
            ("<#060708", "nothing"),
            (">463-/f,7[]", "socket.io | - 7 ↩1 | ACK /f #7 (3 attachments) []"),
        ],
    );
    // Engine.IO 3 has a byte before them.
    check(
        hints("/socket.io/?EIO=3&transport=websocket", None),
        &[
            (
                r#">451-["b",{"_placeholder":true,"num":0}]"#,
                r#"socket.io | b - | b (1 attachment) [{"_placeholder":true,"num":0}]"#,
            ),
            (">#04ff", "socket.io | - - | attachment 1 of 1: b [<1 byte>]"),
        ],
    );
}

#[test]
fn socket_io_in_messagepack() {
    check(
        hints("/socket.io/?EIO=4&transport=websocket", None),
        &[
            // {type:2, nsp:"/f", data:["put", bytes], id:7}, and its acknowledgement.
            (
                ">#84 a4 74 79 70 65 02 a3 6e 73 70 a2 2f 66 a4 64 61 74 61 92 a3 70 75 74 c4 01 ff a2 69 64 07",
                "socket.io | put 7 | put /f #7 [<1 byte>]",
            ),
            (
                "<#84 a4 74 79 70 65 03 a3 6e 73 70 a2 2f 66 a4 64 61 74 61 91 2a a2 69 64 07",
                "socket.io | - 7 ↩1 | ACK /f #7 [42]",
            ),
            (">#82 a4 74 79 70 65 00 a3 6e 73 70 a1 2f", "socket.io | connect - | CONNECT"),
            (
                "<#83 a4 74 79 70 65 00 a3 6e 73 70 a1 2f a4 64 61 74 61 81 a3 73 69 64 a1 78",
                r#"socket.io | connect - ↩3 | CONNECT {"sid":"x"}"#,
            ),
            // Where it has no data its parser writes an extension.
            (
                ">#83 a4 74 79 70 65 00 a3 6e 73 70 a2 2f 66 a4 64 61 74 61 d4 00 00",
                "socket.io | connect - | CONNECT /f",
            ),
        ],
    );
}

/// In Socket.IO 1 and 2 the server answers with the bare namespace, and begins with the first unasked.
#[test]
fn socket_io_2_namespaces_are_answered() {
    check(
        hints("/socket.io/?EIO=3&transport=websocket", None),
        &[
            ("<40", "socket.io | connect - | CONNECT"),
            (">40/admin", "socket.io | connect - | CONNECT /admin"),
            ("<40/admin", "socket.io | connect - ↩2 | CONNECT /admin"),
        ],
    );
}

/// Packets as its specification has them.
#[test]
fn socket_io_0_9_has_packets_of_its_own() {
    check(
        hints("/socket.io/1/websocket/4d4f185e96a7b", None),
        &[
            ("<1::", "socket.io | connect - | CONNECT"),
            (">1::/test?my=param", "socket.io | connect - | CONNECT /test ?my=param"),
            ("<1::/test", "socket.io | connect - ↩2 | CONNECT /test"),
            ("<2::", "socket.io | heartbeat - ~ | HEARTBEAT"),
            (">2::", "socket.io | heartbeat - ↩4 ~ | HEARTBEAT"),
            (">3:1::blabla: x", "socket.io | message 1 | MESSAGE #1 blabla: x"),
            ("<6:::1", "socket.io | - 1 ↩6 | ACK #1 []"),
            (r#"<4:::{"a":"b"}"#, r#"socket.io | message - | JSON {"a":"b"}"#),
            (r#">5:2+:/test:{"name":"é","args":[1,{}]}"#, "socket.io | é 2 | é /test #2 [1,{}]"),
            (r#"<6::/test:2+["A"]"#, r#"socket.io | - 2 ↩9 | ACK /test #2 ["A"]"#),
            (r#"<5:::{"name":"bare"}"#, "socket.io | bare - | bare []"),
            ("<7:::unauthorized+reconnect", "socket.io | error - | ERROR unauthorized+reconnect"),
            ("<0::/test", "socket.io | disconnect - | DISCONNECT /test"),
            ("<8::", "socket.io | noop - ~ | NOOP"),
            ("<6:::x", "nothing"),
            ("<9::", "nothing"),
        ],
    );
    check(Hints::default(), &[(r#"<5:::{"name":"a","args":[]}"#, "socket.io | a - | a []"), ("<5:::x", "nothing")]);
    check(Hints::default(), &[(">12:30:00", "nothing")]);
}

#[test]
fn engine_io_without_socket_io() {
    check(
        hints("/engine.io/?EIO=4&transport=websocket", None),
        &[
            ("<4hello", "engine.io | message - | message hello"),
            (">#0102", "engine.io | message - | message <2 bytes>"),
            ("<6", "engine.io | noop - ~ | noop"),
        ],
    );
}

#[test]
fn json_rpc_calls_are_paired() {
    check(
        Hints::default(),
        &[
            (r#">{"jsonrpc":"2.0","id":1,"method":"sub","params":[42,23]}"#, "json-rpc | sub 1 | sub #1 [42,23]"),
            (r#">{"jsonrpc":"2.0","id":"1","method":"add"}"#, "json-rpc | add 1 | add #1"),
            (r#"<{"jsonrpc":"2.0","method":"tick"}"#, "json-rpc | tick - | tick"),
            (r#"<{"jsonrpc":"2.0","id":"1","result":null}"#, "json-rpc | - 1 ↩2 | result #1 null"),
            (r#"<{"jsonrpc":"2.0","id":1,"error":{"code":-1}}"#, r#"json-rpc | - 1 ↩1 | error #1 {"code":-1}"#),
            (
                r#">[{"jsonrpc":"2.0","id":2,"method":"a"},{"jsonrpc":"2.0","method":"b"}]"#,
                "json-rpc | a 2 | a #2 | b - | b",
            ),
            (r#"<[{"jsonrpc":"2.0","id":2,"result":7}]"#, "json-rpc | - 2 ↩6 | result #2 7"),
            ("<[]", "json | - - | []"),
            (r#"<{"jsonrpc":"2.0"}"#, r#"json | - - | {"jsonrpc":"2.0"}"#),
            (r#"<{"notification":"feed","params":[1]}"#, "json-rpc | feed - | feed [1]"),
            ("<[1]", "json | - - | [1]"),
        ],
    );
}

#[test]
fn json_is_named_by_what_looks_like_an_event() {
    check(
        Hints::default(),
        &[
            (r#"> {"id":7,"type":"subscribe","x":1} "#, r#"json | subscribe - | {"id":7,"type":"subscribe","x":1}"#),
            (r#"<{"op":10,"d":{}}"#, r#"json | 10 - | {"op":10,"d":{}}"#),
            (r#"<["EVENT",{}]"#, r#"json | EVENT - | ["EVENT",{}]"#),
            (r#"<{"type":{"a":1},"e":"trade"}"#, r#"json | trade - | {"type":{"a":1},"e":"trade"}"#),
            ("<{\"t\":\"a\"}\n{\"t\":\"b\"}\r\n", r#"ndjson | a - | {"t":"a"} | b - | {"t":"b"}"#),
            ("<\x1e[1]\x1e[2]", "ndjson | - - | [1] | - - | [2]"),
            (">#7b7d", "json | - - | {}"),
            ("<42", "nothing"),
            ("<{\"a\":1", "nothing"),
            ("<{\"a\":1}\nx", "nothing"),
            ("<", "nothing"),
        ],
    );
}

#[test]
fn what_a_protocol_does_not_understand_another_may() {
    check(
        hints("/", Some("jsonrpc")),
        &[
            (r#"<{"type":"x"}"#, r#"json | x - | {"type":"x"}"#),
            (r#"<0{"sid":"x","pingInterval":1}"#, r#"socket.io | open - | open {"sid":"x","pingInterval":1}"#),
            (r#"<42["a"]"#, "socket.io | a - | a []"),
            (r#"<{"jsonrpc":"2.0","method":"m"}"#, "json-rpc | m - | m"),
        ],
    );
}

#[test]
fn graphql_operations_have_many_results() {
    check(
        hints("/graphql", Some("graphql-transport-ws")),
        &[
            (
                r#">{"type":"connection_init","payload":{"t":1}}"#,
                r#"graphql-transport-ws | connection_init - | connection_init {"t":1}"#,
            ),
            (r#"<{"type":"connection_ack"}"#, "graphql-transport-ws | connection_ack - ↩1 | connection_ack"),
            (
                r#">{"id":"a","type":"subscribe","payload":{"query":"subscription  OnMsg($r: ID!) { x }","variables":{"r":7}}}"#,
                r#"graphql-transport-ws | subscribe a | subscribe #a subscription OnMsg {"r":7}"#,
            ),
            (
                r#"<{"id":"a","type":"next","payload":{"data":1}}"#,
                r#"graphql-transport-ws | next a ↩3 | next #a {"data":1}"#,
            ),
            (r#"<{"type":"ping"}"#, "graphql-transport-ws | ping - ~ | ping"),
            (r#">{"type":"pong"}"#, "graphql-transport-ws | pong - ↩5 ~ | pong"),
            (
                r#"<{"id":"a","type":"next","payload":{"data":2}}"#,
                r#"graphql-transport-ws | next a ↩3 | next #a {"data":2}"#,
            ),
            (r#"<{"id":"a","type":"complete"}"#, "graphql-transport-ws | complete a ↩3 | complete #a"),
            (
                r#">{"id":"b","type":"subscribe","payload":{"operationName":"Q","query":"query Q {x}"}}"#,
                "graphql-transport-ws | subscribe b | subscribe #b Q",
            ),
            (r#">{"id":"b","type":"complete"}"#, "graphql-transport-ws | complete b | complete #b"),
            (
                r#"<{"id":"b","type":"error","payload":[{"message":"late"}]}"#,
                r#"graphql-transport-ws | error b | error #b [{"message":"late"}]"#,
            ),
        ],
    );
    // The older one is told from it by what it does not know.
    check(
        Hints::default(),
        &[
            (r#">{"type":"connection_init"}"#, "graphql-transport-ws | connection_init - | connection_init"),
            (r#"<{"type":"ka"}"#, r#"json | ka - | {"type":"ka"}"#),
            (r#">{"id":1,"type":"start","payload":{"query":"{ x }"}}"#, "graphql-ws | start 1 | start #1 { x }"),
            (r#"<{"id":1,"type":"data","payload":{}}"#, "graphql-ws | data 1 ↩3 | data #1 {}"),
            (r#"<{"type":"ka"}"#, "graphql-ws | ka - ~ | ka"),
            (r#">{"id":1,"type":"stop"}"#, "graphql-ws | stop 1 | stop #1"),
            (
                r#">{"id":2,"type":"start","payload":{"query":"subscription {\n  x\n}"}}"#,
                "graphql-ws | start 2 | start #2 subscription { x }",
            ),
        ],
    );
}

#[test]
fn phoenix_pushes_have_replies() {
    check(
        hints("/socket/websocket?token=x&vsn=2.0.0", None),
        &[
            (
                r#">["3","3","room:lobby","phx_join",{"u":1}]"#,
                r#"phoenix | phx_join 3 | room:lobby phx_join #3 {"u":1}"#,
            ),
            (
                r#"<["3","3","room:lobby","phx_reply",{"status":"ok","response":{"a":1}}]"#,
                r#"phoenix | phx_reply 3 ↩1 | room:lobby reply ok #3 {"a":1}"#,
            ),
            (r#"<[null,null,"room:lobby","new_msg",{}]"#, "phoenix | new_msg - | room:lobby new_msg {}"),
            (r#">[null,"5","phoenix","heartbeat",{}]"#, "phoenix | heartbeat 5 ~ | phoenix heartbeat #5 {}"),
            (
                r#"<[null,"5","phoenix","phx_reply",{"status":"ok","response":{}}]"#,
                "phoenix | phx_reply 5 ↩4 ~ | phoenix reply ok #5 {}",
            ),
            // push 1 2 "t" "ev", and its reply; a broadcast.
            (">#00 01 01 01 02 31 32 74 65 76 ff fe", "phoenix | ev 2 | t ev #2 <2 bytes>"),
            ("<#01 01 01 01 02 31 32 74 6f 6b 07", "phoenix | phx_reply 2 ↩6 | t reply ok #2 <1 byte>"),
            ("<#02 01 02 74 65 76", "phoenix | ev - | t ev <0 bytes>"),
            ("<#02 09 02 74", "nothing"),
        ],
    );
    check(
        Hints::default(),
        &[
            (
                r#">{"topic":"room:1","event":"phx_join","payload":{},"ref":"1"}"#,
                "phoenix | phx_join 1 | room:1 phx_join #1 {}",
            ),
            (r#"<{"topic":"room:1","event":"x","payload":7,"ref":null}"#, "phoenix | x - | room:1 x 7"),
        ],
    );
}

#[test]
fn actioncable_channels_are_unfolded() {
    check(
        hints("/cable", None),
        &[
            (r#"<{"type":"welcome"}"#, r#"actioncable | welcome - | welcome"#),
            (
                r#">{"command":"subscribe","identifier":"{\"channel\":\"Chat\",\"room\":1}"}"#,
                r#"actioncable | subscribe {"channel":"Chat","room":1} | subscribe Chat"#,
            ),
            (
                r#"<{"identifier":"{\"channel\":\"Chat\",\"room\":1}","type":"confirm_subscription"}"#,
                r#"actioncable | confirm_subscription {"channel":"Chat","room":1} ↩2 | confirm_subscription Chat"#,
            ),
            (
                r#">{"command":"message","identifier":"{\"channel\":\"Chat\"}","data":"{\"action\":\"speak\",\"x\":1}"}"#,
                r#"actioncable | speak {"channel":"Chat"} | message Chat speak {"action":"speak","x":1}"#,
            ),
            (
                r#"<{"identifier":"{\"channel\":\"Chat\"}","message":{"x":1}}"#,
                r#"actioncable | message {"channel":"Chat"} | message Chat {"x":1}"#,
            ),
            (r#"<{"type":"ping","message":1700000081}"#, "actioncable | ping - ~ | ping 1700000081"),
        ],
    );
}

#[test]
fn stomp_frames_are_told_wherever_they_are_cut() {
    check(
        hints("/ws", Some("v12.stomp")),
        &[
            (">CONNECT\naccept-version:1.2\nlogin:a\\cb\n\n\0", "stomp | CONNECT - | CONNECT"),
            ("<CONNECTED\nversion:1.2\n\n\0", "stomp | CONNECTED - ↩1 | CONNECTED 1.2"),
            (
                ">SEND\r\ndestination:/q\\cueue\r\nreceipt:r1\r\n\r\n{\"a\": 1}\0\n\nSEND\ndestination:b\n\n\0",
                "stomp | /q:ueue r1 | SEND /q:ueue {\"a\":1} | b - | SEND b",
            ),
            ("<\n", "stomp | heartbeat - ~ | heartbeat"),
            ("<RECEIPT\nreceipt-id:r1\n\n\0", "stomp | RECEIPT r1 ↩3 | RECEIPT r1"),
            ("<MESSAGE\ndestination:a\ncontent-length:4\n\na", "stomp"),
            ("<\0b", "stomp"),
            ("<c\0ERROR\nmessage:no\n\n", "stomp | a - | MESSAGE a a\0bc"),
            ("<x\0", "stomp | ERROR - | ERROR no x"),
            ("<hello", "nothing"),
            ("<SENDER", "nothing"),
        ],
    );
    check(Hints::default(), &[(">CONNECT\nhost:a\n\n\0", "stomp | CONNECT - | CONNECT"), ("<{}", "json | - - | {}")]);
}

#[test]
fn signalr_records_of_json_are_told_wherever_they_are_cut() {
    check(
        Hints::default(),
        &[
            (">{\"protocol\":\"json\",\"version\":1}\u{1e}", "signalr | handshake - | Handshake json 1"),
            ("<{}\u{1e}{\"type\":6}\u{1e}", "signalr | handshake - ↩1 | Handshake | ping - ~ | Ping"),
            (
                ">{\"type\":4,\"invocationId\":\"7\",\"target\":\"Count\",\"arguments\":[ 3 ]}\u{1e}",
                "signalr | Count 7 | Count #7 [3]",
            ),
            (
                "<{\"type\":2,\"invocationId\":\"7\",\"item\":0}\u{1e}{\"type\":3,",
                "signalr | streamitem 7 ↩3 | StreamItem #7 0",
            ),
            ("<\"invocationId\":\"7\",\"error\":\"no\"}\u{1e}", "signalr | completion 7 ↩3 | Completion #7 error: no"),
            ("<{\"type\":7,\"error\":\"bye\"}\u{1e}", "signalr | close - | Close error: bye"),
            ("<{\"a\":1}", "json | - - | {\"a\":1}"),
        ],
    );
}

#[test]
fn calls_of_classic_signalr_are_paired() {
    check(
        hints("/signalr/connect?transport=webSockets&clientProtocol=1.5&connectionToken=x", None),
        &[
            (r#"<{"C":"d-0","S":1,"M":[]}"#, "signalr-classic | init - | Init"),
            (r#">{"H":"chathub","M":"Add","A":[2,3],"I":1}"#, "signalr-classic | Add 1 | Add chathub #1 [2,3]"),
            (r#"<{"I":"P|1","P":{"I":"1","D":50}}"#, "signalr-classic | progress 1 ↩2 | progress #1 50"),
            (r#"<{"I":"1","R":5}"#, "signalr-classic | result 1 ↩2 | result #1 5"),
            (r#">{"H":"chathub","M":"Fail","A":[],"I":2}"#, "signalr-classic | Fail 2 | Fail chathub #2 []"),
            (r#"<{"I":"2","E":"no"}"#, r#"signalr-classic | error 2 ↩5 | error #2 "no""#),
            (
                r#"<{"C":"d-1","M":[{"H":"ChatHub","M":"say","A":["x"]},{"a":1}]}"#,
                r#"signalr-classic | say - | say ChatHub ["x"] | message - | message {"a":1}"#,
            ),
            ("<{}", "signalr-classic | keepalive - ~ | KeepAlive"),
            (r#"<{"C":"d-2","M":[]}"#, "signalr-classic | empty - | Empty"),
            (r#"<{"x":1}"#, r#"json | - - | {"x":1}"#),
        ],
    );
    check(
        Hints::default(),
        &[("<{}", "json | - - | {}"), (r#"<{"C":"d","M":["x"]}"#, r#"signalr-classic | message - | message "x""#)],
    );
}

#[test]
fn wamp_requests_of_each_kind_have_ids_of_their_own() {
    check(
        hints("/ws", Some("wamp.2.json")),
        &[
            (r#">[1,"realm1",{"roles":{"caller":{}}}]"#, "wamp | HELLO - | HELLO realm1"),
            ("<[2,9129137332,{}]", "wamp | WELCOME - ↩1 | WELCOME"),
            (r#">[48,1,{},"com.sum",[2,3]]"#, "wamp | com.sum 1 | CALL com.sum #1 [2,3]"),
            (r#">[32,1,{},"com.topic"]"#, "wamp | com.topic 1 | SUBSCRIBE com.topic #1"),
            (r#"<[50,1,{"progress":true},[1]]"#, "wamp | RESULT 1 ↩3 | RESULT #1 [1]"),
            ("<[33,1,77]", "wamp | SUBSCRIBED 1 ↩4 | SUBSCRIBED 77 #1"),
            (r#"<[8,48,1,{},"com.error"]"#, "wamp | ERROR 1 ↩3 | ERROR com.error #1"),
            (r#"<[36,77,3,{},["x"],{"a":1}]"#, r#"wamp | com.topic - | EVENT com.topic ["x"]"#),
            (r#"<[36,78,3,{"topic":"com.other"},["x"]]"#, r#"wamp | com.other - | EVENT com.other ["x"]"#),
            (r#">[64,1,{},"com.add"]"#, "wamp | com.add 1 | REGISTER com.add #1"),
            ("<[65,1,77]", "wamp | REGISTERED 1 ↩10 | REGISTERED 77 #1"),
            ("<[68,5,77,{},[2]]", "wamp | com.add 5 | INVOCATION com.add #5 [2]"),
            (">[34,2,77]", "wamp | UNSUBSCRIBE 2 | UNSUBSCRIBE 77 #2"),
            (r#"<[36,77,3,{},["x"]]"#, r#"wamp | EVENT - | EVENT 77 ["x"]"#),
            (r#">[48,2,{},"com.sum"]"#, "wamp | com.sum 2 | CALL com.sum #2"),
            ("<[50,2,{},[5]]", "wamp | RESULT 2 ↩15 | RESULT #2 [5]"),
            ("<[50,2,{},[5]]", "wamp | RESULT 2 | RESULT #2 [5]"),
            ("<[99,1]", "json | - - | [99,1]"),
        ],
    );
    check(
        hints("/ws", Some("wamp.2.json.batched")),
        &[(">[48,1,{},\"a\"]\u{18}[48,2,{},\"b\"]\u{18}", "wamp | a 1 | CALL a #1 | b 2 | CALL b #2")],
    );
    check(
        Hints::default(),
        &[(">[1,\"r\",{\"roles\":{}}]", "wamp | HELLO - | HELLO r"), (">#94 30 07 80 a1 61", "wamp | a 7 | CALL a #7")],
    );
}

#[test]
fn cdp_commands_are_of_sessions() {
    check(
        hints("/devtools/page/1", None),
        &[
            (r#">{"id":1,"method":"Page.enable","params":{}}"#, "cdp | Page.enable 1 | Page.enable #1 {}"),
            (r#">{"id":1,"sessionId":"S","method":"Page.enable"}"#, "cdp | Page.enable 1 | Page.enable #1"),
            (r#"<{"id":1,"sessionId":"S","result":{}}"#, "cdp | - 1 ↩2 | result #1 {}"),
            (
                r#"<{"method":"Page.loadEventFired","params":{"t":1}}"#,
                r#"cdp | Page.loadEventFired - | Page.loadEventFired {"t":1}"#,
            ),
            (r#"<{"id":1,"error":{"code":-1}}"#, r#"cdp | - 1 ↩1 | error #1 {"code":-1}"#),
            (r#"<{"x":1}"#, r#"json | - - | {"x":1}"#),
        ],
    );
    check(
        Hints::default(),
        &[(r#">{"id":1,"method":"DOM.getDocument"}"#, "cdp | DOM.getDocument 1 | DOM.getDocument #1")],
    );
}

#[test]
fn pusher_data_are_unfolded() {
    check(
        hints("/app/key?protocol=7", None),
        &[
            (
                r#"<{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\"}"}"#,
                r#"pusher | pusher:connection_established - | pusher:connection_established {"socket_id":"1.2"}"#,
            ),
            (
                r#">{"event":"pusher:subscribe","data":{"channel":"news"}}"#,
                r#"pusher | pusher:subscribe news | pusher:subscribe news {"channel":"news"}"#,
            ),
            (
                r#"<{"event":"pusher_internal:subscription_succeeded","channel":"news","data":"{}"}"#,
                "pusher | pusher_internal:subscription_succeeded news ↩2 | pusher_internal:subscription_succeeded news {}",
            ),
            (r#"<{"event":"added","channel":"news","data":"hi"}"#, r#"pusher | added news | added news "hi""#),
            (r#">{"event":"pusher:ping"}"#, "pusher | pusher:ping - ~ | pusher:ping"),
            (r#"<{"event":"pusher:pong"}"#, "pusher | pusher:pong - ↩5 ~ | pusher:pong"),
        ],
    );
}

#[test]
fn ocpp_calls_are_paired() {
    check(
        hints("/ocpp/CP1", Some("ocpp1.6")),
        &[
            (
                r#">[2,"a1","BootNotification",{"model":"x"}]"#,
                r#"ocpp | BootNotification a1 | BootNotification #a1 {"model":"x"}"#,
            ),
            (r#"<[3,"a1",{"status":"Accepted"}]"#, r#"ocpp | CALLRESULT a1 ↩1 | CALLRESULT #a1 {"status":"Accepted"}"#),
            (r#">[2,"a2","Heartbeat",{}]"#, "ocpp | Heartbeat a2 ~ | Heartbeat #a2 {}"),
            (r#"<[4,"a2","NotSupported","no",{}]"#, "ocpp | CALLERROR a2 ↩3 | CALLERROR NotSupported no #a2 {}"),
            (r#"<[7,"a"]"#, r#"json | - - | [7,"a"]"#),
        ],
    );
}

#[test]
fn sockjs_has_another_protocol_in_its_frames() {
    check(
        hints("/echo/123/abcdef/websocket", None),
        &[
            ("<o", "sockjs | open - | open"),
            (r#">["CONNECT\naccept-version:1.2\n\n\u0000"]"#, "sockjs | CONNECT - | CONNECT"),
            (
                r#"<a["CONNECTED\nversion:1.2\n\n\u0000","x"]"#,
                "sockjs | CONNECTED - ↩2 | CONNECTED 1.2 | message - | message x",
            ),
            ("<h", "sockjs | heartbeat - ~ | heartbeat"),
            (r#">["{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}"]"#, "sockjs | m 1 | m #1"),
            (r#"<c[3000,"Go away!"]"#, r#"sockjs | close - | close [3000,"Go away!"]"#),
            ("<x", "nothing"),
        ],
    );
}

#[test]
fn texts_that_have_others_inside_are_unwrapped() {
    check(
        Hints::default(),
        &[
            (r#"<{"id":1,"data":"{\"op\":\"x\"}"}"#, r#"json | - - | {"id":1,"data":{"op":"x"}}"#),
            ("<<iq type='get' id='1'><ping/></iq>", "xml | iq - | <iq type='get' id='1'><ping/></iq>"),
            ("<<p>open", "nothing"),
            ("<eyJ0eXBlIjoiaGkiLCJ4IjpbXX0=", r#"base64 | hi - | base64 {"type":"hi","x":[]}"#),
            ("<eyJ0eXBlIjoiaGkiLCJ4IjpbXX0", r#"base64 | hi - | base64 {"type":"hi","x":[]}"#),
            ("<SGVsbG8sIHdvcmxkIQ==", "base64 | - - | base64 Hello, world!"),
            ("<eJyrVsovULIyNKgFAA4XArc=", r#"base64 | 10 - | base64 zlib {"op":10}"#),
            ("<data:image/png;base64,iVBORw0KGgoAAAAA", "base64 | image/png - | base64 image/png <12 bytes>"),
            // Words and digests are none.
            ("<subscribetotopics", "nothing"),
            ("<d41d8cd98f00b204e9800998ecf8427e", "nothing"),
            ("<AAAAAAAAAAAAAAAAAAAA", "nothing"),
        ],
    );
}
