//! The table of findings: every code that wspect can report, with its severity, source and advice.

use super::flow::Direction;
use super::mark::Mark;
use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; legal.
    Note,
    /// Something may be lost or surprising.
    Warning,
    /// A protocol was broken or data is wrong.
    Error,
}

impl Severity {
    /// The name in records: `note`, `warning`, `error`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The word in text and on screens: `NOTE`, `WARN`, `ERROR`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Note => "NOTE",
            Self::Warning => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// One row of [`NOTES`].
#[derive(Debug)]
pub struct NoteRow {
    /// The code.
    pub code: NoteCode,
    /// Its name in records and text: upper case with hyphens.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Where the rule stands, or `""` where it is no rule of an RFC.
    pub rfc: &'static str,
    /// One plain sentence that holds for every finding of the code.
    pub text: &'static str,
    /// What usually causes it.
    pub cause: &'static str,
    /// What to do next.
    pub next: &'static str,
}

macro_rules! notes {
    ($($code:ident $name:literal $severity:ident $rfc:literal $text:literal $cause:literal $next:literal)*) => {
        /// What a finding is about. Each has a row in [`NOTES`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum NoteCode { $(#[doc = $text] $code,)* }

        /// Every finding there is, in the order of [`NoteCode`].
        pub static NOTES: &[NoteRow] = &[$(NoteRow {
            code: NoteCode::$code,
            name: $name,
            severity: Severity::$severity,
            rfc: $rfc,
            text: $text,
            cause: $cause,
            next: $next,
        },)*];
    };
}

notes! {
// The file and its packets.
FileCut "FILE-CUT" Warning ""
    "The capture ends inside a packet; everything before it is shown."
    "The capturing program was stopped, or the disk filled up."
    "Nothing to mend: what was written is shown."
FileDamaged "FILE-DAMAGED" Error ""
    "The capture's structure is broken; everything before is shown."
    "The file was damaged in transfer, or by the program that wrote it."
    "Transfer the file again in binary mode, or repair it with pcapfix."
FileBlock "FILE-BLOCK" Warning ""
    "A block of the capture could not be read and was passed over."
    "The program that wrote the file, or damage."
    "The packets around it are shown."
FileTime "FILE-TIME" Note ""
    "A packet's time cannot be represented."
    "An interface with an unusual clock resolution or offset."
    "The packet is shown without a time."
LinkUnknown "LINK-UNKNOWN" Warning ""
    "Packets of this link type are not dissected."
    "The capture was made on an unusual interface."
    "Capture on the IP side, or convert the file with editcap -T."
PacketCut "PACKET-CUT" Warning ""
    "Packets were cut by the snap length: their last bytes are not in the capture."
    "The capture was made with a small snap length (tcpdump -s)."
    "Capture again with tcpdump -s 0."
IpFragment "IP-FRAGMENT" Warning ""
    "IP fragments are not put together; their bytes are missing."
    "A path with a small MTU, or a tunnel."
    "Capture behind the reassembling host."
// TCP.
TcpGap "TCP-GAP" Warning "RFC 9293 §3.10"
    "Bytes were sent that the capture does not have."
    "The capturing host dropped packets, or the tap lost them."
    "Capture with a larger buffer (tcpdump -B) or closer to one end."
TcpOverlap "TCP-OVERLAP" Warning "RFC 9293 §3.4"
    "Two copies of the same bytes disagree; the first is shown."
    "A broken middlebox, or somebody who wants to deceive the observer."
    "Compare the two packets."
TcpLate "TCP-LATE" Note "RFC 9293 §3.10"
    "Bytes came after their place had been given up as lost."
    "Packets reordered over a long time."
    "Nothing to mend: they are not shown in the stream."
TcpAfterReset "TCP-AFTER-RESET" Warning "RFC 9293 §3.10.7"
    "Data was sent after a reset; it is shown all the same."
    "A reset that the peer did not accept, perhaps forged by a middlebox."
    "Look at the RST packet: its sequence number, TTL and sender."
TcpLimit "TCP-LIMIT" Warning ""
    "More out-of-order data was queued than the limit allows; the hole before it was given up."
    "A segment that was never captured, followed by much data."
    "The data after the hole is shown."
// The handshake.
HsMethod "HS-METHOD" Error "RFC 6455 §4.1"
    "The method of the upgrade request is not GET."
    "A hand-written client."
    "Send the handshake as GET."
HsHttpVersion "HS-HTTP-VERSION" Error "RFC 6455 §4.1"
    "The HTTP version of the upgrade request is below 1.1."
    "A proxy that speaks HTTP/1.0 to the server."
    "Set the proxy to HTTP/1.1 (nginx: proxy_http_version 1.1)."
HsHost "HS-HOST" Error "RFC 6455 §4.1"
    "The request has no Host header, or several."
    "A hand-written client, or a proxy."
    "Send one Host header."
HsUpgrade "HS-UPGRADE" Error "RFC 6455 §4.1, §4.2.2"
    "The Upgrade header does not name websocket."
    "A proxy dropped the hop-by-hop header."
    "Let the proxy pass Upgrade on (nginx: proxy_set_header Upgrade $http_upgrade)."
HsConnection "HS-CONNECTION" Error "RFC 6455 §4.1, §4.2.2"
    "The Connection header does not have the token Upgrade."
    "A proxy rewrote the hop-by-hop header."
    "Let the proxy send Connection: upgrade."
HsKey "HS-KEY" Error "RFC 6455 §4.1"
    "Sec-WebSocket-Key is missing, repeated or not 16 bytes in base64."
    "A hand-written client."
    "Send 16 random bytes in base64."
HsVersion "HS-VERSION" Error "RFC 6455 §4.1"
    "Sec-WebSocket-Version is not 13."
    "A very old or hand-written client."
    "Send Sec-WebSocket-Version: 13."
HsDraft "HS-DRAFT" Note ""
    "The connection speaks a draft before RFC 6455; it is read and judged by the draft's rules."
    "A client or server of 2011 or earlier."
    "Nothing to mend, but clients of today do not speak it."
HsStatus "HS-STATUS" Warning "RFC 6455 §4.2.2"
    "The server refused the upgrade."
    "See the status and the response."
    "Look at the response's headers, then at the server's log."
HsNoAnswer "HS-NO-ANSWER" Warning "RFC 6455 §4.2.2"
    "No answer to the upgrade request was captured."
    "The server did not answer, the capture ended, or only one direction was captured."
    "Look at the end of the TCP stream."
HsAccept "HS-ACCEPT" Error "RFC 6455 §4.2.2"
    "Sec-WebSocket-Accept does not match the key."
    "A cache, or a server that computes it wrongly."
    "Compare with the expected value; browsers close such a connection."
HsOrigin "HS-ORIGIN" Error "draft-hixie-thewebsocketprotocol-76 §4.1"
    "The answer does not repeat the request's origin."
    "A server that is configured for another site."
    "Let the server repeat the Origin header; clients of these drafts close such a connection."
HsLocation "HS-LOCATION" Error "draft-hixie-thewebsocketprotocol-76 §4.1"
    "The answer does not repeat the URL that was asked for."
    "A proxy changed host or path on the way to the server."
    "Let the server repeat the URL; clients of these drafts close such a connection."
HsSubprotocol "HS-SUBPROTOCOL" Error "RFC 6455 §4.2.2"
    "The server chose a subprotocol that the client did not offer, or several."
    "The server is configured for another client."
    "Offer the subprotocol in the client, or drop it in the server."
HsExtension "HS-EXTENSION" Error "RFC 6455 §9.1"
    "The server accepted an extension that the client did not offer."
    "A hand-written server, or a proxy that dropped the offer."
    "Accept only what was offered."
HsUnknownExtension "HS-EXTENSION-UNKNOWN" Note "RFC 6455 §9"
    "An extension was agreed on that is not known here; what it makes of frames is shown as on the wire."
    "An extension of a library, or one that was given up before it became a standard."
    "Frames that it changed have a reserved bit set; read their payloads with its description at hand."
HsEarlyData "HS-EARLY-DATA" Warning "RFC 6455 §4.1"
    "The client sent bytes before the server had accepted the upgrade."
    "An impatient client."
    "Wait for the 101 before sending frames."
HttpLimit "HTTP-LIMIT" Warning ""
    "An HTTP head is larger than the limit; the rest of it is not shown."
    "A hostile or broken peer."
    "The connection behind it is still followed."
// Frames and messages.
WsUnmasked "WS-UNMASKED" Error "RFC 6455 §5.1"
    "A frame from the client is not masked."
    "A proxy or a hand-written client that sends server-style frames."
    "Mask every frame that the client sends; servers close with 1002."
WsMasked "WS-MASKED" Error "RFC 6455 §5.1"
    "A frame from the server is masked."
    "A hand-written server, or the roles are swapped."
    "Servers must not mask; clients close with 1002."
WsRsv "WS-RSV" Error "RFC 6455 §5.2"
    "A reserved bit is set that no negotiated extension defines."
    "An extension used without being negotiated, or a stream out of step."
    "Compare the extensions offered and accepted."
WsOpcode "WS-OPCODE" Error "RFC 6455 §5.2"
    "The frame's opcode is reserved."
    "A stream out of step, or an extension."
    "Look at the frames before it."
WsLength "WS-LENGTH" Error "RFC 6455 §5.2"
    "The payload length is not encoded in the fewest bytes, or its top bit is set."
    "A hand-written encoder."
    "Use the shortest of the three forms."
WsControlFragmented "WS-CONTROL-FRAGMENTED" Error "RFC 6455 §5.5"
    "A control frame is fragmented."
    "A hand-written encoder."
    "Send control frames whole."
WsControlLength "WS-CONTROL-LENGTH" Error "RFC 6455 §5.5"
    "A control frame has more than 125 bytes."
    "A ping payload or close reason that is too long."
    "Shorten it to 125 bytes, code included."
WsContinuation "WS-CONTINUATION" Error "RFC 6455 §5.4"
    "A continuation frame has no message to continue."
    "The first fragment was lost or never sent."
    "Look at the frames before it."
WsInterleaved "WS-INTERLEAVED" Error "RFC 6455 §5.4"
    "A new message begins inside an unfinished one."
    "Two threads that write on one socket."
    "Finish a fragmented message before starting the next."
WsAfterClose "WS-AFTER-CLOSE" Error "RFC 6455 §5.5.1"
    "An endpoint sent a frame after its own Close frame."
    "A sender that does not know that the connection is closing."
    "Stop sending after Close."
WsLost "WS-LOST" Warning "RFC 6455 §5.2"
    "A frame head was lost, and no frames were found behind the hole."
    "Packets missing from the capture."
    "Capture again without loss."
WsResync "WS-RESYNC" Warning "RFC 6455 §5.2"
    "A frame head was lost; the frames behind the hole were found by a search."
    "Packets missing from the capture."
    "What stands between the hole and the first frame found is not decoded."
Midstream "MID-STREAM" Note "RFC 6455 §5.1"
    "No handshake was captured; the WebSocket was recognised by its frames."
    "The capture began when the connection was already open."
    "Direction and compression are told by the frames; URL and subprotocol are not known."
WsUnfinished "WS-UNFINISHED" Warning "RFC 6455 §5.4"
    "The stream ends inside a message."
    "The connection broke, or the capture ended."
    "What was captured of it is shown."
DeflateLost "DEFLATE-LOST" Warning "RFC 7692 §7.1.1"
    "A message refers to earlier ones that are missing; the bytes that it copies from there are unknown."
    "Packets missing from the capture, with context takeover."
    "Capture again without loss, or negotiate no_context_takeover."
DeflateInferred "DEFLATE-INFERRED" Note "RFC 7692 §7.1.1"
    "A search found how long the missing messages were; bytes that were restored with it are marked as inferred."
    "Packets missing from the capture, with context takeover."
    "Inferred bytes are right if that length is: the finding has the evidence."
DeflateBad "DEFLATE-BAD" Error "RFC 7692 §7.2.2"
    "A compressed message does not inflate."
    "A broken compressor, or bytes changed on the way."
    "What was inflated before the fault is shown."
DeflateUnknown "DEFLATE-UNKNOWN" Warning "RFC 7692 §6"
    "A message is marked as compressed, but no known compression was negotiated; it is shown as on the wire."
    "An extension other than permessage-deflate, or a stream out of step."
    "Compare the extensions offered and accepted."
InflateLimit "INFLATE-LIMIT" Warning ""
    "A message inflates to more than the limit; inflating stopped."
    "A decompression bomb."
    "The messages behind it may refer to it, and are then unknown in part."
Utf8Bad "UTF8-BAD" Error "RFC 6455 §8.1"
    "A text message is not valid UTF-8."
    "Binary data or another character set sent as text."
    "Send it as binary, or encode it as UTF-8; receivers close with 1007."
MessageLimit "MESSAGE-LIMIT" Warning ""
    "A message is larger than the limit; the rest of it is not kept."
    "A very large message."
    "Its length is still counted exactly."
// Closing.
CloseBody "CLOSE-BODY" Error "RFC 6455 §5.5.1"
    "A Close frame has a body of one byte."
    "A hand-written encoder."
    "Send no body, or two bytes of code and a reason."
CloseCodeBad "CLOSE-CODE" Error "RFC 6455 §7.4"
    "A Close frame carries a code that must not be sent."
    "An API that lets 1005, 1006 or 1015 through to the wire."
    "Use a code of RFC 6455 §7.4 or one from 3000 to 4999."
CloseReason "CLOSE-REASON" Error "RFC 6455 §5.5.1"
    "A close reason is not valid UTF-8."
    "A reason cut in the middle of a character."
    "Cut at the end of a character."
Close1002 "CLOSE-1002" Error "RFC 6455 §7.4.1"
    "An endpoint closed because of a protocol error."
    "The peer sent something that breaks RFC 6455."
    "Look at the frames just before the Close frame."
Close1003 "CLOSE-1003" Warning "RFC 6455 §7.4.1"
    "An endpoint closed because it cannot accept this type of data."
    "Binary sent to a text-only endpoint, or the reverse."
    "Look at the last message to it."
Close1007 "CLOSE-1007" Error "RFC 6455 §7.4.1"
    "An endpoint closed because of invalid payload data."
    "Text that is not UTF-8, or a payload that does not inflate."
    "Look at the last message to it."
Close1008 "CLOSE-1008" Warning "RFC 6455 §7.4.1"
    "An endpoint closed because a message breaks its policy."
    "Authentication, rate limit or another rule of the application."
    "Read the reason, then the endpoint's log."
Close1009 "CLOSE-1009" Warning "RFC 6455 §7.4.1"
    "An endpoint closed because a message was too big."
    "A limit on message size (often 64 kB or 1 MB)."
    "Raise the limit, or send less at once."
Close1010 "CLOSE-1010" Warning "RFC 6455 §7.4.1"
    "The client closed because the server lacks an extension that it needs."
    "An extension dropped by a proxy or not configured."
    "Compare the extensions offered and accepted."
Close1011 "CLOSE-1011" Error "RFC 6455 §7.4.1"
    "An endpoint closed because of an internal error."
    "An exception in the application."
    "Read the endpoint's log at that time."
Close1012 "CLOSE-1012" Note "IANA WebSocket close codes"
    "The server closed because it restarts."
    "A deployment."
    "Reconnect after a random pause."
Close1013 "CLOSE-1013" Warning "IANA WebSocket close codes"
    "The server closed because it is overloaded."
    "Too many connections."
    "Reconnect later."
Close1014 "CLOSE-1014" Warning "IANA WebSocket close codes"
    "A gateway closed because of an invalid answer from its upstream."
    "The server behind the gateway."
    "Capture behind the gateway."
Abnormal1006 "ABNORMAL-1006" Warning "RFC 6455 §7.1.5"
    "The connection ended without a Close frame."
    "A crash, an idle timeout of a proxy, or a lost network."
    "Look at the pause before the end: proxies cut after 30, 60 or 100 idle seconds."
}

impl NoteCode {
    /// The code's row in [`NOTES`].
    #[expect(clippy::indexing_slicing, reason = "one row per code, in the same order, made by one macro")]
    pub fn row(self) -> &'static NoteRow {
        &NOTES[self as usize]
    }

