//! The cut law for the drafts before RFC 6455, and for what is spoken with proxies.

use super::support::craft::*;
use super::{Part, told};
use proptest::prelude::*;
use wspect::model::Direction::{ToClient, ToServer};

fn part(side: Side, bytes: impl Into<Vec<u8>>) -> Part {
    Part::Bytes(if side == Client { ToServer } else { ToClient }, bytes.into())
}

fn parts(session: &Session) -> Vec<Part> {
    session.turns.iter().map(|(side, bytes)| part(*side, bytes.clone())).collect()
}

#[test]
fn each_draft_byte_by_byte() {
    for draft in DRAFTS {
        let parts = parts(&Session::sample_of(1, draft));
        let whole = told(&parts, &[usize::MAX]);
        assert!(whole.contains("héllo ✓") && whole.contains("last words"), "{draft:?}: {whole}");
        assert_eq!(told(&parts, &[1]), whole, "{draft:?}");
    }
}

/// One text in a Hixie frame that a hole cuts.
#[test]
fn a_hole_in_a_text_is_not_passed_over() {
    let text = told(
        &[
            part(Client, Draft::Hixie76.request("/", "")),
            part(Server, Draft::Hixie76.response("/", "")),
            part(Server, *b"\0first\xff\0sec"),
            Part::Gap(ToClient, 3),
            part(Server, *b"ond\xff\0third\xff"),
        ],
        &[usize::MAX],
    );
    insta::with_settings!({ snapshot_path => "../snapshots" }, { insta::assert_snapshot!(text) });
}

/// What is said to a proxy, and what it answers.
const WORDS: [&[(Side, &[u8])]; 4] = [
    &[(Client, b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n")],
    &[(Client, b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x07\xdc\x04\x01\xbb")],
    &[(Client, b"\x04\x01\0\x50\0\0\0\x01\0chat.test\0"), (Server, b"\0\x5a\0\0\0\0\0\0")],
    &[
        (Client, b"\x05\x01\0"),
        (Server, b"\x05\0"),
        (Client, b"\x05\x01\0\x01\x0a\0\0\x01\0\x50"),
        (Server, b"\x05\0\0\x01\0\0\0\0\0\0"),
    ],
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn any_cut_of_a_draft_tells_the_same(
        which in 0..DRAFTS.len(),
        cuts in proptest::collection::vec(1_usize..40, 1..30),
    ) {
        let parts = parts(&Session::sample_of(1, DRAFTS[which]));
        prop_assert_eq!(told(&parts, &cuts), told(&parts, &[usize::MAX]));
    }

    #[test]
    fn any_bytes_between_sentinels_are_survived(
        first: bool,
        junk in proptest::collection::vec(prop_oneof![Just(0_u8), Just(0xff), Just(0x80), any::<u8>()], 0..200),
        gap in 0_u64..50,
        more in proptest::collection::vec(prop_oneof![Just(0_u8), Just(0xff), any::<u8>()], 0..200),
        cuts in proptest::collection::vec(1_usize..40, 1..30),
    ) {
        let draft = if first { Draft::Hixie75 } else { Draft::Hixie76 };
        let mut parts = vec![part(Client, draft.request("/", "")), part(Server, draft.response("/", ""))];
        for side in [Client, Server] {
            parts.push(part(side, junk.clone()));
            parts.push(Part::Gap(if side == Client { ToServer } else { ToClient }, gap));
            parts.push(part(side, more.clone()));
        }
        prop_assert_eq!(told(&parts, &cuts), told(&parts, &[usize::MAX]));
    }

    /// A hole of any size in the raw bytes of a challenge or its answer, or behind them.
    #[test]
    fn a_hole_in_a_challenge_costs_its_check_only(
        at in 0_usize..8,
        len in 1_usize..8,
        cuts in proptest::collection::vec(1_usize..40, 1..30),
    ) {
        let draft = Draft::Hixie76;
        let (request, answer) = (draft.request("/", ""), draft.response("/", ""));
        let lost = |side, bytes: &[u8], raw: usize| {
            let from = bytes.len() - raw + at;
            let to = (from + len).min(bytes.len());
            let dir = if side == Client { ToServer } else { ToClient };
            vec![part(side, &bytes[..from]), Part::Gap(dir, (to - from) as u64), part(side, &bytes[to..])]
        };
        let text = draft.frame(Server, TEXT, true, b"welcome", [0; 4]);
        for holed in [true, false] {
            let mut parts = if holed { lost(Client, &request, 8) } else { vec![part(Client, request.clone())] };
            parts.extend(if holed { vec![part(Server, answer.clone())] } else { lost(Server, &answer, 16) });
            parts.push(part(Server, text.clone()));
            parts.push(part(Client, text.clone()));
            let whole = told(&parts, &[usize::MAX]);
            prop_assert_eq!(whole.matches("\"welcome\"").count(), 2, "{}", whole);
            prop_assert_eq!(told(&parts, &cuts), whole);
        }
    }

    #[test]
    fn any_cut_of_a_proxys_words_tells_the_same(
        which in 0_usize..4,
        cuts in proptest::collection::vec(1_usize..40, 1..30),
    ) {
        let mut all: Vec<Part> = WORDS[which].iter().map(|(side, bytes)| part(*side, *bytes)).collect();
        all.extend(parts(&Session::sample(1)));
        prop_assert_eq!(told(&all, &cuts), told(&all, &[usize::MAX]));
    }
}
