//! The Huffman code of strings (RFC 7541 §5.2, Appendix B).

/// The code is canonical: its lengths tell it all. Bits of each byte's code, and of the end of string (256).
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, //
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, //
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, //
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, //
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, //
    7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, //
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, //
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, //
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, //
    21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, //
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

const SHORTEST: usize = 5;
const LONGEST: usize = 30;
const END_OF_STRING: u16 = 256;

/// What decodes: the symbols by length and value, and of each length where its codes begin.
struct Code {
    symbols: [u16; 257],
    /// By length: the first code that is longer, its bits at the top of a word; and the number by which the place of a symbol
    /// among all is behind its code.
    beyond: [u64; LONGEST + 1],
    behind: [i64; LONGEST + 1],
}

static CODE: Code = code();

#[allow(clippy::indexing_slicing, reason = "it is computed when the program is built")]
const fn code() -> Code {
    let mut code = Code { symbols: [0; 257], beyond: [0; LONGEST + 1], behind: [0; LONGEST + 1] };
    let (mut next, mut place, mut length) = (0_u64, 0, SHORTEST);
    while length <= LONGEST {
        code.behind[length] = place as i64 - next as i64;
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == length {
                code.symbols[place] = symbol as u16;
                place += 1;
                next += 1;
            }
            symbol += 1;
        }
        code.beyond[length] = next << (32 - length);
        next <<= 1;
        length += 1;
    }
    code
}

/// The next symbol in the top bits of a word, and how many of them it takes.
fn symbol(bits: u32) -> (u16, usize) {
    let is_long_enough = |&length: &usize| CODE.beyond.get(length).is_some_and(|&beyond| u64::from(bits) < beyond);
    let length = (SHORTEST..=LONGEST).find(is_long_enough).unwrap_or(LONGEST);
    let behind = CODE.behind.get(length).copied().unwrap_or_default();
    let place = usize::try_from(i64::from(bits >> (32 - length)) + behind).unwrap_or(usize::MAX);
    (CODE.symbols.get(place).copied().unwrap_or(END_OF_STRING), length)
}

/// Appends what is encoded, as far as it makes sense; false where it does not: the end of string stands in it, or it ends with
/// something else than up to seven bits of that.
pub(super) fn decode(encoded: &[u8], out: &mut Vec<u8>) -> bool {
    let mut bytes = encoded.iter();
    let (mut window, mut held) = (0_u64, 0_usize);
    loop {
        while held <= 32 {
            let Some(&byte) = bytes.next() else { break };
            window |= u64::from(byte) << (56 - held);
            held += 8;
        }
        if held < SHORTEST {
            break;
        }
        // Behind the last bit stand ones, as in the padding.
        let filled = window | u64::MAX.checked_shr(held as u32).unwrap_or(0);
        let (symbol, length) = symbol((filled >> 32) as u32);
        if length > held {
            break;
        }
        let Ok(byte) = u8::try_from(symbol) else { return false };
        out.push(byte);
        window <<= length;
        held -= length;
    }
    held < 8 && window == u64::MAX.checked_shl(64 - held as u32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(hex: &[u8]) -> Option<String> {
        let mut out = Vec::new();
        decode(hex, &mut out).then(|| String::from_utf8(out).unwrap())
    }

    /// RFC 7541 Appendix C.4 and C.6.
    #[test]
    fn strings_of_rfc_7541() {
        let authority = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        assert_eq!(decoded(&authority).as_deref(), Some("www.example.com"));
        assert_eq!(decoded(&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf]).as_deref(), Some("no-cache"));
        assert_eq!(decoded(&[0x64, 0x02]).as_deref(), Some("302"));
        assert_eq!(decoded(&[]).as_deref(), Some(""));
    }

    #[test]
    fn each_symbol_is_read_whatever_is_before_it() {
        // The code from its lengths, by another way: all codes in order.
        let mut order: Vec<usize> = (0..256).collect();
        order.sort_by_key(|&symbol| (LENGTHS[symbol], symbol));
        let mut codes = vec![(0_u64, 0_u8); 256];
        let (mut next, mut length) = (0_u64, LENGTHS[order[0]]);
        for &symbol in &order {
            next <<= LENGTHS[symbol] - length;
            length = LENGTHS[symbol];
            codes[symbol] = (next, length);
            next += 1;
        }
        for before in [b'0', b'X', b'\n'] {
            for symbol in 0..=255_u8 {
                let bits: String = [before, symbol, symbol]
                    .map(|byte| codes[usize::from(byte)])
                    .iter()
                    .map(|&(code, length)| format!("{code:0width$b}", width = usize::from(length)))
                    .collect();
                let padded = format!("{bits}{}", "1".repeat((8 - bits.len() % 8) % 8));
                let bytes: Vec<u8> = padded
                    .as_bytes()
                    .chunks(8)
                    .map(|bits| u8::from_str_radix(std::str::from_utf8(bits).unwrap(), 2).unwrap())
                    .collect();
                let mut out = Vec::new();
                assert!(decode(&bytes, &mut out), "{before} {symbol}");
                assert_eq!(out, [before, symbol, symbol]);
            }
        }
    }

    #[test]
    fn wrong_endings_are_told() {
        assert_eq!(decoded(&[0xff]), None, "eight bits of padding");
        assert_eq!(decoded(&[0x18]), None, "padded with zeros");
        assert_eq!(decoded(&[0xff, 0xff, 0xff, 0xff]), None, "the end of string");
        let mut out = Vec::new();
        assert!(!decode(&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf, 0xff, 0xff], &mut out));
        assert_eq!(out, b"no-cache", "what stands before it is kept");
    }
}
