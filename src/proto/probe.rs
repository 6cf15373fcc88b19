//! What a stream carries and who is its client, told from its first bytes.

use super::layer::{Cx, Hint, Kind, Layer, Next, feed};
use crate::carry::Carry;
use crate::model::{Both, Direction, Ends, H2_PREFACE, Input};

/// Waits for the first telling bytes of either direction, then makes way for the layer they call for.
///
/// Settles once which end is the client: who sends a request is, whoever sent the SYN and whatever the ports.
#[derive(Default)]
pub(super) struct Probe {
    carry: Both<Carry>,
    /// Bytes are missing.
    holed: bool,
    /// From the first of those in each direction to the last byte that was looked through, and whether it is certain how many.
    lost: Both<Option<(u64, u64, bool)>>,
    /// Looks for frames, where the first bytes told nothing.
    seeker: Option<Box<dyn Layer>>,
    /// The directions that ended, for the layer that comes then.
    ends: Ends,
}

/// What the first bytes of a direction tell.
#[derive(Debug, PartialEq, Eq)]
enum Guess {
    /// Nothing yet.
    More,
    Request,
    Response,
    /// Words for a proxy, from who asks it; true when they are its answer.
    Proxy(bool),
    /// TLS, from who sent a hello, if it is one; true when that is the server.
    Tls(Option<bool>),
    /// HTTP/2; true when the sender is the server.
    Http2(bool),
    Is(Kind),
}

/// The longest method that is taken for HTTP.
const METHOD_MAX: usize = 24;
/// The type of the frame with which both sides of HTTP/2 begin.
const SETTINGS: u8 = 4;
/// Bytes that may go by without telling anything.
const CARRY_MAX: usize = 4096;
/// How the preface of HTTP/2 begins, whatever its minor version.
const HTTP2: &[u8] = H2_PREFACE.split_at(12).0;
const RESPONSE: &[u8] = b"HTTP/1.";
/// How the header of HAProxy's PROXY protocol begins, in version 1 and 2.
const PROXY: [&[u8]; 2] = [b"PROXY ", b"\r\n\r\n\0\r\nQUIT\n"];

fn guess(bytes: &[u8]) -> Guess {
    let begins = |with: &[u8]| bytes.iter().zip(with).all(|(a, b)| a == b);
    if begins(RESPONSE) {
        return if bytes.len() < RESPONSE.len() { Guess::More } else { Guess::Response };
    }
    if begins(HTTP2) {
        return if bytes.len() < HTTP2.len() { Guess::More } else { Guess::Http2(false) };
    }
    for start in PROXY {
        if begins(start) {
            return if bytes.len() < start.len() { Guess::More } else { Guess::Proxy(false) };
        }
    }
    match bytes {
        // A handshake record: ClientHello or ServerHello (RFC 8446 §4).
        [0x16, 3, _, _, _, 1, ..] => Guess::Tls(Some(false)),
        [0x16, 3, _, _, _, 2, ..] => Guess::Tls(Some(true)),
        [0x16, 3] | [0x16, 3, _] | [0x16, 3, _, _] | [0x16, 3, _, _, _] => Guess::More,
        // Any record may be the first that was captured (RFC 8446 §5.1, RFC 5246 §6.2.1).
        [0x14..=0x17, 3, ..] => Guess::Tls(None),
        [0x14..=0x17 | 4 | 5] => Guess::More,
        // SOCKS 4: to connect. SOCKS 5: how many methods of authentication, and an answer that chooses one.
        [4, 1, ..] => Guess::Proxy(false),
        [5, 0, ..] => Guess::Proxy(true),
        [5, 1..=16, ..] => Guess::Proxy(false),
        // SETTINGS, with which a server of HTTP/2 begins, and may before its client (RFC 9113 §3.4).
        [0, 0, _, SETTINGS, 0, 0, 0, 0, 0, ..] => Guess::Http2(true),
        [0] | [0, 0] | [0, 0, _] | [0, 0, _, SETTINGS] => Guess::More,
        [0, 0, _, SETTINGS, rest @ ..] if rest.len() < 5 && rest.iter().all(|&byte| byte == 0) => Guess::More,
        _ => method(bytes),
    }
}

