mod talks;

use super::*;
use talks::{Dice, KINDS, conversation, sent};

/// A byte as it was told: known, inferred (`true`), or unknown.
type Told = Option<(u8, bool)>;

/// Inflates a whole message that comes in pieces of `step` bytes.
fn tell(inflater: &mut Inflater, wire: &[u8], step: usize, tools: &mut Tools) -> Result<Vec<Told>, Corrupt> {
    let mut told = Vec::new();
    let mut out = |piece: Piece<'_>, _: &mut Tools| {
        match piece {
            Piece::Known(bytes) => told.extend(bytes.iter().map(|&byte| Some((byte, false)))),
            Piece::Inferred(bytes) => told.extend(bytes.iter().map(|&byte| Some((byte, true)))),
            Piece::Unknown(len) => told.extend(std::iter::repeat_n(None, len)),
        }
        true
    };
    inflater.begin();
    for piece in wire.chunks(step) {
        inflater.push(piece, tools, &mut out)?;
    }
    inflater.end()?;
    Ok(told)
}

/// A message of which every byte must be known.
fn inflate(inflater: &mut Inflater, wire: &[u8], step: usize) -> Result<Vec<u8>, Corrupt> {
    let told = tell(inflater, wire, step, &mut Tools::default())?;
    Ok(told.into_iter().map(|byte| byte.filter(|&(_, inferred)| !inferred).unwrap().0).collect())
}

const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

#[test]
fn inflates_the_examples_of_rfc_7692() {
    for step in 1..12 {
        let mut inflater = Inflater::new(Terms::FREE);
        let mut check = |message: &[u8]| {
            assert_eq!(inflate(&mut inflater, message, step).as_deref(), Ok(&b"Hello"[..]), "{message:02x?}");
        };
        check(&HELLO);
        check(&[0xf2, 0x00, 0x11, 0x00, 0x00]);
        check(&[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00]);
        check(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]);
        check(&[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00]);
        // A final block whose closing 00 was left out, then one that refers to the text before it.
        check(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
        check(&[0xf2, 0x00, 0x11, 0x00, 0x00]);
    }
}

#[test]
fn empty_messages_have_two_forms() {
    let mut inflater = Inflater::new(Terms::FREE);
    assert_eq!(inflate(&mut inflater, &[0x00], 1).as_deref(), Ok(&[][..]));
    assert_eq!(inflate(&mut inflater, &[], 1).as_deref(), Ok(&[][..]));
    assert_eq!(inflate(&mut inflater, &HELLO, 9).as_deref(), Ok(&b"Hello"[..]));
}

/// A final block may be the one that the tail completes: it ends with the next message only, whose first bytes are none of it.
#[test]
fn the_tail_may_complete_a_final_block() {
    for step in 1..9 {
        let mut inflater = Inflater::new(Terms::FREE);
        let mut check = |message: &[u8], text: &[u8]| {
            assert_eq!(inflate(&mut inflater, message, step).as_deref(), Ok(text), "{message:02x?}");
        };
        check(&HELLO, b"Hello");
        check(&[0x01], b"");
        check(&[0xf2, 0x00, 0x11, 0x00, 0x00], b"Hello");
        check(&[0x01], b"");
        check(&[], b"");
        check(&[0xf2, 0x00, 0x11, 0x00, 0x00], b"Hello");
    }
}

/// Wherever a message is cut, the zeros of the tail are not taken for what is missing, and the next is read from its beginning.
#[test]
fn a_message_that_was_cut_is_not_whole() {
    let texts = (0..KINDS).flat_map(|kind| conversation(kind, 6, 7)).chain([vec![b'x'; 3000], noise_of_words(2000)]);
    for (at, text) in texts.enumerate() {
        for level in [1, 6] {
            let wire = &sent([text.clone()], level)[0].1;
            for cut in 1..wire.len() {
                for lost in [false, true] {
                    let mut inflater = Inflater::new(Terms::FREE);
                    if lost {
                        inflater.lose(None);
                    }
                    let came = inflate(&mut inflater, &wire[..cut], usize::MAX);
                    assert_eq!(came, Err(Corrupt::Cut), "message {at}, {cut} of {} bytes", wire.len());
                    assert!(
                        inflate(&mut inflater, wire, usize::MAX).as_ref() == Ok(&text),
                        "message {at} behind {cut}"
                    );
                }
            }
        }
    }
}

