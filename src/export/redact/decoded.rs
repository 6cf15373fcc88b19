//! What was decoded, without what is not to be shown.

use super::Redactor;
use crate::decode;
use crate::model::{Decoded, Moment, Pairing, Pending, Reply, Standing, Unit, Value};
use std::borrow::Cow;

impl Redactor {
    /// What is shown of what a message says: its tree as JSON, in which members are found by name whatever encoding it was in.
    pub(super) fn decoded(&self, decoded: &Decoded<'_>) -> Decoded<'static> {
        let units = decoded.units.iter().map(|unit| self.unit(unit)).collect();
        Decoded { protocol: decoded.protocol, units }
    }

    /// Whether anything of it is not to be shown.
    pub(super) fn hides_in(&self, decoded: &Decoded<'_>) -> bool {
        decoded.units.iter().any(|unit| {
            let mut json = Vec::new();
            decode::write_value(&unit.tree.value, &mut json);
            self.bytes(&json).is_some()
        })
    }

    /// What stands, without what stood in payloads: nobody can tell any more in which member.
    pub(super) fn moment(&self, state: &Moment) -> Moment {
        let hidden = |text: &str| self.pseudonym(text.as_bytes());
        let open = state.open.iter().map(|thing| Standing {
            id: hidden(&thing.id),
            name: thing.name.as_deref().map(hidden),
            ..thing.clone()
        });
        let pending = state.pending.iter().map(|asked| Pending {
            id: hidden(&asked.id),
            event: asked.event.as_deref().map(|event| self.text(event).into_owned()),
            ..asked.clone()
        });
        Moment { open: open.collect(), pending: pending.collect(), ..*state }
    }

    fn unit(&self, unit: &Unit<'_>) -> Unit<'static> {
        let owned = |text: &Cow<'_, str>| Cow::Owned(self.text(text).into_owned());
        Unit {
            event: unit.event.as_ref().map(owned),
            id: unit.id.as_ref().map(owned),
            words: owned(&unit.words),
            said: unit.said.as_ref().map(|said| self.value(said)),
            tree: self.value(&unit.tree.value).into(),
            pairing: Pairing::Alone,
            changes: Vec::new(),
            heartbeat: unit.heartbeat,
            reply: unit.reply.as_ref().map(|reply| {
                let event = reply.event.as_deref().map(|event| self.text(event).into());
                Reply { event, ..reply.clone() }
            }),
        }
    }

    fn value(&self, value: &Value<'_>) -> Value<'static> {
        if let Value::Text(text) = value {
            return Value::Text(self.text(text).into_owned().into());
        }
        let mut json = Vec::new();
        decode::write_value(value, &mut json);
        let shown = self.bytes(&json).unwrap_or(json);
        Value::Json(String::from_utf8_lossy(&shown).into_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::redactor;
    use super::*;
    use crate::model::{Direction, Node, Since};

    /// Names and ids stood in payloads; who knows in which member.
    #[test]
    fn what_stands_is_not_named() {
        let redactor = redactor(&["json:pin"]);
        let since = Since { msg: 1, dir: Direction::ToServer, age: None };
        let (id, name) = ("1234".to_owned(), Some("1234".to_owned()));
        let moment = Moment {
            open: vec![Standing { kind: "topic", id: id.clone(), name, since }],
            pending: vec![Pending { event: None, id, replies: 0, since }],
            ..Moment::default()
        };
        let shown = redactor.moment(&moment);
        let hidden = redactor.pseudonym(b"1234");
        assert_eq!((&shown.open[0].id, shown.open[0].name.as_ref()), (&hidden, Some(&hidden)));
        assert_eq!(shown.pending[0].id, hidden);
    }

    #[test]
    fn members_are_found_whatever_their_encoding() {
        let redactor = redactor(&["json:pin", r"regex:\d{16}"]);
        let name = redactor.pseudonym(b"1234");
        let map = Value::Map(vec![
            ("pin".into(), Value::text("1234").into()),
            ("bytes".into(), Value::Map(vec![("pin".into(), Value::Bytes(vec![1, 2].into()).into())]).into()),
            ("json".into(), Value::Json("{ \"pin\" : \"1234\" }".into()).into()),
        ]);
        let unit = Unit {
            event: Some("card 1111222233334444".into()),
            said: Some(Value::text("1111222233334444 paid")),
            ..Unit::new("pay 1111222233334444", Node::from(map))
        };
        let shown = redactor.decoded(&Decoded { protocol: "x", units: vec![unit] });
        let mut out = Vec::new();
        decode::write_record(&shown, &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains("1234\"") && !text.contains("11112222") && !text.contains("AQI="), "{text}");
        assert_eq!(text.matches(&name).count(), 2, "the same value has the same name: {text}");
        assert!(text.contains(" paid"), "{text}");
    }
}