/// Whether the bytes are whole frames of HTTP/2 (RFC 9113 §4.1): each head is right, and the last payload ends where they do.
fn are_http2_frames(mut bytes: &[u8]) -> bool {
    /// Payloads are longer only where their receiver says so.
    const LONGEST: usize = 1 << 14;
    /// A higher number of a stream is as likely chance.
    const STREAMS: u32 = 1 << 20;
    /// The flags of each type, and the length that it has.
    const TYPES: [(u8, Option<usize>); 10] = [
        (0x09, None),
        (0x2d, None),
        (0, Some(5)),
        (0, Some(4)),
        (0x01, None),
        (0x0c, None),
        (0x01, Some(8)),
        (0, None),
        (0, Some(4)),
        (0x04, None),
    ];
    while let Some((&[a, b, c, kind, flags, d, e, f, g], rest)) = bytes.split_first_chunk() {
        let len = usize::from_be_bytes([0, 0, 0, 0, 0, a, b, c]);
        let stream = u32::from_be_bytes([d, e, f, g]);
        let Some(&(known, length)) = TYPES.get(usize::from(kind)) else { return false };
        let is_connection = matches!(kind, SETTINGS | 6 | 7) || kind == 8 && stream == 0;
        let is_right = flags & !known == 0 && length.is_none_or(|length| length == len) && len <= LONGEST;
        if !is_right || stream >= STREAMS || is_connection != (stream == 0) {
            return false;
        }
        let Some(behind) = rest.get(len..) else { return false };
        if behind.is_empty() {
            return true;
        }
        bytes = behind;
    }
    false
}

