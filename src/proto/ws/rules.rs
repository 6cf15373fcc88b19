//! What RFC 6455 §5 forbids, frame by frame.

use super::extension::Unit;
use super::frame::Head;
use crate::model::{Close, CloseCode, Direction, NoteCode, NoteSet, Opcode, Version, number};

/// What the rules need to know of the direction and connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation {
    pub(super) dir: Direction,
    /// Frames tell whether they are masked, and only those of clients may be.
    pub(super) tells_mask: bool,
    /// A fragmented message is open.
    pub(super) open: bool,
    /// One may be open whose beginning was missed.
    pub(super) missed: bool,
    /// The sender has sent a Close frame.
    pub(super) closed: bool,
    /// What RSV1 marks as compressed (RFC 7692 §6); `None`: nothing was agreed on.
    pub(super) unit: Option<Unit>,
    /// So was an extension that is not known, which may define any reserved bit (RFC 6455 §9).
    pub(super) unknown: bool,
}

/// What is wrong with a frame, by its head alone.
pub(super) fn judge(head: &Head, now: Situation) -> NoteSet {
    let mut set = NoteSet::EMPTY;
    let control = head.opcode.is_control();
    let mut rule = |broken: bool, code: NoteCode| {
        if broken {
            set.insert(code);
        }
    };
    rule(now.tells_mask && now.dir == Direction::ToServer && head.key.is_none(), NoteCode::WsUnmasked);
    rule(now.tells_mask && now.dir == Direction::ToClient && head.key.is_some(), NoteCode::WsMasked);
    rule(undefined(head, now.unit) != 0 && !now.unknown, NoteCode::WsRsv);
    rule(head.opcode.is_reserved(), NoteCode::WsOpcode);
    rule(!is_minimal(head), NoteCode::WsLength);
    rule(control && !head.fin, NoteCode::WsControlFragmented);
    rule(control && head.len > 125, NoteCode::WsControlLength);
    rule(head.opcode == Opcode::CONTINUATION && !now.open && !now.missed, NoteCode::WsContinuation);
    rule(!control && head.opcode != Opcode::CONTINUATION && now.open, NoteCode::WsInterleaved);
    // A ping is answered until the peer's Close comes (§5.5.2), and who sent its own Close first may still wait for that.
    rule(now.closed && head.opcode != Opcode::PONG, NoteCode::WsAfterClose);
    set
}

/// The reserved bits that nothing defines which was agreed on.
fn undefined(head: &Head, unit: Option<Unit>) -> u8 {
    let control = head.opcode.is_control();
    let allowed = match unit {
        Some(Unit::Message) if !control && head.opcode != Opcode::CONTINUATION => 4,
        Some(Unit::Frame) if !control => 4,
        _ => 0,
    };
    head.rsv & !allowed
}

/// Which reserved bits a frame must not have, and why.
pub(super) fn reserved_bits(head: &Head, unit: Option<Unit>) -> String {
    let bits = undefined(head, unit);
    let names = rsv_names(bits);
    let are = if bits.is_power_of_two() { "is" } else { "are" };
    let why = match unit {
        Some(_) if bits == 4 && head.opcode.is_control() => "control frames are never compressed (RFC 7692 §6)",
        Some(Unit::Message) if bits == 4 => "it marks the first frame of a compressed message only (RFC 7692 §6)",
        _ => "no extension that was agreed on defines that",
    };
    format!("{names} {are} set in a {} frame; {why}", head.opcode.name())
}

/// Which opcode it is that nothing defines.
pub(super) fn reserved_opcode(opcode: Opcode, version: Version) -> String {
    let kind = if opcode.is_control() { "control" } else { "data" };
    match version {
        Version::Rfc6455 => format!("the frame's opcode is {}, reserved for further {kind} frames", opcode.0),
        // Their frames have a type, and what stands for it here is no opcode of theirs.
        _ if version.is_hixie() => "the frame's type is none that the draft defines".to_owned(),
        _ => format!("the frame's opcode is {}, which the draft reserves", version.wire_opcode(opcode)),
    }
}

/// What is wrong with a length that is not [minimal](is_minimal).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum LengthFault {
    SixteenForSeven,
    SixtyFourForSeven,
    SixtyFourForSixteen,
    TopBit,
}

