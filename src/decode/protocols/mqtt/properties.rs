//! Properties of MQTT 5 (§2.2.2).

use crate::decode::VALUES;
use crate::decode::bytes::Bytes;
use crate::decode::packed;
use crate::model::{Node, Value};
use std::borrow::Cow;

/// How a property is written.
#[derive(Clone, Copy)]
enum Form {
    Byte,
    Short,
    Long,
    Varint,
    Text,
    Data,
    Pair,
}

use Form::{Byte, Data, Long, Pair, Short, Varint};

/// All of them: number, name, form.
const PROPERTIES: &[(u64, &str, Form)] = &[
    (1, "payloadFormatIndicator", Byte),
    (2, "messageExpiryInterval", Long),
    (3, "contentType", Form::Text),
    (8, "responseTopic", Form::Text),
    (9, "correlationData", Data),
    (11, "subscriptionIdentifier", Varint),
    (17, "sessionExpiryInterval", Long),
    (18, "assignedClientIdentifier", Form::Text),
    (19, "serverKeepAlive", Short),
    (21, "authenticationMethod", Form::Text),
    (22, "authenticationData", Data),
    (23, "requestProblemInformation", Byte),
    (24, "willDelayInterval", Long),
    (25, "requestResponseInformation", Byte),
    (26, "responseInformation", Form::Text),
    (28, "serverReference", Form::Text),
    (31, "reasonString", Form::Text),
    (33, "receiveMaximum", Short),
    (34, "topicAliasMaximum", Short),
    (35, "topicAlias", Short),
    (36, "maximumQoS", Byte),
    (37, "retainAvailable", Byte),
    (38, "userProperty", Pair),
    (39, "maximumPacketSize", Long),
    (40, "wildcardSubscriptionAvailable", Byte),
    (41, "subscriptionIdentifierAvailable", Byte),
    (42, "sharedSubscriptionAvailable", Byte),
];

/// What comes again, gathered in a list.
const REPEATED: [&str; 2] = ["userProperty", "subscriptionIdentifier"];

/// The properties that come next, as a map.
pub(super) fn read<'a>(bytes: &mut Bytes<'a>) -> Option<Node<'a>> {
    let begin = bytes.at();
    let len = usize::try_from(bytes.varint(super::LENGTH)?).ok()?;
    let mut rest = bytes.part(len)?;
    let mut members: Vec<(Cow<'a, str>, Node<'a>)> = Vec::new();
    let mut left = VALUES;
    while !rest.is_empty() {
        left = left.checked_sub(1)?;
        let at = rest.at();
        let number = rest.varint(super::LENGTH)?;
        let (_, name, form) = PROPERTIES.iter().find(|(known, ..)| *known == number)?;
        let value = Node::at(form.read(&mut rest)?, at..rest.at());
        let known = members.iter_mut().find(|(known, _)| known == name);
        match (known, REPEATED.contains(name)) {
            (Some((_, Node { value: Value::List(all), .. })), true) => all.push(value),
            (None, true) => members.push(((*name).into(), Value::List(vec![value]).into())),
            (None, false) => members.push(((*name).into(), value)),
            // Sent twice, against the rule: the first counts.
            (Some(_), _) => {}
        }
    }
    Some(Node::at(Value::Map(members), begin..bytes.at()))
}

impl Form {
    fn read<'a>(self, bytes: &mut Bytes<'a>) -> Option<Value<'a>> {
        Some(match self {
            Self::Byte => Value::Int(bytes.u8()?.into()),
            Self::Short => Value::Int(bytes.u16()?.into()),
            Self::Long => Value::Int(bytes.u32()?.into()),
            Self::Varint => Value::Int(bytes.varint(super::LENGTH)?.into()),
            Self::Text => text(bytes)?,
            Self::Data => Value::Bytes(Cow::Borrowed(data(bytes)?)),
            Self::Pair => {
                let (name, value) = (text(bytes)?, text(bytes)?);
                Value::List(vec![name.into(), value.into()])
            }
        })
    }
}

/// A text behind its length.
pub(super) fn text<'a>(bytes: &mut Bytes<'a>) -> Option<Value<'a>> {
    data(bytes).map(packed::text)
}

/// Bytes behind their length.
pub(super) fn data<'a>(bytes: &mut Bytes<'a>) -> Option<&'a [u8]> {
    let len = bytes.u16()?;
    bytes.take(usize::from(len))
}