/// A request begins with its method, a token of capitals, and a blank (RFC 9112 §3).
fn method(bytes: &[u8]) -> Guess {
    let len = bytes.iter().take_while(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_')).count();
    match bytes.get(len) {
        Some(b' ') if len > 0 => Guess::Request,
        // Empty lines before a request are passed over (RFC 9112 §2.2).
        Some(b'\r' | b'\n') if len == 0 => bytes
            .iter()
            .position(|byte| !matches!(byte, b'\r' | b'\n'))
            .map_or(Guess::More, |at| bytes.get(at..).map_or(Guess::More, method)),
        None if len < METHOD_MAX => Guess::More,
        _ => Guess::Is(Kind::Other),
    }
}

impl Layer for Probe {
    fn input(&mut self, input: Input<'_>, cx: &mut Cx<'_>) -> Next {
        if let Input::End { dir, how, mark } = input {
            self.ends.add(dir, how, mark);
        }
        if self.seeker.is_some() {
            return self.seek(input, cx);
        }
        match input {
            Input::Data { dir, offset, bytes, brought, .. } => {
                let carry = &mut self.carry[dir];
                let carried = !carry.is_empty();
                let guess = if carried {
                    carry.push(bytes, offset, brought);
                    guess(carry.bytes())
                } else {
                    guess(bytes)
                };
                let input = (!carried).then_some(input);
                match guess {
                    Guess::More if carry.bytes().len() < CARRY_MAX => {
                        if !carried {
                            carry.push(bytes, offset, brought);
                        }
                        Next::Read
                    }
                    Guess::Request => self.http(dir == Direction::ToClient, input, cx),
                    Guess::Response => self.http(dir == Direction::ToServer, input, cx),
                    Guess::Proxy(answers) => {
                        let inner = cx.open(Hint::Proxy);
                        self.begin(inner, (dir == Direction::ToClient) != answers, input, cx)
                    }
                    Guess::Tls(answers) => self.tls(dir, answers, input, cx),
                    Guess::Is(Kind::Other) if self.goes_on_in_http2(bytes, cx) => self.http2(input, cx),
                    Guess::Is(Kind::Other) | Guess::More => self.unknown(input, cx),
                    Guess::Http2(answers) => {
                        let inner = cx.open(Hint::Http2);
                        self.begin(inner, (dir == Direction::ToClient) != answers, input, cx)
                    }
                    Guess::Is(_) if cx.flow.forced => self.unknown(input, cx),
                    Guess::Is(kind) => leave(kind, cx),
                }
            }
            Input::Gap { .. } => {
                self.holed = true;
                self.unknown(Some(input), cx)
            }
            Input::End { .. } | Input::Odd { .. } | Input::Waited { .. } | Input::Resent { .. } => Next::Read,
        }
    }

    fn over(&mut self, cx: &mut Cx<'_>) {
        if let Some(mut seeker) = self.seeker.take() {
            seeker.over(cx);
        }
    }
}

fn leave(kind: Kind, cx: &mut Cx<'_>) -> Next {
    *cx.kind = kind;
    Next::Nothing
}

impl Probe {
    /// The probe for what stands behind missing bytes.
    pub(super) fn holed() -> Self {
        Self { holed: true, ..Self::default() }
    }

    /// Nothing that begins so is read, unless its beginning is missing: then it may be a WebSocket that was opened before.
    fn unknown(&mut self, input: Option<Input<'_>>, cx: &mut Cx<'_>) -> Next {
        if cx.flow.from_start && !self.holed && !cx.flow.forced {
            return leave(Kind::Other, cx);
        }
        *cx.kind = Kind::Other;
        let seeker = cx.open(Hint::Midstream { from_start: cx.flow.from_start && !self.holed });
        match self.begin(seeker, false, input, cx) {
            Next::Become(seeker) => self.seeker = Some(seeker),
            next => return next,
        }
        self.pass(input);
        Next::Read
    }

    /// Remembers that what was lost, and what was looked through behind it, is behind: the layer that comes then has not seen it.
    fn pass(&mut self, input: Option<Input<'_>>) {
        match input {
            Some(Input::Gap { dir, offset, len, exact, .. }) => {
                let (from, _, sure) = self.lost[dir].unwrap_or((offset, offset, true));
                self.lost[dir] = Some((from, offset.saturating_add(len), sure && exact));
            }
            Some(Input::Data { dir, offset, bytes, .. }) => {
                self.lost[dir] = self.lost[dir].map(|(from, _, sure)| (from, offset + bytes.len() as u64, sure));
            }
            _ => {}
        }
    }

    /// Looks for frames, unless a head or a TLS record comes first.
    fn seek(&mut self, input: Input<'_>, cx: &mut Cx<'_>) -> Next {
        if let Input::Data { dir, bytes, .. } = input {
            let sender = if bytes.starts_with(b"GET ") {
                Some(Direction::ToServer)
            } else if bytes.starts_with(RESPONSE) {
                Some(Direction::ToClient)
            } else {
                None
            };
            if let Some(sender) = sender {
                self.over(cx);
                return self.http(dir != sender, Some(input), cx);
            }
            if self.goes_on_in_http2(bytes, cx) {
                self.over(cx);
                return self.http2(Some(input), cx);
            }
            if let Guess::Tls(answers) = guess(bytes)
                && !cx.flow.forced
            {
                self.over(cx);
                return self.tls(dir, answers, Some(input), cx);
            }
        }
        self.pass(Some(input));
        self.seeker.as_mut().map_or(Next::Nothing, |seeker| seeker.input(input, cx))
    }

    /// Whether bytes are HTTP/2 whose beginning is missing.
    fn goes_on_in_http2(&self, bytes: &[u8], cx: &Cx<'_>) -> bool {
        (self.holed || !cx.flow.from_start) && !cx.flow.forced && are_http2_frames(bytes)
    }

    /// Opens the layer for HTTP/2 of which the beginning is missing; who is its client, heads will tell.
    fn http2(&mut self, input: Option<Input<'_>>, cx: &mut Cx<'_>) -> Next {
        let inner = cx.open(Hint::Http2Late);
        self.begin(inner, false, input, cx)
    }

    /// Opens the TLS layer. `answers` says whether the sender of these bytes is the server, where they tell.
    fn tls(&mut self, dir: Direction, answers: Option<bool>, input: Option<Input<'_>>, cx: &mut Cx<'_>) -> Next {
        *cx.kind = Kind::Tls;
        let inner = cx.open(Hint::Tls);
        let swapped = answers.is_some_and(|answers| (dir == Direction::ToClient) != answers);
        self.begin(inner, swapped, input, cx)
    }

    /// Opens the HTTP layer.
    fn http(&mut self, swapped: bool, input: Option<Input<'_>>, cx: &mut Cx<'_>) -> Next {
        *cx.kind = Kind::Http;
        let (lost, mark) = (std::mem::take(&mut self.lost), cx.mark);
        let lost = Direction::BOTH.into_iter().filter_map(|dir| {
            let (offset, end, exact) = lost[dir]?;
            Some(Input::lost(dir, offset, end.saturating_sub(offset), exact, mark))
        });
        let inner = cx.open(Hint::Http1);
        self.begin(inner, swapped, lost.chain(input), cx)
    }

    /// Gives a layer what was carried and then what is at hand; returns it, or whoever takes its place. `swapped` says that TCP's
    /// guess of the directions is to be turned round before.
    fn begin<'a>(
        &mut self,
        inner: Box<dyn Layer>,
        swapped: bool,
        inputs: impl IntoIterator<Item = Input<'a>>,
        cx: &mut Cx<'_>,
    ) -> Next {
        let before = cx.swapped;
        cx.swapped ^= swapped;
        let (carry, mark) = (std::mem::take(&mut self.carry), cx.mark);
        let carried = Direction::BOTH.into_iter().filter_map(|dir| {
            let (offset, brought) = carry[dir].start()?;
            Some(Input::Data { dir, offset, bytes: carry[dir].bytes(), brought, mark })
        });
        let ends = self.ends;
        let ends = ends.in_order().map(|(dir, how, mark)| Input::End { dir, how, mark });
        match feed(inner, before, carried, cx) {
            Next::Become(inner) => feed(inner, before, inputs.into_iter().chain(ends), cx),
            next => next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_protocols_by_their_first_bytes() {
        assert_eq!(guess(b"GET / HTTP/1.1\r\n"), Guess::Request);
        assert_eq!(guess(b"\r\nGET / "), Guess::Request);
        assert_eq!(guess(b"HTTP/1.1 101"), Guess::Response);
        assert_eq!(guess(b"PRI * HTTP/2.0\r\n"), Guess::Http2(false));
        assert_eq!(guess(b"\0\0\x06\x04\0\0\0\0\0\0\x08"), Guess::Http2(true));
        assert_eq!(guess(b"PROPFIND /x"), Guess::Request);
        assert_eq!(guess(&[0x16, 3, 1, 0, 90, 1]), Guess::Tls(Some(false)));
        assert_eq!(guess(&[0x16, 3, 3, 0, 90, 2]), Guess::Tls(Some(true)));
        assert_eq!(guess(&[0x16, 3, 3, 0, 90, 11]), Guess::Tls(None));
        assert_eq!(guess(&[0x17, 3, 3]), Guess::Tls(None));
        assert_eq!(guess(&[0x81, 5]), Guess::Is(Kind::Other));
        assert_eq!(guess(b"SSH-2.0"), Guess::Is(Kind::Other));
        assert_eq!(guess(b"PROXY TCP4 "), Guess::Proxy(false));
        assert_eq!(guess(b"\r\n\r\n\0\r\nQUIT\n!"), Guess::Proxy(false));
        assert_eq!(guess(b"\r\n\r\nGET / "), Guess::Request);
        assert_eq!(guess(&[5, 1, 0]), Guess::Proxy(false));
        assert_eq!(guess(&[5, 0]), Guess::Proxy(true));
        assert_eq!(guess(&[4, 1, 0, 80]), Guess::Proxy(false));
        for prefix in
            [&b"G"[..], b"HTTP/", b"PRI * H", &[0x16], &[0x16, 3, 1, 0, 90], b"\r", b"PROXY", b"\r\n\r\n\0", &[5], &[4]]
        {
            assert_eq!(guess(prefix), Guess::More, "{prefix:?}");
        }
    }
}
