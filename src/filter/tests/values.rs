use super::*;

#[test]
fn numbers_in_json_are_compared_with_all_that_is_one() {
    let passes = |filter: &str| {
        let values = ["5", "70000", "\"5\"", "\"70000\"", "0.25", "1e5"];
        values.map(|value| passes(filter, &format!("{{\"i\":{value}}}")))
    };
    for (filter, wanted) in [
        ("json.i > 64k", [false, true, false, false, false, true]),
        ("json.i < 64k", [true, false, false, false, true, false]),
        ("json.i == 0x5", [true, false, false, false, false, false]),
        ("0x5 == json.i", [true, false, false, false, false, false]),
        ("json.i in {1 .. 64k}", [true, false, false, false, false, false]),
        ("json.i >= 1e5", [false, false, false, false, false, true]),
        ("json.i > .2", [true, true, false, false, true, true]),
        ("json.i == \"70000\"", [false, false, false, true, false, false]),
    ] {
        assert_eq!(passes(filter), wanted, "{filter}");
    }
}

/// A slice is bytes, as in Wireshark, of a text as well; words that are no bytes are text.
#[test]
fn pieces_of_text_are_bytes_as_well() {
    yes(
        "{\"a\":\"xyz\"}",
        &[
            "websocket.payload.text[0:2] == 7b:22",
            "websocket.payload.text[0] == 7b",
            "0x7b22 == websocket.payload.text[0:2]",
            "websocket.payload.text[0,2] == 7b:61",
            "websocket.payload.text[0] in {5b, 7b}",
            "websocket.payload.text[0:4] contains 22:61",
            "host[0] == 63",
            "upper(host)[0] == 43",
            "upper(host[0:2]) == CH",
            "upper(host)[0:3] == CHA",
            "json.a[0:1] == 78",
            "json.a[0:2] == xy",
            "count(json.a[0:1]) == 1",
        ],
    );
    no(
        "{\"a\":\"00\"}",
        &[
            "websocket.payload.text[0:2] == \"7b\"",
            "json.a[0:2] == \"30:30\"",
            "json.a[0:2] == 00",
            "websocket.payload.text == 30:30",
        ],
    );
}

#[test]
fn bytes_are_written_in_several_ways() {
    let text = "\u{ff}\x1f|";
    yes(
        text,
        &[
            "payload[0] == c3",
            "payload[2:1] == 1f",
            "payload contains 1f",
            "payload contains \"\\x1f|\"",
            "payload == \"\\xc3\\xbf\\x1f|\"",
            "payload == 0xc3bf1f7c",
            "payload contains \"\u{ff}\"",
            "payload contains \"\\xbf\"",
            "payload matches r\"(?-u)\\xbf\"",
        ],
    );
    no(text, &["payload contains \"\\xff\"", "payload[0] == ff"]);
    yes("error 7", &["payload contains error", "payload matches \"\\d$\"", "payload matches \"\\x{37}\""]);
}
