//! Socket.IO in MessagePack, as its parser `socket.io-msgpack-parser` writes it: a map of `type`, `nsp`, `data` and `id`.

use super::{SOCKET, change, namespace_key, pairing};
use crate::decode::formats::msgpack;
use crate::model::{Direction, Node, Unit, Value};
use std::borrow::Cow;

/// A packet that is all of the bytes; places are those behind `skipped` bytes more.
pub(super) fn unit(bytes: &[u8], skipped: usize, dir: Direction) -> Option<Unit<'_>> {
    let tree = msgpack::whole(bytes)?;
    let kind = match tree.get("type")?.value {
        Value::Int(kind) => *SOCKET.get(usize::try_from(kind).ok()?)?,
        _ => return None,
    };
    let text = |name: &str| match &tree.get(name)?.value {
        Value::Text(text) => Some(text.clone()),
        Value::Int(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    };
    let (namespace, id) = (text("nsp")?, text("id"));
    let mut said = tree.get("data").filter(|data| !is_undefined(data)).map(|data| data.value.clone());
    let mut event = Some(kind.to_ascii_lowercase().into());
    let mut words = kind.trim_start_matches("BINARY_").to_owned();
    if kind.ends_with("EVENT")
        && let Some(Value::List(args)) = &mut said
        && !args.is_empty()
        && let Value::Text(name) = args.remove(0).value
    {
        words = name.clone().into_owned();
        event = Some(name);
    } else if kind.ends_with("ACK") {
        event = None;
    }
    if namespace != "/" {
        words = format!("{words} {namespace}");
    }
    if let Some(id) = &id {
        words = format!("{words} #{id}");
    }
    let changes = change(kind, namespace.clone()).into_iter().collect();
    let pairing = pairing(kind, namespace_key(namespace.clone()), id.as_deref(), dir);
    // Places count from the front of the message.
    let tree = if skipped > 0 { tree.into_owned() } else { tree };
    Some(Unit { event, id, pairing, changes, said, ..Unit::new(words, tree) })
}

/// Whether a value is what that parser (notepack) makes of `undefined`: an extension 0 with one byte 0.
fn is_undefined(node: &Node<'_>) -> bool {
    let of = |name: &str| node.get(name).map(|member| &member.value);
    matches!((of("extension"), of("data")), (Some(Value::Int(0)), Some(Value::Bytes(bytes))) if **bytes == [0])
}
