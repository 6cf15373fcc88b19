//! Whether text with unknown bytes can be JSON (RFC 8259) in UTF-8 (RFC 3629).
//!
//! An automaton that is in several states at once: after an unknown byte, in all that can follow. It never denies what
//! can be JSON; it does not count brackets, because an unknown byte may be one.

/// States in which a reader of JSON may be, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct States(u32);

/// One state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum At {
    /// Before the first value: a packet number may stand there, as in Engine.IO.
    Start,
    Value,
    /// Behind `[`.
    FirstItem,
    /// Behind `{`.
    FirstKey,
    Key,
    Colon,
    /// Behind a value.
    After,
    InKey,
    InKeyEscape,
    InText,
    InTextEscape,
    Minus,
    Zero,
    Digits,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
    T,
    Tr,
    Tru,
    F,
    Fa,
    Fal,
    Fals,
    N,
    Nu,
    Nul,
}

const STATES: usize = At::Nul as usize + 1;

impl States {
    const NONE: Self = Self(0);
    /// After an unknown byte: anywhere but before the message.
    const ANY: Self = Self(((1 << STATES) - 1) & !(1 << At::Start as u32));

    const fn of(all: &[At]) -> Self {
        let mut set = 0;
        let mut rest = all;
        while let [at, others @ ..] = rest {
            set |= 1 << *at as u32;
            rest = others;
        }
        Self(set)
    }

    /// The states after one more byte.
    fn next(self, byte: u8) -> Self {
        let (mut left, mut next) = (self.0, 0);
        while left != 0 {
            if let Some(row) = NEXT.get(left.trailing_zeros() as usize) {
                next |= row.get(usize::from(byte)).map_or(0, |states| states.0);
            }
            left &= left - 1;
        }
        Self(next)
    }

    const fn may_end(self) -> bool {
        use At::{After, Digits, ExponentDigits, Fraction, Start, Zero};
        self.0 & Self::of(&[Start, After, Zero, Digits, Fraction, ExponentDigits]).0 != 0
    }
}

/// The states after each state and byte.
static NEXT: [[States; 256]; STATES] = {
    use At::*;
    const ALL: [At; STATES] = [
        Start,
        Value,
        FirstItem,
        FirstKey,
        Key,
        Colon,
        After,
        InKey,
        InKeyEscape,
        InText,
        InTextEscape,
        Minus,
        Zero,
        Digits,
        Point,
        Fraction,
        Exponent,
        ExponentSign,
        ExponentDigits,
        T,
        Tr,
        Tru,
        F,
        Fa,
        Fal,
        Fals,
        N,
        Nu,
        Nul,
    ];
    let mut table = [[States::NONE; 256]; STATES];
    let mut rows: &mut [[States; 256]] = &mut table;
    let mut states: &[At] = &ALL;
    while let ([at, later @ ..], [row, others @ ..]) = (states, rows) {
        let mut byte = 0;
        let mut cells: &mut [States] = row;
        while let [cell, more @ ..] = cells {
            *cell = States::of(after(*at, byte));
            byte = byte.wrapping_add(1);
            cells = more;
        }
        (states, rows) = (later, others);
    }
    table
};

