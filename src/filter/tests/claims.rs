use super::*;

/// What a claim makes of messages with these payloads.
fn stands(claim: &str, payloads: &[&str]) -> bool {
    let claim = Claim::new(claim).unwrap_or_else(|problem| panic!("{claim}: {problem}"));
    let (conn, at) = (connection(), stamp());
    let (mut fits, mut denies, mut values) = (0, 0, Vec::new());
    for payload in payloads {
        let message = message(Opcode::TEXT, payload.as_bytes());
        let row = Row { at: &at, origin: None, conn: Some(&conn), handshake: None, item: Item::Message(&message, &[]) };
        match claim.ask(&row, |value| values.push(value)) {
            Says::Fits => fits += 1,
            Says::Denies => denies += 1,
            Says::Nothing => {}
        }
    }
    claim.holds(fits, denies, values.iter().max().copied().map(Sum::Exact))
}

#[test]
fn claims_hold_or_not() {
    let said = ["{\"type\":\"a\"}", "{\"type\":\"b\"}", "long text (of 23 bytes)"];
    for claim in [
        "no message where json.type == \"c\"",
        "no messages where payload contains \" where \"",
        "every message has dir == s2c",
        "each message where json.type has len == 12",
        "every msg where payload contains \" has \" has len == 0",
        "count(messages) == 3",
        "count(msgs where json.type == a or (json.type == b)) >= 2",
        "count(messages where payload contains \")\") > 0",
        "max(len) <= 23",
        "max(len where json.type) == 12B",
        "p99(rtt) < 200ms",
        "count(messages where payload matches r\"a\\\\\") == 0",
    ] {
        assert!(stands(claim, &said), "{claim}");
    }
    for claim in [
        "no message",
        "no message where json.type == a",
        "every message has json.type",
        "count(messages) < 3",
        "max(len) == 24",
        "max(len where json.type == none) < 100",
        "p99(rtt) < 100ms",
    ] {
        assert!(!stands(claim, &said), "{claim}");
    }
}

#[test]
fn claims_that_are_none_are_refused_with_their_place() {
    for (claim, shown) in [
        ("no thing", "connections, handshakes, messages, frames or findings are wanted here 3..8"),
        ("no message were x", "`where` and a filter are wanted here 11..17"),
        ("no message where pth == x", "unknown field `pth` 17..20"),
        (
            "no connection where type == text",
            "`wspect.type` is a field of messages and frames, not of connections 20..24",
        ),
        ("no finding >= worst", "no such word here: `worst` 11..19"),
        ("every connection closed x", "a close code is wanted here, as 1000 24..25"),
        ("every message", "`has` and a filter are wanted here 13..13"),
        (
            "every connection has type == text",
            "`wspect.type` is a field of messages and frames, not of connections 21..25",
        ),
        ("count(messages) 3", "a comparison is wanted here: == != < <= > >= 16..17"),
        ("count(messages) == x", "a number is wanted, as 12, 0x1f, 017 (octal), 4kB or 16M 19..20"),
        ("p99(host) < 3", "a field of numbers or durations is wanted here 4..8"),
        ("max(len where len === ) < 3", "a value is wanted here 22..22"),
    ] {
        let problem = Claim::new(claim).unwrap_err();
        assert_eq!(format!("{} {:?}", problem.text, problem.span), shown, "{claim}");
    }
    for nonsense in ["", "hello", "p101(len) < 3", "count(messages", "p99 rtt < 3"] {
        assert!(Claim::new(nonsense).unwrap_err().text.starts_with("a claim is"), "{nonsense}");
    }
}
