//! What another decoder makes of the same blocks.

use super::tests::read;
use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

/// Names that the static table has and such that it has not, so that all forms occur.
const NAMES: [&str; 8] = [":method", ":path", ":status", "cookie", "accept-encoding", "x", "sec-websocket-key", ""];

/// A list of header fields.
fn fields() -> impl Strategy<Value = Vec<(String, String)>> {
    let value = prop_oneof!["GET", "/", "200", "gzip, deflate", "[ -~]{0,60}"];
    vec((proptest::sample::select(&NAMES[..]).prop_map(str::to_owned), value), 0..12)
}

fn lines<'a>(fields: impl IntoIterator<Item = &'a (Vec<u8>, Vec<u8>)>) -> Vec<String> {
    let text = String::from_utf8_lossy;
    fields.into_iter().map(|(name, value)| format!("{}: {}", text(name), text(value))).collect()
}

/// Both decoders read a block; the other's fields, or `None` where it refuses the block.
fn both(
    ours: &mut Decoder,
    theirs: &mut loona_hpack::Decoder<'_>,
    block: &[u8],
    cut: usize,
) -> (Vec<String>, Option<Vec<String>>) {
    let pieces: Vec<&[u8]> = block.chunks(cut).collect();
    (read(ours, &pieces), theirs.decode(block).ok().map(|fields| lines(&fields)))
}

proptest! {
    /// Block after block, whatever the size of the table becomes.
    #[test]
    fn reads_what_another_encoder_writes(
        blocks in vec((fields(), proptest::option::of(0_usize..300)), 1..12),
        cut in 1_usize..20,
    ) {
        let (mut encoder, mut ours) = (loona_hpack::Encoder::new(), Decoder::new(1 << 20));
        let mut theirs = loona_hpack::Decoder::new();
        for (fields, size) in blocks {
            if let Some(size) = size {
                encoder.set_max_table_size(size);
            }
            let block = encoder.encode(fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
            let (ours, theirs) = both(&mut ours, &mut theirs, &block, cut);
            let said: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            prop_assert_eq!(&ours, &said);
            prop_assert_eq!(theirs, Some(said));
        }
    }

    /// Bytes that nobody encoded: both read the same, or both refuse.
    #[test]
    fn refuses_what_another_decoder_refuses(
        start in fields(),
        block in vec(prop_oneof![any::<u8>(), 0x80_u8..0xc8, 0x40_u8..0x48], 0..40),
        cut in 1_usize..20,
    ) {
        // The other takes no change of the table's size for the last of a block.
        let block = [&block[..], &[0x82]].concat();
        let (mut ours, mut theirs) = (Decoder::new(1 << 20), loona_hpack::Decoder::new());
        theirs.set_max_allowed_table_size(TABLE_DEFAULT as usize);
        let first = loona_hpack::Encoder::new().encode(start.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        both(&mut ours, &mut theirs, &first, cut);
        let before = format!("{ours:?}");
        let (mut ours, theirs) = both(&mut ours, &mut theirs, &block, cut);
        // It lets the size be changed anywhere (RFC 7541 §4.2 does not).
        ours.retain(|line| line != "LateSize");
        match theirs {
            Some(fields) => prop_assert_eq!(ours, fields, "{}", before),
            None => prop_assert!(!ours.iter().all(|line| line.contains(": ")), "{:?}", ours),
        }
    }
}
