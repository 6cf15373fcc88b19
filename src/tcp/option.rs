//! Options of a TCP header (RFC 9293 §3.2).

/// The longest payload that the sender of a SYN takes (RFC 9293 §3.7.1).
pub const LONGEST: u8 = 2;
/// What the receiver has of bytes ahead (RFC 2018).
pub(super) const SACK: u8 = 5;

/// What ends the options, and what only fills.
const END: u8 = 0;
const NOTHING: u8 = 1;

/// The value of the first option of that kind.
///
/// ```text
/// kind │ length, of all three │ value │ …
/// ```
pub fn option(mut options: &[u8], kind: u8) -> Option<&[u8]> {
    loop {
        match options {
            [] | [END, ..] => return None,
            [NOTHING, rest @ ..] => options = rest,
            &[found, len, ..] => {
                let (option, rest) = options.split_at_checked(len.into())?;
                let value = option.get(2..)?;
                if found == kind {
                    return Some(value);
                }
                options = rest;
            }
            [_] => return None,
        }
    }
}
