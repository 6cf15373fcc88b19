//! Decoders that are programs of their own: what they are told of a message, and what is read from their answers.
//!
//! Questions and answers are lines of JSON; `docs/DECODERS.md` describes them. A program sees one message at a time, and is asked
//! before all decoders that are part of this one.

use super::members::{Json, Members};
use super::path;
use super::{Hints, UNITS};
use crate::escape::json::string;
use crate::model::{Decoded, Key, Message, Node, Pairing, Unit, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::{self, Write as _};

/// A program that is asked of messages.
pub trait Program: fmt::Debug + Send + Sync {
    /// The name under which it is known, as in records.
    fn name(&self) -> &'static str;

    /// Its answer, without the end of the line; `None` where there is none, or there will be none any more.
    fn ask(&self, question: &Question) -> Option<String>;

    /// Its answer is none: why.
    fn refuse(&self, question: &Question, why: &str);
}

/// What a program is asked.
#[derive(Debug)]
pub struct Question {
    /// A line of JSON with its end.
    pub line: Vec<u8>,
    /// Connection and number of the message: `3:17`.
    pub place: String,
}

/// The space of the ids that programs pair by.
const SPACE: &str = "program";

/// What a program makes of a message; `None` where it does not understand it, or cannot be understood itself.
pub(super) fn decoded(program: &dyn Program, hints: &Hints, message: &Message<'_>) -> Option<Decoded<'static>> {
    let question = question(hints, message);
    match read(program.ask(&question)?.trim()) {
        Ok(units) => Some(Decoded { protocol: program.name(), units: units? }),
        Err(why) => {
            program.refuse(&question, why);
            None
        }
    }
}

/// `{"conn":3,"msg":17,"dir":"c2s","type":"text","path":"/ws","query":"","subprotocol":null,"text":"…"}`.
fn question(hints: &Hints, message: &Message<'_>) -> Question {
    let conn = hints.conn.map_or(0, |conn| conn.0);
    let mut line = Vec::with_capacity(message.body.kept.len() + 160);
    line.extend_from_slice(format!(r#"{{"conn":{conn},"msg":{}"#, message.number).as_bytes());
    let mut member = |name: &str, text: Option<&str>| {
        line.extend_from_slice(format!(r#","{name}":"#).as_bytes());
        match text {
            Some(text) => string(&mut line, text),
            None => line.extend_from_slice(b"null"),
        }
    };
    member("dir", Some(message.dir.name()));
    member("type", Some(message.opcode.name()));
    member("path", Some(&hints.path));
    member("query", Some(&hints.query));
    member("subprotocol", hints.subprotocol.as_deref());
    match std::str::from_utf8(message.body.kept) {
        Ok(text) if message.is_text() => member("text", Some(text)),
        _ => member("base64", Some(&STANDARD.encode(message.body.kept))),
    }
    line.extend_from_slice(b"}\n");
    let mut place = String::new();
    let _ = write!(place, "{conn}:{}", message.number);
    Question { line, place }
}

/// The units of an answer: an object is one, a list several, `null` says that the message is not understood.
fn read(answer: &str) -> Result<Option<Vec<Unit<'static>>>, &'static str> {
    if answer == "null" {
        return Ok(None);
    }
    if !path::is_json(answer.as_bytes()) {
        return Err("its answer is no JSON");
    }
    let units = match Members::new(answer, 0) {
        Some(list) if list.is_array() => list.from(0).take(UNITS).map(|json| unit(json.members().as_ref())).collect(),
        object => unit(object.as_ref()).map(|unit| vec![unit]),
    };
    units.map(Some)
}

fn unit(members: Option<&Members<'_>>) -> Result<Unit<'static>, &'static str> {
    let members = members.filter(|members| !members.is_array());
    let members = members.ok_or("its answer is neither an object, nor a list of them, nor null")?;
    let text = |name: &str, why| match members.get(name) {
        None => Ok(None),
        Some(json) => json.name().map(Some).ok_or(why),
    };
    let flag = |name: &str, usual: bool, why| match members.get(name).map(Json::raw) {
        None => Ok(usual),
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(_) => Err(why),
    };
    let key = |name: &str| {
        let id = text(name, "`asks`, `answers` and `drops` of its answer are to be text")?;
        Ok::<_, &'static str>(id.map(|id| Key { space: SPACE, id }))
    };
    let pairing = match (key("asks")?, key("answers")?, key("drops")?) {
        (None, None, None) => Pairing::Alone,
        (Some(key), None, None) => Pairing::Asks(key),
        (None, Some(key), None) => {
            Pairing::Answers { key, last: flag("last", true, "`last` of its answer is to be true or false")? }
        }
        (None, None, Some(key)) => Pairing::Drops(key),
        _ => return Err("of `asks`, `answers` and `drops` its answer is to have one"),
    };
    let id = text("id", "`id` of its answer is to be text")?;
    let id = id.or_else(|| match &pairing {
        Pairing::Alone | Pairing::Settles(_) => None,
        Pairing::Asks(key) | Pairing::Answers { key, .. } | Pairing::Drops(key) => Some(key.id.clone()),
    });
    let tree: Node<'_> = members.get("tree").map_or(Value::Null, Json::value).into();
    let summary = text("summary", "`summary` of its answer is to be text")?;
    let event = text("event", "`event` of its answer is to be text")?;
    // Without either it is told by its event.
    let has_tree = tree.value != Value::Json("null".into()) && tree.value != Value::Null;
    let said = if summary.is_none() && has_tree { Some(tree.value.clone()) } else { None };
    let summary = summary.or_else(|| event.clone().filter(|_| !has_tree));
    let unit = Unit {
        event,
        id,
        pairing,
        heartbeat: flag("heartbeat", false, "`heartbeat` of its answer is to be true or false")?,
        said,
        ..Unit::new(summary.unwrap_or_default(), tree)
    };
    Ok(unit.into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::tests::message;
    use super::super::{Session, Sessions, Speaker, summary, write_record};
    use super::*;
    use crate::model::{ConnId, Direction, Limits, Opcode};
    use proptest::prelude::*;
    use serde_json::{Value as Tree, json};
    use std::sync::{Arc, Mutex};

    /// Answers what it is told to, and remembers what it was asked and told.
    #[derive(Debug, Default)]
    struct Parrot {
        answers: Mutex<Vec<&'static str>>,
        heard: Mutex<Vec<String>>,
    }

    impl Parrot {
        fn answering(answers: &[&'static str]) -> Arc<Self> {
            Arc::new(Self { answers: Mutex::new(answers.iter().rev().copied().collect()), ..Self::default() })
        }
    }

    impl Program for Parrot {
        fn name(&self) -> &'static str {
            "parrot"
        }

        fn ask(&self, question: &Question) -> Option<String> {
            self.heard.lock().unwrap().push(String::from_utf8(question.line.clone()).unwrap());
            self.answers.lock().unwrap().pop().map(ToOwned::to_owned)
        }

        fn refuse(&self, question: &Question, why: &str) {
            self.heard.lock().unwrap().push(format!("{}: {why}", question.place));
        }
    }

    fn hints() -> Hints {
        Hints { path: "/a\"b".into(), conn: Some(ConnId(3)), ..Hints::default() }
    }

    /// What is made of an answer to a message that says `{"type":"x"}`.
    fn told(answer: &'static str) -> String {
        let parrot = Parrot::answering(&[answer]);
        let mut session = Session::spoken(hints(), Some(Speaker::Theirs(parrot.clone())), &Limits::DEFAULT);
        let said = message(17, Direction::ToServer, Opcode::TEXT, br#"{"type":"x"}"#);
        let decoded = session.message(&said).unwrap();
        let mut record = Vec::new();
        write_record(&decoded, &mut record);
        assert!(serde_json::from_slice::<Tree>(&record).is_ok());
        let heard = parrot.heard.lock().unwrap().get(1).cloned();
        let event = decoded.units.first().and_then(|unit| unit.event.as_deref()).unwrap_or("-");
        heard.unwrap_or_else(|| format!("{} {event} {}", decoded.protocol, summary(&decoded)))
    }

    #[test]
    fn questions_are_lines_of_json() {
        let parrot = Parrot::answering(&[]);
        let mut session = Session::spoken(hints(), Some(Speaker::Theirs(parrot.clone())), &Limits::DEFAULT);
        for (opcode, bytes) in
            [(Opcode::TEXT, &b"a\nb\xe2\x80\xae"[..]), (Opcode::BINARY, b"ab"), (Opcode::TEXT, b"\xff")]
        {
            session.message(&message(17, Direction::ToServer, opcode, bytes));
        }
        session.message(&message(18, Direction::ToServer, Opcode::PING, b"ab"));
        let heard = parrot.heard.lock().unwrap();
        let asked: Vec<Tree> = heard.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(heard.iter().all(|line| line.ends_with('\n') && line.matches('\n').count() == 1));
        let all = json!({"conn":3,"msg":17,"dir":"c2s","type":"text","path":"/a\"b","query":"","subprotocol":null,"text":"a\nb\u{202e}"});
        assert_eq!(asked.first(), Some(&all));
        assert_eq!(asked[1]["base64"], "YWI=");
        assert_eq!(asked[2]["base64"], "/w==");
        assert_eq!(asked.len(), 3);
    }

    #[test]
    fn answers_are_units() {
        assert_eq!(told(r#"{"event":"buy","summary":"buys 3","tree":{"n":3}}"#), "parrot buy buys 3");
        assert_eq!(told(r#" {"event":7,"tree":{"n":3},"more":[]}"#), r#"parrot 7 {"n":3}"#);
        assert_eq!(told(r#"[{"summary":"a"},{"summary":"b"}]"#), "parrot - a; b");
        assert_eq!(told("[]"), "parrot - a piece, the rest follows");
        // What it does not understand others are asked about.
        assert_eq!(told("null"), r#"json x {"type":"x"}"#);
    }

    #[test]
    fn what_is_no_answer_is_refused_and_others_are_asked() {
        for (answer, why) in [
            ("", "no JSON"),
            ("{", "no JSON"),
            ("{} {}", "no JSON"),
            ("3", "neither an object"),
            ("[3]", "neither an object"),
            ("[[]]", "neither an object"),
            (r#"{"event":{}}"#, "`event`"),
            (r#"{"heartbeat":1}"#, "`heartbeat`"),
            (r#"{"asks":1,"answers":2}"#, "to have one"),
            (r#"{"answers":1,"last":"no"}"#, "`last`"),
        ] {
            let told = told(answer);
            assert!(told.starts_with("3:17: ") && told.contains(why), "{answer}: {told}");
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_units_or_none(answer in r#"[\[\]{}",:a1 ]{0,40}|\PC{0,20}"#, key in 0..8_usize, value in r#"(\[|\{|"a":|"x"|1|\]|\}|,){0,12}"#) {
            let key = ["event", "id", "asks", "answers", "last", "heartbeat", "summary", "tree"][key];
            for answer in [answer, format!("{{\"{key}\":{value}}}")] {
                for unit in read(answer.trim()).ok().flatten().into_iter().flatten() {
                    let mut record = Vec::new();
                    write_record(&Decoded { protocol: "parrot", units: vec![unit] }, &mut record);
                    prop_assert!(serde_json::from_slice::<Tree>(&record).is_ok(), "{}", answer);
                }
            }
        }
    }

    #[test]
    fn programs_pair_requests_with_replies() {
        let parrot = Parrot::answering(&[r#"{"event":"sum","asks":"7"}"#, r#"{"answers":7}"#, r#"{"answers":7}"#]);
        let mut sessions = Sessions::new(Limits::DEFAULT);
        let mut replies = Vec::new();
        for (number, dir) in [(1, Direction::ToServer), (2, Direction::ToClient), (3, Direction::ToClient)] {
            let begin = || (hints(), Some(Speaker::Theirs(parrot.clone() as Arc<dyn Program>)));
            let decoded = sessions.message(1, &message(number, dir, Opcode::TEXT, b"x"), begin).unwrap();
            replies.push((decoded.units[0].id.clone().unwrap().into_owned(), decoded.replies().next().map(|it| it.to)));
        }
        assert_eq!(replies, [("7".to_owned(), None), ("7".to_owned(), Some(1)), ("7".to_owned(), None)]);
    }
}