impl LengthFault {
    pub(super) const fn of(head: &Head) -> Self {
        match (length_form(head), head.len) {
            (LengthForm::SixtyFour, len) if len >> 63 == 1 => Self::TopBit,
            (LengthForm::SixtyFour, 126..) => Self::SixtyFourForSixteen,
            (LengthForm::SixtyFour, _) => Self::SixtyFourForSeven,
            _ => Self::SixteenForSeven,
        }
    }

    pub(super) fn words(self, head: &Head) -> String {
        let len = number(head.len);
        let (bits, enough) = match self {
            Self::TopBit => return format!("the top bit of the payload length is set, which says {len} bytes"),
            Self::SixteenForSeven => (16, 7),
            Self::SixtyFourForSeven => (64, 7),
            Self::SixtyFourForSixteen => (64, 16),
        };
        format!("the payload length {len} is written in {bits} bits, where {enough} are enough")
    }
}

/// `RSV1`, `RSV1 and RSV3`.
pub(super) fn rsv_names(bits: u8) -> String {
    let names = [(4, "RSV1"), (2, "RSV2"), (1, "RSV3"), (8, "RSV4")];
    let set = names.into_iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| name.to_owned());
    listed(&set.collect::<Vec<_>>())
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(words: &[String]) -> String {
    match words {
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        all => all.concat(),
    }
}

/// Whether it is a message in one frame, masked as it should be: most frames are, and break no rule.
pub(super) fn is_usual(head: &Head, dir: Direction) -> bool {
    let masked = dir == Direction::ToServer;
    head.fin
        && head.rsv == 0
        && matches!(head.opcode, Opcode::TEXT | Opcode::BINARY)
        && head.key.is_some() == masked
        && is_minimal(head)
}

pub(super) fn is_minimal(head: &Head) -> bool {
    match length_form(head) {
        LengthForm::Seven => true,
        LengthForm::Sixteen => head.len >= 126,
        LengthForm::SixtyFour => (0x1_0000..1 << 63).contains(&head.len),
    }
}

/// How many bits a length has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LengthForm {
    Seven,
    Sixteen,
    SixtyFour,
}

const fn length_form(head: &Head) -> LengthForm {
    match head.header_len - if head.key.is_some() { 4 } else { 0 } {
        4 => LengthForm::Sixteen,
        10 => LengthForm::SixtyFour,
        _ => LengthForm::Seven,
    }
}