    /// The name in records and text.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// How bad it is.
    pub fn severity(self) -> Severity {
        self.row().severity
    }
}

impl fmt::Display for NoteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A set of codes: what is wrong with one frame or message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoteSet(u128);

const _: () = assert!(NOTES.len() <= 128, "NoteSet has 128 bits");

impl NoteSet {
    /// No code.
    pub const EMPTY: Self = Self(0);

    /// Adds a code; true when it was not there yet.
    pub fn insert(&mut self, code: NoteCode) -> bool {
        let bit = 1 << code as u8;
        let new = self.0 & bit == 0;
        self.0 |= bit;
        new
    }

    /// Adds all codes of `other`.
    pub fn extend(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether the code is in the set.
    pub const fn contains(self, code: NoteCode) -> bool {
        self.0 & (1 << code as u8) != 0
    }

    /// Whether no code is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The codes, in the table's order.
    pub fn iter(self) -> impl Iterator<Item = NoteCode> {
        NOTES.iter().map(|row| row.code).filter(move |&code| self.contains(code))
    }

    /// The worst severity in the set.
    pub fn severity(self) -> Option<Severity> {
        if self.is_empty() { None } else { self.iter().map(NoteCode::severity).max() }
    }
}

/// One finding: a code, where it was found, and what exactly.
#[derive(Debug, Clone, Copy)]
pub struct Note<'a> {
    /// What it is about.
    pub code: NoteCode,
    /// The packet that showed it.
    pub at: Mark,
    /// The direction concerned.
    pub dir: Option<Direction>,
    /// The message concerned.
    pub msg: Option<u64>,
    /// The WebSocket frame concerned.
    pub frame: Option<u64>,
    /// One sentence with the particulars; empty when the row's sentence says it all.
    pub text: &'a str,
    /// Evidence: bytes, numbers.
    pub detail: Option<&'a str>,
}

