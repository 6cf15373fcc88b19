//! Conversations that are compressed, whole and with losses.

use super::super::stream::WINDOW;
use super::*;
use flate2::{Compress, Compression, FlushCompress};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// One message as permessage-deflate sends it.
fn deflate(state: &mut Compress, message: &[u8]) -> Vec<u8> {
    if message.is_empty() {
        return vec![0];
    }
    let mut out = Vec::with_capacity(message.len() * 2 + 64);
    state.compress_vec(message, &mut out, FlushCompress::Sync).unwrap();
    assert!(out.ends_with(&TAIL));
    out.truncate(out.len() - 4);
    out
}

/// Messages, with what they are on the wire.
pub(super) fn sent(messages: impl IntoIterator<Item = Vec<u8>>, level: u32) -> Vec<(Vec<u8>, Vec<u8>)> {
    sent_within(15, messages, level)
}

/// The same, from a sender whose window has so many bits.
fn sent_within(bits: u8, messages: impl IntoIterator<Item = Vec<u8>>, level: u32) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut sender = Compress::new_with_window_bits(Compression::new(level), false, bits);
    messages
        .into_iter()
        .map(|message| (deflate(&mut sender, &message), message))
        .map(|(wire, message)| (message, wire))
        .collect()
}

/// A generator of numbers that is the same each time (SplitMix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    fn noise(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.roll(256) as u8).collect()
    }

    pub(super) fn words(&mut self, count: usize) -> String {
        const WORDS: [&str; 24] = [
            "the",
            "order",
            "of",
            "was",
            "sent",
            "to",
            "général",
            "market",
            "and",
            "then",
            "back",
            "room",
            "again",
            "who",
            "price",
            "is",
            "not",
            "what",
            "they",
            "said",
            "before",
            "it",
            "closed",
            "雨",
        ];
        (0..count.max(1)).map(|_| WORDS[self.roll(WORDS.len())]).collect::<Vec<_>>().join(" ")
    }
}

/// Kinds of conversation: quotes, chat, positions in a game, calls, short states, Socket.IO, all of them mixed, bytes.
pub(super) const KINDS: usize = 8;
/// The kinds of which all is JSON.
const JSON: std::ops::Range<usize> = 0..7;

