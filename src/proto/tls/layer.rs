//! One TLS stream: both directions' records, what their handshake agrees on, and what runs inside.

use super::alert;
use super::half::{Cover, Half, Held};
use super::handshake::{Message, ServerHello};
use super::hello::Hello;
use super::inside::Inside;
use super::keys::{Keys, Past};
use super::record::{ContentType, Cut, HEADER, Header, Record};
use super::shape::Shape;
use super::suite::Suite;
use super::tell;
use crate::model::{Both, Closed, Direction, Envelope, Input, Mark, WhyNot};
use crate::proto::layer::{Cx, Layer, Next};

mod change;
mod early;
mod lack;
mod order;
mod sought;
mod torn;
mod tried;

pub(super) use tried::Tried;

/// A TLS stream.
///
/// ```text
/// Clear ─ ServerHello (1.3), ChangeCipherSpec ─┬▶ Sealed ▸ inner
///                                              └▶ Opaque: nothing is read any more
/// ```
///
/// A direction waits for the other where its keys depend on it, since a capture may have them in another order: for the
/// ClientHello, for the ServerHello, and 0-RTT data for the server's word on them.
#[derive(Default)]
pub struct Tls {
    halves: Both<Half>,
    hello: Hello,
    /// The ClientHello was not captured: keys that were tried tell which session it is.
    guessed: bool,
    /// The server takes the 0-RTT data.
    takes_early: bool,
    /// What is to be told of it.
    session: tell::Session,
    inside: Inside,
    /// How it looks from outside, if nothing of it can be read.
    shape: Shape,
    /// Things that had to wait so far.
    held: u64,
    /// It is to be told when secrets come.
    asks: bool,
    /// Records that waited for them were dropped, which was told.
    dropped: bool,
    /// Bytes that wait for them, as they were counted.
    waiting: usize,
    /// Nothing is to be expected any more.
    over: bool,
}

impl Layer for Tls {
    fn input(&mut self, input: Input<'_>, cx: &mut Cx<'_>) -> Next {
        match input {
            Input::Data { dir, offset, bytes, brought, .. } => {
                self.data(dir, offset, bytes, brought, cx);
                self.seek(dir, false, cx);
                self.count_sought(dir, cx);
            }
            Input::Gap { dir, offset, len, receipt, .. } => {
                self.halves[dir].receipt = receipt;
                self.gap(dir, offset, len, cx);
                self.count_sought(dir, cx);
            }
            Input::Waited { .. } | Input::Resent { .. } => self.inside.feed(input, &self.session, cx),
            Input::End { dir, how, mark } => self.arrive(dir, Held::End(how, mark), cx),
            Input::Odd { dir, len, code, text, detail, mark, .. } => {
                let offset = self.halves[dir].plain;
                self.inside.feed(Input::Odd { dir, offset, len, code, text, detail, mark }, &self.session, cx);
            }
        }
        self.try_keys(false, cx);
        let blind = Direction::BOTH.iter().all(|&dir| self.halves[dir].is_opaque());
        if self.over || self.inside.is_over() || blind && !self.shape.is_watching() {
            Next::Nothing
        } else if blind {
            Next::Skim
        } else {
            self.inside.reads()
        }
    }

    fn secrets(&mut self, cx: &mut Cx<'_>) {
        self.hello.seek_anew();
        self.make_master(cx);
        if self.session.look_up(&self.hello, cx) {
            self.asks = false;
            for dir in Direction::BOTH {
                if self.halves[dir].is_waiting() {
                    self.change_keys(dir, cx);
                }
            }
            self.try_anew(cx);
            self.release(cx);
        } else if std::mem::take(&mut self.asks) {
            if self.lacks_keys() {
                self.ask(cx);
            } else {
                self.try_anew(cx);
            }
        }
        self.inside.secrets(cx);
    }

    fn waits(&self) -> bool {
        self.asks || self.inside.waits()
    }