const fn after(at: At, byte: u8) -> &'static [At] {
    use At::*;
    const BLANK: [u8; 4] = *b" \t\r\n";
    let [space, tab, cr, lf] = BLANK;
    let blank = byte == space || byte == tab || byte == cr || byte == lf;
    match (at, byte) {
        // The byte that ends a number is that behind a value.
        (Zero, b'.') | (Digits, b'.') => &[Point],
        (Zero | Digits | Fraction, b'e' | b'E') => &[Exponent],
        (Digits, b'0'..=b'9') => &[Digits],
        (Point | Fraction, b'0'..=b'9') => &[Fraction],
        (Exponent, b'+' | b'-') => &[ExponentSign],
        (Exponent | ExponentSign | ExponentDigits, b'0'..=b'9') => &[ExponentDigits],
        (Minus, b'0') => &[Zero],
        (Minus, b'1'..=b'9') => &[Digits],
        (After | Zero | Digits | Fraction | ExponentDigits, b',') => &[Key, Value],
        (After | Zero | Digits | Fraction | ExponentDigits, b'}' | b']') => &[After],
        // Documents in a row: lines, and the separator of SignalR.
        (After | Zero | Digits | Fraction | ExponentDigits, b'\n' | 0x1e) => &[After, Value],
        (After | Zero | Digits | Fraction | ExponentDigits, _) if blank => &[After],

        (Start, b'0'..=b'9') => &[Start, Digits],
        (Start, _) if blank => &[Start],
        (Start | Value | FirstItem, b'{') => &[FirstKey],
        (Start | Value | FirstItem, b'[') => &[FirstItem],
        (Start | Value | FirstItem, b'"') => &[InText],
        (Start | Value | FirstItem, b'-') => &[Minus],
        (Value | FirstItem, b'0') => &[Zero],
        (Value | FirstItem, b'1'..=b'9') => &[Digits],
        (Start | Value | FirstItem, b't') => &[T],
        (Start | Value | FirstItem, b'f') => &[F],
        (Start | Value | FirstItem, b'n') => &[N],
        (FirstItem, b']') | (FirstKey, b'}') => &[After],
        (FirstKey | Key, b'"') => &[InKey],
        (Value, _) if blank => &[Value],
        (FirstItem, _) if blank => &[FirstItem],
        (FirstKey, _) if blank => &[FirstKey],
        (Key, _) if blank => &[Key],
        (Colon, _) if blank => &[Colon],
        (Colon, b':') => &[Value],

        (InKey, b'"') => &[Colon],
        (InKey, b'\\') => &[InKeyEscape],
        (InText, b'"') => &[After],
        (InText, b'\\') => &[InTextEscape],
        (InKey, 0x20..) => &[InKey],
        (InText, 0x20..) => &[InText],
        (InKeyEscape, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' | b'u') => &[InKey],
        (InTextEscape, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' | b'u') => &[InText],

        (T, b'r') => &[Tr],
        (Tr, b'u') => &[Tru],
        (F, b'a') => &[Fa],
        (Fa, b'l') => &[Fal],
        (Fal, b's') => &[Fals],
        (N, b'u') => &[Nu],
        (Nu, b'l') => &[Nul],
        (Tru | Fals, b'e') | (Nul, b'l') => &[After],
        _ => &[],
    }
}

/// Whether bytes, some of them unknown, can be JSON; of a text that was cut, its beginning.
pub(super) fn may_be_json(text: impl Iterator<Item = Option<u8>>, is_whole: bool) -> bool {
    let mut states = States::of(&[At::Start]);
    for byte in text {
        states = byte.map_or(States::ANY, |byte| states.next(byte));
        if states == States::NONE {
            return false;
        }
    }
    !is_whole || states.may_end()
}

/// Whether bytes, some of them unknown, can be UTF-8 (RFC 3629 §4), wherever the text begins or was cut.
pub(super) fn may_be_utf8(text: impl Iterator<Item = Option<u8>>) -> bool {
    // The ranges that the next bytes must lie in; `None`: an unknown byte came, and with it anything may go on.
    let mut due: Option<&[(u8, u8)]> = Some(&[]);
    for byte in text {
        let Some(byte) = byte else {
            due = None;
            continue;
        };
        due = match (due, byte) {
            (None, 0x80..=0xbf) => None,
            (Some([(low, high), rest @ ..]), _) => {
                if !(*low..=*high).contains(&byte) {
                    return false;
                }
                Some(rest)
            }
            (None | Some([]), _) => match byte {
                0x00..=0x7f => Some(&[]),
                0xc2..=0xdf => Some(&[TAIL]),
                0xe0 => Some(&[(0xa0, 0xbf), TAIL]),
                0xe1..=0xec | 0xee..=0xef => Some(&[TAIL, TAIL]),
                0xed => Some(&[(0x80, 0x9f), TAIL]),
                0xf0 => Some(&[(0x90, 0xbf), TAIL, TAIL]),
                0xf1..=0xf3 => Some(&[TAIL, TAIL, TAIL]),
                0xf4 => Some(&[(0x80, 0x8f), TAIL, TAIL]),
                _ => return false,
            },
        };
    }
    true
}

const TAIL: (u8, u8) = (0x80, 0xbf);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `?` stands for an unknown byte.
    fn json(text: &str) -> bool {
        may_be_json(text.bytes().map(|byte| Some(byte).filter(|&byte| byte != b'?')), true)
    }

    #[test]
    fn knows_json() {
        for text in [
            r#"{"a":[1,-0.5e+7,true,false,null,"x\"\\\u00e9"],"b":{}} "#,
            r#"42["event",{"a":[]}]"#,
            "{}\n{\"a\":1}\n",
            "{\"type\":6}\u{1e}",
            "7",
            "3",
            r#"{"a??????b"}"#,
            r#"?"a":1}"#,
            r#"{"a":t?e}"#,
        ] {
            assert!(json(text), "{text}");
        }
        for text in [
            r#"{"a":"#,
            r#"{"a":01}"#,
            r#"{"a" "b"}"#,
            r#"{"a":1,"b":2},"#,
            r#"{"a":"x"y"}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":12"b"}"#,
            r#"{"a":tr"}"#,
            r#"{a?}"#,
            "{\"a\n?}",
        ] {
            assert!(!json(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn unknown_bytes_never_deny_what_is_utf8(text in "[a-é雨🦀]{0,12}", unknown: u64) {
            let hidden = text.bytes().enumerate().map(|(at, byte)| Some(byte).filter(|_| unknown >> (at % 64) & 1 == 0));
            prop_assert!(may_be_utf8(hidden));
        }

        #[test]
        fn known_bytes_are_utf8_if_the_standard_library_says_so(bytes in proptest::collection::vec(any::<u8>(), 0..6)) {
            let is_utf8 = std::str::from_utf8(&bytes).map_or_else(|error| error.error_len().is_none(), |_| true);
            prop_assert_eq!(may_be_utf8(bytes.iter().map(|&byte| Some(byte))), is_utf8);
        }
    }
}