/// Code and reason of a Close frame's whole body, and what is wrong with it (RFC 6455 §5.5.1, §7.4). `echoes`: it repeats the code of the
/// peer's Close, which says all there is to say.
pub(super) fn close(body: &[u8], echoes: bool) -> (Option<Close<'_>>, NoteSet) {
    let mut set = NoteSet::EMPTY;
    let close = match body {
        [] => None,
        [_] => {
            set.insert(NoteCode::CloseBody);
            None
        }
        [high, low, reason @ ..] => Some(Close { code: CloseCode(u16::from_be_bytes([*high, *low])), reason }),
    };
    if let Some(close) = close {
        if !close.code.is_sendable() {
            set.insert(NoteCode::CloseCodeBad);
        }
        if std::str::from_utf8(close.reason).is_err() {
            set.insert(NoteCode::CloseReason);
        }
        if let Some(code) = close.code.finding()
            && !echoes
        {
            set.insert(code);
        }
    }
    (close, set)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::ws::frame::{Parsed, head};

    fn judged(dir: Direction, bytes: &[u8], change: impl FnOnce(&mut Situation)) -> Vec<NoteCode> {
        let mut now =
            Situation { dir, tells_mask: true, open: false, missed: false, closed: false, unit: None, unknown: false };
        change(&mut now);
        let Parsed::Done(head) = head(bytes) else { panic!("no head") };
        judge(&head, now).iter().collect()
    }

    #[test]
    fn each_rule_has_a_breach_and_a_near_miss() {
        let server = |bytes: &[u8]| judged(Direction::ToClient, bytes, |_| ());
        let client = |bytes: &[u8]| judged(Direction::ToServer, bytes, |_| ());
        assert_eq!(server(&[0x81, 5]), []);
        assert_eq!(client(&[0x81, 5]), [NoteCode::WsUnmasked]);
        assert_eq!(client(&[0x81, 0x85, 0, 0, 0, 0]), []);
        assert_eq!(server(&[0x81, 0x85, 0, 0, 0, 0]), [NoteCode::WsMasked]);
        assert_eq!(server(&[0xc1, 5]), [NoteCode::WsRsv]);
        assert_eq!(judged(Direction::ToClient, &[0xc1, 5], |now| now.unit = Some(Unit::Message)), []);
        assert_eq!(
            judged(Direction::ToClient, &[0xc0, 5], |now| (now.unit, now.open) = (Some(Unit::Message), true)),
            [NoteCode::WsRsv]
        );
        assert_eq!(judged(Direction::ToClient, &[0xc0, 5], |now| (now.unit, now.open) = (Some(Unit::Frame), true)), []);
        assert_eq!(judged(Direction::ToClient, &[0xc9, 5], |now| now.unit = Some(Unit::Frame)), [NoteCode::WsRsv]);
        assert_eq!(judged(Direction::ToClient, &[0xa1, 5], |now| now.unit = Some(Unit::Message)), [NoteCode::WsRsv]);
        assert_eq!(judged(Direction::ToClient, &[0xc9, 5], |now| now.unit = Some(Unit::Message)), [NoteCode::WsRsv]);
        assert_eq!(judged(Direction::ToClient, &[0xf9, 5], |now| now.unknown = true), []);
        assert_eq!(server(&[0x83, 5]), [NoteCode::WsOpcode]);
        assert_eq!(server(&[0x8b, 5]), [NoteCode::WsOpcode]);
        assert_eq!(server(&[0x82, 126, 0, 125]), [NoteCode::WsLength]);
        assert_eq!(server(&[0x82, 126, 0, 126]), []);
        assert_eq!(server(&[0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff]), [NoteCode::WsLength]);
        assert_eq!(server(&[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]), []);
        assert_eq!(server(&[0x82, 127, 0x80, 0, 0, 0, 0, 1, 0, 0]), [NoteCode::WsLength]);
        assert_eq!(server(&[0x09, 5]), [NoteCode::WsControlFragmented]);
        assert_eq!(server(&[0x89, 126, 0, 126]), [NoteCode::WsControlLength]);
        assert_eq!(server(&[0x89, 125]), []);
        assert_eq!(server(&[0x80, 5]), [NoteCode::WsContinuation]);
        assert_eq!(judged(Direction::ToClient, &[0x80, 5], |now| now.open = true), []);
        assert_eq!(judged(Direction::ToClient, &[0x80, 5], |now| now.missed = true), []);
        assert_eq!(judged(Direction::ToClient, &[0x81, 5], |now| now.open = true), [NoteCode::WsInterleaved]);
        assert_eq!(judged(Direction::ToClient, &[0x89, 5], |now| now.open = true), []);
        assert_eq!(judged(Direction::ToServer, &[0x81, 5], |now| now.tells_mask = false), []);
        assert_eq!(judged(Direction::ToClient, &[0x89, 5], |now| now.closed = true), [NoteCode::WsAfterClose]);
        assert_eq!(judged(Direction::ToClient, &[0x8a, 5], |now| now.closed = true), []);
    }

    #[test]
    fn close_bodies() {
        let codes = |body: &[u8]| close(body, false).1.iter().collect::<Vec<_>>();
        assert_eq!(codes(b""), []);
        assert_eq!(codes(&[3]), [NoteCode::CloseBody]);
        assert_eq!(codes(&[0x03, 0xe8]), []);
        assert_eq!(codes(&[0x03, 0xee]), [NoteCode::CloseCodeBad]);
        assert_eq!(codes(&[0x03, 0xe8, 0xff]), [NoteCode::CloseReason]);
        assert_eq!(codes(&[0x03, 0xea]), [NoteCode::Close1002]);
        assert!(close(&[0x03, 0xea], true).1.is_empty(), "an echo is no finding of its own");
        assert_eq!(codes(&[0x0f, 0xa0]), []);
        assert_eq!(codes(&[0x13, 0x88]), [NoteCode::CloseCodeBad]);
    }
}