    fn over(&mut self, cx: &mut Cx<'_>) {
        self.resign(cx);
        for dir in Direction::BOTH {
            self.seek(dir, true, cx);
        }
        self.try_keys(true, cx);
        for dir in Direction::BOTH {
            self.halves[dir].impatient = true;
        }
        self.release(cx);
        for dir in Direction::BOTH {
            cx.tools.seeking = cx.tools.seeking.saturating_sub(self.halves[dir].sought);
            if let Cover::Sealed(keys) = &self.halves[dir].cover
                && keys.is_wrong()
            {
                self.shut(dir, WhyNot::WrongKey(dir));
            }
            self.end_missing(dir, cx);
        }
        self.tell_likely(cx);
        let farewell = self.session.farewell(cx);
        self.inside.over(farewell, cx);
        if let Some(conn) = self.shape.conn {
            cx.closed(conn, &Closed { ends: self.shape.ends, last: cx.last, ..Closed::default() });
        }
    }
}

/// How often there may be no record where one should begin, before a direction is given up.
const DERAILED_MAX: u32 = 16;
/// RFC 8446 §4.5: the message behind the 0-RTT data is a header only.
const END_OF_EARLY_DATA: u64 = 4;
/// Records of one direction that may fail before its keys are given up, if none has opened.
const FAILED_MAX: u64 = 64;