pub(super) fn conversation(kind: usize, count: usize, seed: u64) -> Vec<Vec<u8>> {
    let mut dice = Dice(seed);
    (0..count)
        .map(|n| {
            let now = if kind == 6 { dice.roll(6) } else { kind };
            let text = match now {
                0 => {
                    let pair = ["BTC-USD", "ETH-USD", "SOL-EUR", "XRP-USD"][dice.roll(4)];
                    let side = ["buy", "sell"][dice.roll(2)];
                    let (price, size, micros) = (dice.roll(6_000_000), dice.roll(1 << 27), dice.roll(1_000_000));
                    format!(
                        r#"{{"type":"ticker","sequence":{},"pair":"{pair}","price":"{}.{:02}","side":"{side}","time":"2026-01-02T03:04:{:02}.{micros:06}Z","size":"0.{size:08}"}}"#,
                        71_000 + n, price / 100, price % 100, n % 60
                    )
                }
                1 => {
                    let (user, room, len) = (dice.roll(8), dice.roll(4), dice.roll(14));
                    let event = ["message", "message", "typing", "read"][dice.roll(4)];
                    let words = dice.words(len);
                    format!(
                        r#"{{"event":"{event}","room":"room-{room}","from":{{"id":{user},"name":"user {user}"}},"text":"{words}","ts":{}}}"#,
                        1_700_000_000 + 3 * n
                    )
                }
                2 => {
                    let player = |id: usize, dice: &mut Dice| {
                        format!(r#"{{"id":{id},"x":{}.{},"hp":{}}}"#, dice.roll(100), dice.roll(100), dice.roll(100))
                    };
                    let players: Vec<String> = (0..5).map(|id| player(id, &mut dice)).collect();
                    format!(r#"{{"t":{n},"players":[{}]}}"#, players.join(","))
                }
                3 => {
                    let method = ["getBalance", "call", "blockNumber"][dice.roll(3)];
                    format!(r#"{{"jsonrpc":"2.0","id":{n},"method":"{method}","params":["0x{:016x}","latest"]}}"#, dice.roll(usize::MAX))
                }
                4 => {
                    let (id, level) = (dice.roll(40), dice.roll(100));
                    let on = dice.roll(2) == 0;
                    match dice.roll(3) {
                        0 => format!(r#"{{"id":{id},"on":{on}}}"#),
                        1 => format!(r#"{{"id":{id},"level":{level}}}"#),
                        _ => format!(r#"{{"id":{id},"on":{on},"level":{level}}}"#),
                    }
                }
                5 => {
                    let user = ["alice", "bob", "carol", "dave", "erin"][dice.roll(5)];
                    match dice.roll(4) {
                        0 => {
                            let len = dice.roll(10);
                            let words = dice.words(len);
                            format!(r#"42["message",{{"user":"{user}","text":"{words}","ts":{}}}]"#, 1_700_000_000 + 17 * n)
                        }
                        1 => format!(r#"42["typing",{{"user":"{user}","on":{}}}]"#, dice.roll(2) == 0),
                        2 => {
                            let (id, x, y) = (dice.roll(20), dice.roll(1000), dice.roll(1000));
                            format!(r#"42["move",{{"id":{id},"x":{x},"y":{y}}}]"#)
                        }
                        _ => {
                            let status = ["online", "away", "offline"][dice.roll(3)];
                            format!(r#"42["presence",{{"user":"{user}","status":"{status}"}}]"#)
                        }
                    }
                }
                _ => {
                    let len = dice.roll(9);
                    return [&(n as u32).to_le_bytes()[..], &[dice.roll(4) as u8], b"player", &dice.noise(len)].concat();
                }
            };
            text.into_bytes()
        })
        .collect()
}

/// What is cut out of a conversation: from byte `cut` of the wire of message `at` to the end of the last of `count`.
#[derive(Debug, Clone, Copy)]
struct Cut {
    at: usize,
    count: usize,
    byte: usize,
}

/// What was told of the messages behind a cut.
#[derive(Debug, Default, Clone, PartialEq)]
struct Outcomes {
    /// For each message that came, what was told of it.
    told: Vec<Vec<Told>>,
    /// The lengths that were found, and those that were lost.
    found: Vec<(usize, usize)>,
}

/// Plays a conversation of which parts are lost, in pieces of `step` bytes.
fn play(messages: &[(Vec<u8>, Vec<u8>)], cuts: &[Cut], step: usize, limits: &Limits) -> Outcomes {
    let mut inflater = Inflater::new(Terms::FREE);
    let mut tools = Tools::default();
    let mut outcome = Outcomes::default();
    let mut lost = 0;
    for (number, (message, wire)) in messages.iter().enumerate() {
        let cut = cuts.iter().find(|cut| (cut.at..cut.at + cut.count).contains(&number));
        if let Some(cut) = cut {
            if cut.at == number {
                lost = 0;
            }
            let byte = if cut.at == number { cut.byte.min(wire.len()) } else { 0 };
            let mut came = 0;
            if byte > 0 {
                inflater.begin();
                let mut out = |piece: Piece<'_>, _: &mut Tools| {
                    came += piece.len();
                    true
                };
                inflater.push(&wire[..byte], &mut tools, &mut out).unwrap();
            }
            inflater.lose(Some((wire.len() - byte) as u64));
            lost += message.len() - came;
            continue;
        }
        let told = tell(&mut inflater, wire, step, &mut tools).unwrap();
        assert_eq!(told.len(), message.len(), "message {number}");
        for (told, &byte) in told.iter().zip(message) {
            assert!(
                told.is_none_or(|(told, _)| told == byte),
                "message {number}: {:?}",
                String::from_utf8_lossy(message)
            );
        }
        outcome.told.push(told);
        if let Some(evidence) = inflater.learn(std::str::from_utf8(message).is_ok(), limits, &mut tools) {
            assert_eq!(evidence.length, lost, "message {number}: {evidence:?}");
            outcome.found.push((evidence.length, outcome.told.len()));
        }
    }
    outcome
}

/// What is wrong with a message that comes in pieces, at which byte of it, and what it gave before that.
fn fault(wire: &[u8], step: usize) -> (Option<(&'static str, usize)>, Vec<u8>) {
    let mut given = Vec::new();
    let mut out = |piece: Piece<'_>, _: &mut Tools| {
        if let Piece::Known(bytes) = piece {
            given.extend_from_slice(bytes);
        }
        true
    };
    let (mut inflater, tools) = (Inflater::new(Terms::FREE), &mut Tools::default());
    inflater.begin();
    for (nth, piece) in wire.chunks(step).enumerate() {
        if let Err(Corrupt::Bits(what, read)) = inflater.push(piece, tools, &mut out) {
            return (Some((what, nth * step + read)), given);
        }
    }
    (None, given)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// However a broken message is cut, the same is wrong with it, at the same byte, after the same text.
    #[test]
    fn a_fault_stands_where_it_stands(
        text in "[a-f ]{0,400}",
        (at, bit) in (any::<prop::sample::Index>(), 0_u8..8),
        step in 1_usize..40,
    ) {
        let mut wire = Vec::with_capacity(1_000);
        Compress::new(Compression::default(), false).compress_vec(text.as_bytes(), &mut wire, FlushCompress::Sync).unwrap();
        let at = at.index(wire.len());
        wire[at] ^= 1 << bit;
        prop_assert_eq!(fault(&wire, step), fault(&wire, wire.len()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn inflates_what_was_deflated(
        messages in proptest::collection::vec(("[a-f]{0,40}", 0_usize..3000), 1..12),
        takeover: bool,
        step in 1_usize..500,
    ) {
        let mut sender = Compress::new(Compression::default(), false);
        let mut inflater = Inflater::new(Terms { takeover, ..Terms::FREE });
        for (text, times) in messages {
            let message = text.repeat(times);
            if !takeover {
                sender.reset();
            }
            let sent = deflate(&mut sender, message.as_bytes());
            prop_assert_eq!(inflate(&mut inflater, &sent, step), Ok(message.into_bytes()));
        }
    }
}

proptest! {
    // The same conversations each time: that a found length is right is a matter of evidence, not of logic.
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(7692),
        ..ProptestConfig::with_cases(96)
    })]

    /// `play` compares: no byte that is known or inferred differs from what was sent, no length that is found is wrong.
    /// What is told does not depend on where the bytes were cut.
    #[test]
    fn whatever_is_lost_nothing_known_is_wrong(
        kind in 0..KINDS,
        (count, seed, level) in (4_usize..40, any::<u64>(), 1_u32..10),
        (at, lost, byte) in (0_usize..30, 1_usize..4, 0_usize..60),
        second in proptest::option::of((0_usize..30, 1_usize..3)),
        step in 1_usize..80,
    ) {
        let messages = sent(conversation(kind, count, seed), level);
        let mut cuts = vec![Cut { at, count: lost, byte }];
        cuts.extend(second.map(|(apart, count)| Cut { at: at + lost + apart, count, byte: 0 }));
        let limits = Limits { search_steps: 20_000_000, ..Limits::DEFAULT };
        let whole = play(&messages, &cuts, usize::MAX, &limits);
        prop_assert_eq!(play(&messages, &cuts, step, &limits), whole);
    }
}

/// A loss of more than a window can hold has no length that could be found.
#[test]
fn a_loss_too_long_is_not_measured() {
    for kind in 0..KINDS {
        let messages = sent(conversation(kind, 420, kind as u64), 6);
        let lost = messages.iter().skip(20).scan(0, |sum, (message, _)| {
            *sum += message.len();
            Some(*sum)
        });
        let count = lost.take_while(|&sum| sum < WINDOW).count() + 1;
        let outcome = play(
            &messages[..(20 + count + 60).min(420)],
            &[Cut { at: 20, count, byte: 0 }],
            usize::MAX,
            &Limits::DEFAULT,
        );
        assert_eq!(outcome.found, []);
    }
}

#[test]
fn trust_returns_with_a_window_of_known_bytes() {
    let mut dice = Dice(7);
    let mut messages = conversation(0, 12, 7);
    messages.push(dice.noise(WINDOW));
    messages.extend(conversation(0, 6, 8));
    let messages = sent(messages, 6);
    let mut inflater = Inflater::new(Terms::FREE);
    inflater.lose(None);
    let mut sure = Vec::new();
    for (message, wire) in &messages[1..] {
        let told = tell(&mut inflater, wire, 999, &mut Tools::default()).unwrap();
        inflater.learn(false, &Limits::DEFAULT, &mut Tools::default());
        sure.push(inflater.is_sure());
        if sure.len() > 12 {
            let known: Vec<Told> = message.iter().map(|&byte| Some((byte, false))).collect();
            assert_eq!(told, known);
        }
    }
    assert_eq!(sure.iter().position(|&sure| sure), Some(11), "{sure:?}");
}

#[test]
fn a_search_has_bounds() {
    let messages = sent(conversation(2, 60, 3), 6);
    let cut = [Cut { at: 20, count: 1, byte: 0 }];
    assert_eq!(play(&messages, &cut, 99, &Limits::DEFAULT).found.len(), 1);
    for limits in [
        Limits { searches: 0, ..Limits::DEFAULT },
        Limits { search_total: 0, ..Limits::DEFAULT },
        Limits { search_steps: 1000, ..Limits::DEFAULT },
    ] {
        assert_eq!(play(&messages, &cut, 99, &limits).found, [], "{limits:?}");
    }
}

/// Many losses: all searches together take no more time than one, and what the bytes that came are worth.
#[test]
fn all_searches_have_a_bound() {
    let messages = sent(conversation(2, 60, 3), 6);
    let spent = |total: u64| {
        let limits = Limits { search_total: total, ..Limits::DEFAULT };
        let (mut inflater, mut tools, mut came) = (Inflater::new(Terms::FREE), Tools::default(), 0);
        for (nth, (_, wire)) in messages.iter().enumerate() {
            if nth % 6 == 5 {
                inflater.lose(Some(wire.len() as u64));
                continue;
            }
            came += wire.len() as u64 * Limits::SEARCH_EARNED;
            tell(&mut inflater, wire, 999, &mut tools).unwrap();
            inflater.learn(true, &limits, &mut tools);
        }
        let huge = Limits { search_total: 1 << 40, ..Limits::DEFAULT };
        (1_u64 << 40) + came - tools.searched.left(&huge)
    };
    // What it takes to begin one may go beyond the bound.
    assert!(spent(1 << 20) < 5 << 20, "{}", spent(1 << 20));
    assert!(spent(1 << 40) > 10 << 20, "the bound is not reached: {}", spent(1 << 40));
}

/// How often the length is found on JSON, how soon, and what is known then, for compressors that take their time and for
/// those in a great hurry (`--nocapture` shows it). `play` compares: no length that is found is wrong, nor any byte.
#[test]
fn on_json_most_lengths_are_found() {
    let percent = |part: usize, whole: usize| 100 * part / whole.max(1);
    for (level, least_found, least_known) in [(1, 80, 70), (6, 95, 80), (9, 95, 80)] {
        let (mut all_found, mut all_trials, mut all) = (0, 0, [0; 2]);
        for kind in JSON {
            let (mut trials, mut found, mut after, mut known, mut bytes) = (0, 0, 0, [0; 2], [0; 2]);
            for seed in 0..12 {
                let messages = sent(conversation(kind, 90, seed), level);
                let cut = Cut { at: 6 + 3 * seed as usize, count: 1 + seed as usize % 3 / 2, byte: 0 };
                let outcome = play(&messages, &[cut], usize::MAX, &Limits::DEFAULT);
                let since = outcome.found.first().map_or(outcome.told.len(), |&(_, since)| since);
                trials += 1;
                found += usize::from(!outcome.found.is_empty());
                after += if outcome.found.is_empty() { 0 } else { since - cut.at };
                for (nth, told) in [&outcome.told[cut.at..since], &outcome.told[since..]].into_iter().enumerate() {
                    bytes[nth] += told.iter().flatten().count();
                    known[nth] += told.iter().flatten().flatten().count();
                }
            }
            println!(
                "level {level}, kind {kind}: {found} of {trials} lengths found, after {} messages on average; {} % of the bytes known then, {} % before",
                after / found.max(1),
                percent(known[1], bytes[1]),
                percent(known[0], bytes[0])
            );
            (all_found, all_trials) = (all_found + found, all_trials + trials);
            all = [all[0] + known[1], all[1] + bytes[1]];
        }
        let (found, known) = (percent(all_found, all_trials), percent(all[0], all[1]));
        println!("level {level}: {found} % of the lengths found, {known} % of the bytes known then");
        assert!(found >= least_found && known >= least_known, "level {level}: {found} % found, {known} % known");
    }
}

/// A sender may keep to a smaller window than was agreed on: then no copy reaches far before the loss, the right length has next to
/// nothing to read, and what is left would prove a wrong one. `play` compares.
#[test]
fn a_small_window_that_nobody_declared_misleads_nobody() {
    for (bits, seed, at, lost, count) in
        [(9, 1, 35, 1, 127), (9, 4, 68, 1, 98), (10, 6, 44, 1, 75), (10, 907, 3, 2, 65)]
    {
        let messages = sent_within(bits, conversation(2, count, seed), 1);
        let outcome = play(&messages, &[Cut { at, count: lost, byte: 0 }], usize::MAX, &Limits::DEFAULT);
        assert_eq!(outcome.told.len(), count - lost);
    }
}