impl<'a> Note<'a> {
    /// A finding about nothing more particular than a packet.
    pub const fn new(code: NoteCode, at: Mark) -> Self {
        Self { code, at, dir: None, msg: None, frame: None, text: "", detail: None }
    }

    /// The sentence to show.
    pub fn sentence(&self) -> &'a str {
        if self.text.is_empty() { self.code.row().text } else { self.text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_own_row() {
        for (at, row) in NOTES.iter().enumerate() {
            assert_eq!(row.code as usize, at);
            assert_eq!(row.code.row().name, row.name);
            assert!(
                row.name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-'),
                "{}",
                row.name
            );
            assert!(row.text.ends_with('.') && row.next.ends_with('.'), "{}", row.name);
            assert_eq!(NOTES.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
        }
    }

    #[test]
    fn a_set_keeps_its_codes() {
        let mut set = NoteSet::EMPTY;
        assert!(set.is_empty() && set.severity().is_none());
        assert!(set.insert(NoteCode::TcpLate));
        assert!(!set.insert(NoteCode::TcpLate));
        assert!(set.insert(NoteCode::Utf8Bad));
        assert_eq!(set.iter().collect::<Vec<_>>(), [NoteCode::TcpLate, NoteCode::Utf8Bad]);
        assert_eq!(set.severity(), Some(Severity::Error));
    }
}