impl Tls {
    /// Cuts bytes into records.
    fn data(&mut self, dir: Direction, offset: u64, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let half = &mut self.halves[dir];
            if half.is_opaque() && !self.shape.is_watching() {
                return;
            }
            if half.cutter.record.bytes.capacity() == 0 {
                half.cutter.record.bytes = cx.tools.take_buffer();
            }
            let (used, cut) = half.cutter.push(rest, offset + at as u64, brought);
            at += used;
            match cut {
                Cut::More => {}
                Cut::Record(header) => self.record_came(dir, header, cx),
                Cut::Bad if self.session.is_blank() && !cx.tools.try_keys => {
                    self.over = true;
                    return;
                }
                Cut::Bad => {
                    tell::bad_record(self.inside.conn(), dir, cx);
                    half.cutter.derail();
                    half.derailed += 1;
                    if half.derailed > DERAILED_MAX {
                        self.shut(dir, WhyNot::NoRecords(dir));
                    }
                }
            }
        }
    }

    /// A whole record is there.
    fn record_came(&mut self, dir: Direction, header: Header, cx: &mut Cx<'_>) {
        let mut record = std::mem::take(&mut self.halves[dir].cutter.record);
        if self.halves[dir].held.is_empty() && !self.must_wait(dir, header, cx) {
            self.record(dir, header, &mut record, cx);
            record.clear();
            cx.tools.give_buffer(std::mem::take(&mut record.bytes));
            self.halves[dir].cutter.record = record;
            self.release(cx);
        } else {
            self.arrive(dir, Held::Record(header, record), cx);
        }
    }

    /// Takes something in its turn.
    fn arrive(&mut self, dir: Direction, held: Held, cx: &mut Cx<'_>) {
        self.held += 1;
        let bound = if self.asks { usize::MAX } else { cx.limits.early_bytes };
        self.halves[dir].hold(self.held, held, bound);
        self.release(cx);
        if cx.tools.waiting_bytes > cx.limits.key_wait_bytes && self.asks {
            self.make_room(cx);
        }
    }

    /// Reads what waited, as far as it need not wait any more, in the order in which it came.
    fn release(&mut self, cx: &mut Cx<'_>) {
        let ready = |tls: &Self, dir: Direction, cx: &Cx<'_>| {
            let (place, held) = tls.halves[dir].held.front()?;
            let waits = match held {
                Held::Record(header, _) => tls.must_wait(dir, *header, cx),
                Held::Hole(_) | Held::End(..) => tls.lacks_keys(),
            };
            (!waits).then_some((*place, dir))
        };
        while let Some((_, dir)) =
            Direction::BOTH.into_iter().filter_map(|dir| ready(self, dir, cx)).min_by_key(|&(place, _)| place)
        {
            match self.halves[dir].take() {
                Some(Held::Record(header, mut record)) => self.record(dir, header, &mut record, cx),
                Some(Held::Hole(lost)) => self.hole(dir, lost, cx),
                Some(Held::End(how, mark)) => {
                    self.shape.ends.add(dir, how, mark);
                    self.inside.feed(Input::End { dir, how, mark }, &self.session, cx);
                }
                None => {}
            }
        }
        self.count_waiting(cx);
    }

    /// Reads a record.
    fn record(&mut self, dir: Direction, header: Header, record: &mut Record, cx: &mut Cx<'_>) {
        let is_1_3 = self.hello.is_1_3();
        self.halves[dir].brought = record.span();
        if header.kind == ContentType::DATA && !record.is_torn() && matches!(self.halves[dir].cover, Cover::Clear) {
            // The ChangeCipherSpec, or the hellos, were lost.
            self.change_keys(dir, cx);
        }
        if matches!(&self.halves[dir].cover, Cover::Sealed(keys) if keys.is_unchained()) {
            record.orphan();
        }
        if record.is_torn() {
            return self.torn(dir, header, record, cx);
        }
        match &mut self.halves[dir].cover {
            Cover::Opaque => self.opaque(dir, header, record.span(), cx),
            Cover::Waiting(_) => {}
            // TLS 1.3 seals as DATA whatever it seals; alerts may come before the sender knows the keys, and a hello may be repeated.
            Cover::Sealed(_) if is_1_3 && header.kind == ContentType::ALERT => self.alert(dir, record.fragment(), cx),
            Cover::Sealed(_) if is_1_3 && header.kind != ContentType::DATA => {}
            Cover::Sealed(_) => self.sealed(dir, header, record, cx),
            Cover::Clear => self.content(dir, header.kind, record.fragment(), cx),
        }
    }

    /// Opens a record, and reads what is in it.
    fn sealed(&mut self, dir: Direction, header: Header, record: &mut Record, cx: &mut Cx<'_>) {
        let half = &mut self.halves[dir];
        let Cover::Sealed(keys) = &mut half.cover else { return };
        let Some(plain) = keys.open(header, record.fragment(), &mut half.trials, cx) else {
            return self.not_opened(dir, header, cx);
        };
        if let Some(origin) = plain.proved {
            self.session.proved(origin, &self.hello, &cx.tools.secrets);
        }
        if let Some(broken) = plain.before.broken {
            tell::bad_tag(self.inside.conn(), dir, broken, cx);
        }
        half.broken = false;
        half.renegotiates &= !plain.before.changed;
        half.padded |= plain.opened.padded;
        let early = std::mem::take(&mut half.early);
        if self.takes_early && keys.in_handshake() {
            half.plain += early.saturating_sub(END_OF_EARLY_DATA);
        }
        self.tell_missing(dir, plain.number, &plain.before, cx);
        let half = &mut self.halves[dir];
        if plain.before.skipped > 0 {
            half.messages.lose();
        }
        let (from, to) = (plain.opened.from, plain.opened.to);
        if plain.opened.kind == ContentType::DATA {
            if !plain.early || self.takes_early {
                let offset = self.halves[dir].plain;
                let (wire_len, brought) = (HEADER as u32 + u32::from(header.len), record.last);
                let (number, len) = (plain.number, (to - from) as u32);
                let told = Envelope { dir, number, wire_len, brought, offset, len, data: None };
                let around = cx.tools.record.replace(told);
                self.application(dir, record, (HEADER + from, HEADER + to), cx);
                cx.tools.record = around;
                if cx.tools.tells_records {
                    self.inside.tell_record(told, cx);
                }
            }
        } else {
            let content = record.fragment().get(from..to).unwrap_or_default();
            self.content(dir, plain.opened.kind, content, cx);
        }
    }

    /// Reads what a record carries, other than data.
    fn content(&mut self, dir: Direction, kind: ContentType, content: &[u8], cx: &mut Cx<'_>) {
        match kind {
            ContentType::HANDSHAKE => {
                if (cx.tools.secrets.knows_premasters() || cx.tools.awaits_keys) && !self.hello.is_1_3() {
                    self.hello.transcript.push(dir, content, cx.limits.transcript_bytes);
                }
                let mut rest = content;
                while let Some(message) = self.halves[dir].messages.next(&mut rest) {
                    self.message(dir, message, cx);
                }
            }
            ContentType::CHANGE_CIPHER_SPEC if !self.hello.is_1_3() => self.change_keys(dir, cx),
            ContentType::ALERT => self.alert(dir, content, cx),
            _ => {}
        }
    }

    fn message(&mut self, dir: Direction, message: Message, cx: &mut Cx<'_>) {
        match message {
            Message::ClientHello(hello) if dir == Direction::ToServer => {
                self.session.begin(self.halves[dir].brought);
                self.session.client_hello(&hello, cx.limits);
                self.hello.begin(hello);
            }
            Message::ServerHello(hello) if hello.is_retry() => self.hello.retried = true,
            Message::ServerHello(hello) if dir == Direction::ToClient => {
                self.agreed(&hello);
                self.hello.answer(hello);
                self.session.look_up(&self.hello, cx);
                if self.hello.is_1_3() {
                    // Keys that were found by trial are right, and in use.
                    for dir in Direction::BOTH {
                        if !matches!(self.halves[dir].cover, Cover::Sealed(_)) {
                            self.change_keys(dir, cx);
                        }
                    }
                } else {
                    for dir in Direction::BOTH {
                        self.halves[dir].renegotiates = matches!(self.halves[dir].cover, Cover::Sealed(_));
                    }
                }
            }
            Message::EncryptedExtensions(found) if dir == Direction::ToClient => {
                self.session.alpn(found.alpn);
                self.answer_early_data(found.early_data, cx);
            }
            Message::Finished => {
                self.session.finish(dir, self.halves[dir].brought);
                self.pass(dir, Past::Handshake, cx);
            }
            Message::Certificate(certificate) if dir == Direction::ToClient => self.session.certificate(certificate),
            Message::KeyExchange(encrypted) if dir == Direction::ToServer => {
                self.session.exchanged(&encrypted, cx.limits);
                self.hello.exchanged(encrypted);
            }
            Message::NewTicket(ticket) if dir == Direction::ToClient => self.hello.ticket = Some(ticket),
            Message::EndOfEarlyData => self.pass(dir, Past::EarlyData, cx),
            Message::KeyUpdate => self.with_keys(dir, Keys::update),
            _ => {}
        }
    }

    /// What the server chose.
    fn agreed(&mut self, hello: &ServerHello) {
        let suite = Suite::find(hello.suite).map_or_else(|| format!("0x{:04x}", hello.suite), |suite| suite.name);
        self.session.agreed(hello.version, suite, hello.alpn.clone());
    }

    /// Messages are missing.
    fn lose_messages(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        if let Some(begun) = self.halves[dir].messages.lose() {
            self.message(dir, begun, cx);
        }
    }

    fn alert(&mut self, dir: Direction, content: &[u8], cx: &mut Cx<'_>) {
        if let Some(fatal) = alert::fatal(content, self.hello.is_1_3()) {
            tell::alert(self.inside.conn(), dir, fatal, cx);
        }
    }

    /// Hands on data of the application, which stand between two places of a record.
    fn application(&mut self, dir: Direction, record: &Record, (from, to): (usize, usize), cx: &mut Cx<'_>) {
        let outer = cx.tools.stand(record.around());
        for (_, bytes, brought) in record.parts(from, to) {
            self.plain(dir, bytes, brought, cx);
        }
        cx.tools.around = outer;
    }

    fn plain(&mut self, dir: Direction, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) {
        let offset = self.halves[dir].plain;
        self.halves[dir].plain += bytes.len() as u64;
        self.session.decrypted(bytes.len());
        let input = Input::Data { dir, offset, bytes, brought, mark: cx.mark };
        self.inside.feed(input, &self.session, cx);
    }
}