/// Text of which a compressor makes codes of its own.
fn noise_of_words(count: usize) -> Vec<u8> {
    Dice(3).words(count).into_bytes()
}

#[test]
fn after_a_loss_only_what_is_copied_from_there_is_unknown() {
    let again = [0xf2, 0x00, 0x11, 0x00, 0x00];
    let mut inflater = Inflater::new(Terms::FREE);
    assert_eq!(inflate(&mut inflater, &HELLO, 9).as_deref(), Ok(&b"Hello"[..]));
    inflater.lose(Some(3));
    let tools = &mut Tools::default();
    let known: Vec<Told> = b"Hello".iter().map(|&byte| Some((byte, false))).collect();
    // A literal H, and four bytes from five bytes back.
    assert_eq!(tell(&mut inflater, &again, 1, tools).unwrap(), [Some((b'H', false)), None, None, None, None]);
    assert_eq!(tell(&mut inflater, &HELLO, 1, tools).unwrap(), known);
    assert_eq!(tell(&mut inflater, &again, 1, tools).unwrap(), known);
    assert!(!inflater.is_sure());
}

#[test]
fn without_a_context_only_the_message_itself_is_lost() {
    let mut inflater = Inflater::new(Terms { takeover: false, ..Terms::FREE });
    inflater.lose(None);
    assert_eq!(inflate(&mut inflater, &HELLO, 9).as_deref(), Ok(&b"Hello"[..]));
    assert_eq!(
        inflate(&mut inflater, &[0xff, 0xff, 0xff], 9),
        Err(Corrupt::Bits("a block of a type that does not exist", 1))
    );
    assert_eq!(inflate(&mut inflater, &HELLO, 9).as_deref(), Ok(&b"Hello"[..]));
}

/// Who promised not to keep its context and did cannot be read afresh after a loss: what it refers to is unknown, not wrong.
#[test]
fn a_promise_that_was_broken_is_not_relied_on_after_a_loss() {
    let messages = sent(conversation(1, 12, 3), 6);
    for first in [0, 4] {
        let mut inflater = Inflater::new(Terms { takeover: false, ..Terms::FREE });
        for (message, wire) in &messages[..first] {
            assert!(inflate(&mut inflater, wire, usize::MAX).as_ref() == Ok(message));
        }
        inflater.lose(Some(messages[first].1.len() as u64));
        let mut faults = 0;
        for (message, wire) in &messages[first + 1..] {
            let Ok(told) = tell(&mut inflater, wire, usize::MAX, &mut Tools::default()) else {
                faults += 1;
                continue;
            };
            assert!(told.len() == message.len());
            assert!(told.iter().zip(message).all(|(told, &byte)| told.is_none_or(|(told, _)| told == byte)));
        }
        // Where nothing was seen before the loss, the first message that cannot be read tells.
        assert_eq!(faults, usize::from(first == 0), "{first} messages before the loss");
    }
}

#[test]
fn after_a_fault_nothing_before_it_is_trusted() {
    let mut inflater = Inflater::new(Terms::FREE);
    assert_eq!(inflate(&mut inflater, &HELLO, 9).as_deref(), Ok(&b"Hello"[..]));
    let tools = &mut Tools::default();
    for _ in 0..2 {
        assert!(matches!(tell(&mut inflater, &[0xff, 0xff, 0xff], 9, tools), Err(Corrupt::Bits(..))));
        let told = tell(&mut inflater, &[0xf2, 0x00, 0x11, 0x00, 0x00], 9, tools).unwrap();
        assert_eq!(told, [Some((b'H', false)), None, None, None, None]);
    }
    assert!(matches!(&inflater.state, State::Unsure(unsure) if matches!(unsure.lost, Length::Unknown)));
}
