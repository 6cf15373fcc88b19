//! Handshakes as bytes, for the store: they are large, and one at a time is looked at.

use crate::model::{Check, Handshake, Head, Mark, NOTES, PacketNo, Span, StartLine, Timestamp};

/// Adds a handshake to `out` as bytes that [`unpack`] understands; says how many.
pub(super) fn pack(handshake: &Handshake, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    let mut out = Writer(out);
    out.maybe(handshake.request.as_ref(), Writer::head);
    out.maybe(handshake.response.as_ref(), Writer::head);
    out.maybe(handshake.url.as_deref(), Writer::text);
    out.maybe(handshake.accepted, |out, accepted| out.number(accepted.into()));
    out.maybe(handshake.key.as_deref(), Writer::text);
    out.maybe(handshake.accept.as_deref(), Writer::text);
    out.maybe(handshake.accept_expected.as_deref(), Writer::text);
    out.maybe(handshake.subprotocols_offered.as_deref(), Writer::texts);
    out.maybe(handshake.subprotocol.as_deref(), Writer::text);
    out.maybe(handshake.extensions_offered.as_deref(), Writer::texts);
    out.maybe(handshake.extensions.as_deref(), Writer::texts);
    out.list(&handshake.checks, |out, check| {
        out.number(check.code as u64);
        out.number(check.ok.into());
        out.text(&check.detail);
    });
    out.maybe(handshake.latency, |out, nanos| out.number(nanos.cast_unsigned()));
    out.0.len() - start
}

/// The handshake that was packed.
pub(super) fn unpack(bytes: &[u8]) -> Option<Handshake> {
    let mut from = Reader(bytes);
    Some(Handshake {
        request: from.maybe(Reader::head)?,
        response: from.maybe(Reader::head)?,
        url: from.maybe(Reader::text)?,
        accepted: from.maybe(Reader::number)?.map(|accepted| accepted != 0),
        key: from.maybe(Reader::text)?,
        accept: from.maybe(Reader::text)?,
        accept_expected: from.maybe(Reader::text)?,
        subprotocols_offered: from.maybe(|from| from.list(Reader::text))?,
        subprotocol: from.maybe(Reader::text)?,
        extensions_offered: from.maybe(|from| from.list(Reader::text))?,
        extensions: from.maybe(|from| from.list(Reader::text))?,
        checks: from.list(|from| {
            let code = NOTES.get(usize::try_from(from.number()?).ok()?)?.code;
            Some(Check { code, ok: from.number()? != 0, detail: from.text()? })
        })?,
        latency: from.maybe(Reader::number)?.map(u64::cast_signed),
    })
}

/// Numbers are LEB128; a text or a list is its length and its content; what may be missing begins with 0 or 1.
struct Writer<'a>(&'a mut Vec<u8>);

impl Writer<'_> {
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend(text.as_bytes());
    }

    fn texts(&mut self, texts: &[String]) {
        self.list(texts, |out, text| out.text(text));
    }

    fn list<T>(&mut self, items: &[T], mut put: impl FnMut(&mut Self, &T)) {
        self.number(items.len() as u64);
        items.iter().for_each(|item| put(self, item));
    }

    fn maybe<T>(&mut self, item: Option<T>, put: impl FnOnce(&mut Self, T)) {
        self.0.push(item.is_some().into());
        if let Some(item) = item {
            put(self, item);
        }
    }

    fn head(&mut self, head: &Head) {
        match &head.start {
            StartLine::Request { method, target, version } => {
                self.0.push(0);
                [method, target, version].into_iter().for_each(|text| self.text(text));
            }
            StartLine::Response { version, status, reason } => {
                self.0.push(1);
                self.text(version);
                self.number((*status).into());
                self.text(reason);
            }
        }
        self.list(&head.headers, |out, (name, value)| {
            out.text(name);
            out.text(value);
        });
        self.number(head.stream_offset);
        self.number(head.len);
        for mark in [head.span.first, head.span.last] {
            self.number(mark.packet.0);
            self.maybe(mark.time, |out, time| out.number(time.nanos().cast_unsigned()));
        }
        self.0.push(head.whole.into());
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn text(&mut self) -> Option<String> {
        let len = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }

    fn list<T>(&mut self, mut take: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        (0..self.number()?).map(|_| take(self)).collect()
    }

    /// `Some(None)` is what was not there, `None` a broken packing.
    fn maybe<T>(&mut self, take: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.byte()? == 0 { Some(None) } else { take(self).map(Some) }
    }

    fn head(&mut self) -> Option<Head> {
        let start = match self.byte()? {
            0 => StartLine::Request { method: self.text()?, target: self.text()?, version: self.text()? },
            _ => StartLine::Response {
                version: self.text()?,
                status: u16::try_from(self.number()?).ok()?,
                reason: self.text()?,
            },
        };
        let headers = self.list(|from| Some((from.text()?, from.text()?)))?;
        let (stream_offset, len) = (self.number()?, self.number()?);
        let span = Span { first: self.mark()?, last: self.mark()? };
        let whole = self.byte()? != 0;
        Some(Head { start, headers, stream_offset, len, span, whole })
    }

    fn mark(&mut self) -> Option<Mark> {
        let packet = PacketNo(self.number()?);
        let time = self.maybe(Reader::number)?.map(|nanos| Timestamp::from_nanos(nanos.cast_signed()));
        Some(Mark { packet, time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NoteCode;

    fn handshake() -> Handshake {
        let mark = |packet, time: Option<i64>| Mark { packet: PacketNo(packet), time: time.map(Timestamp::from_nanos) };
        let head = |start| Head {
            start,
            headers: vec![("Host".into(), "é".into()), (String::new(), String::new())],
            stream_offset: 7,
            len: 412,
            span: Span { first: mark(6, Some(-1)), last: mark(8, None) },
            whole: true,
        };
        Handshake {
            request: Some(head(StartLine::Request { method: "GET".into(), target: "/".into(), version: "1.1".into() })),
            response: Some(head(StartLine::Response { version: "1.1".into(), status: 101, reason: "ok".into() })),
            accepted: Some(true),
            key: Some("key".into()),
            extensions: Some(vec!["a".into(), "b".into()]),
            subprotocols_offered: Some(Vec::new()),
            checks: vec![Check { code: NoteCode::HsAccept, ok: true, detail: "as it should".into() }],
            latency: Some(-5),
            ..Handshake::default()
        }
    }

    #[test]
    fn handshakes_survive_packing() {
        for handshake in [handshake(), Handshake::default()] {
            let mut out = Vec::new();
            assert_eq!(pack(&handshake, &mut out), out.len());
            assert_eq!(unpack(&out), Some(handshake));
        }
    }

    #[test]
    fn a_broken_packing_is_no_handshake() {
        let mut packed = Vec::new();
        pack(&handshake(), &mut packed);
        assert!((0..packed.len()).all(|end| unpack(&packed[..end]).is_none()));
    }
}
