//! What an input that is no capture looks like.

/// How many bytes are looked at: the mark of a tar archive ends at 262.
pub(super) const PEEK: usize = 512;

const UNPACK: &str = "unpack it first";
const CONVERT: &str = "convert it first (editcap -F pcapng)";
const CAPTURE: &str = "give a capture (.pcap, .pcapng)";

/// Offset, the bytes that stand there, what it is, what to do.
type Signature = (usize, &'static [u8], &'static str, &'static str);

static SIGNATURES: &[Signature] = &[
    (0, b"BZh", "a bzip2-compressed file", UNPACK),
    (0, b"\x02\x21\x4c\x18", "an lz4-compressed file of the old form", UNPACK),
    (0, b"PK\x03\x04", "a ZIP archive", UNPACK),
    (0, b"PK\x05\x06", "an empty ZIP archive", CAPTURE),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (257, b"ustar", "a tar archive", UNPACK),
    (0, b"snoop\0\0\0", "a snoop capture", CONVERT),
    (0, b"GMBU", "a Microsoft Network Monitor capture", CONVERT),
    (0, b"RTSS", "a Microsoft Network Monitor capture", CONVERT),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image", CAPTURE),
    (0, b"\x7fELF", "an ELF program", CAPTURE),
    (0, b"%PDF", "a PDF document", CAPTURE),
];

/// How the lines of a TLS key log begin.
static KEY_LOG: &[&str] = &[
    "CLIENT_RANDOM ",
    "CLIENT_EARLY_TRAFFIC_SECRET ",
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET ",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET ",
    "CLIENT_TRAFFIC_SECRET_0 ",
    "SERVER_TRAFFIC_SECRET_0 ",
    "EARLY_EXPORTER_SECRET ",
    "EXPORTER_SECRET ",
    "RSA ",
    "# SSL/TLS secrets log file",
];

/// What the first bytes of an input make it look like, and what to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    /// With its article: `a ZIP archive`.
    pub what: &'static str,
    /// An instruction: `unpack it first`.
    pub advice: &'static str,
}

impl Looks {
    /// Judges by the first [`PEEK`] bytes, or all there are.
    pub(super) fn of(data: &[u8]) -> Option<Self> {
        let signature =
            SIGNATURES.iter().find(|(at, bytes, ..)| data.get(*at..).is_some_and(|data| data.starts_with(bytes)));
        if let Some(&(_, _, what, advice)) = signature {
            return Some(Self { what, advice });
        }
        let (what, advice) =
            text(data).or_else(|| trace(data)).or_else(|| if is_text(data) { None } else { erf(data) })?;
        Some(Self { what, advice })
    }
}

type Named = (&'static str, &'static str);

/// Kinds of text. Plain text has no name here: there is nothing to be done about it.
fn text(data: &[u8]) -> Option<Named> {
    let text = data.utf8_chunks().next()?.valid().trim_start_matches('\u{feff}').trim_start();
    let starts = |prefix: &str| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let is_key = |line: &str| {
        KEY_LOG.iter().any(|label| line.get(..label.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(label)))
    };
    if text.lines().any(is_key) {
        return Some(("a TLS key log", "give the capture that it belongs to"));
    }
    if starts("<!doctype html") || starts("<html") {
        return Some(("an HTML page", CAPTURE));
    }
    if is_json(text) {
        return Some(("a HAR/JSON file", CAPTURE));
    }
    None
}

/// Whether a text begins like JSON: not each that begins with a bracket does, as TOML and INI.
fn is_json(text: &str) -> bool {
    let within = |open: char| text.strip_prefix(open).map(str::trim_start);
    within('{').is_some_and(|inside| inside.starts_with(['"', '}']))
        || within('[').is_some_and(|inside| inside.starts_with(|c: char| "{[]\"-".contains(c) || c.is_ascii_digit()))
}

/// Whether the bytes are UTF-8, which may be cut at the end, without control characters.
pub(super) fn is_text(data: &[u8]) -> bool {
    let Some(chunk) = data.utf8_chunks().next() else { return false };
    let is_whole = chunk.valid().len() + chunk.invalid().len() == data.len() && chunk.invalid().len() < 4;
    is_whole && chunk.valid().chars().all(|char| !char.is_control() || matches!(char, '\n' | '\r' | '\t' | '\x0c'))
}

/// A Windows event trace: a buffer header of 72 bytes that tells the buffer's size, then the mark of a system trace header.
fn trace(data: &[u8]) -> Option<Named> {
    let size = u32::from_le_bytes(*data.first_chunk()?);
    let mark = data.get(72..)?.first_chunk::<4>()?;
    let is_trace = size.is_multiple_of(1024) && size > 0 && matches!(mark, [_, 0, 1 | 2, 0xc0]);
    is_trace.then_some(("a Windows event trace (ETL)", "convert it first (etl2pcapng)"))
}

/// An ERF capture has no mark: two records in a row have to be likely.
///
/// ```text
/// record: time u64 (little endian, seconds in the upper half), type u8, flags u8, record length u16, drops u16, wire length u16
/// ```
fn erf(data: &[u8]) -> Option<Named> {
    let length = erf_record(data)?;
    let next = data.get(length..).unwrap_or_default();
    (next.len() < 16 || erf_record(next).is_some()).then_some(("an ERF capture", CONVERT))
}

/// The length of a likely ERF record of the years 1990 to 2100.
fn erf_record(data: &[u8]) -> Option<usize> {
    let &[_, _, _, _, s0, s1, s2, s3, kind, _, l0, l1, _, _, w0, w1] = data.first_chunk::<16>()?;
    let seconds = u32::from_le_bytes([s0, s1, s2, s3]);
    let length = u16::from_be_bytes([l0, l1]);
    let wire = u16::from_be_bytes([w0, w1]);
    let likely = (631_152_000..4_102_444_800).contains(&seconds)
        && (1..=32).contains(&(kind & 0x7f))
        && length >= 18
        && wire > 0;
    likely.then_some(usize::from(length))
}
