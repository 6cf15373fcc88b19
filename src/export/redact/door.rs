//! The door: an exporter that shows another what may be shown.

use super::Redactor;
use crate::export::{Exporter, Out};
use crate::model::{Body, Close, Event, Message, Stamp, TlsSession};
use std::borrow::Cow;
use std::ops::ControlFlow;

/// Lets an exporter see events without what is not to be shown.
pub struct Redacted<'a> {
    redactor: &'a Redactor,
    inner: &'a mut dyn Exporter,
    /// Whether what messages say is looked at behind the door.
    reads_payloads: bool,
}

impl<'a> Redacted<'a> {
    /// Events go to `inner` as the redactor leaves them.
    pub fn new(redactor: &'a Redactor, inner: &'a mut dyn Exporter) -> Self {
        let reads_payloads = redactor.reads_payloads();
        Self { redactor, inner, reads_payloads }
    }

    fn message(&mut self, at: &Stamp, message: &Message<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        if !self.reads_payloads {
            return self.inner.event(at, Event::Message(message), out);
        }
        let state = message.state.map(|state| self.redactor.moment(state));
        let message = &Message { state: state.as_ref(), ..*message };
        let kept = message.body.kept;
        if kept.is_empty() {
            return self.inner.event(at, Event::Message(message), out);
        }
        // Who does not hear what messages say counts what was sent, and hears why a connection was closed all the same.
        let is_heard = self.inner.hears_payloads();
        if let Some(Close { code, reason }) = message.close {
            let reason = self.redactor.bytes(reason).map_or(Cow::Borrowed(reason), Cow::Owned);
            let body = [&code.0.to_be_bytes(), &*reason].concat();
            let shown = if is_heard { with(message, &body) } else { *message };
            let close = Some(Close { code, reason: &reason });
            return self.inner.event(at, Event::Message(&Message { close, ..shown }), out);
        }
        // Where bytes are missing or cannot be read, nobody can tell what the others belong to.
        let is_whole = message.complete && !message.body.is_truncated() && !message.undecoded;
        let shown = match is_whole {
            _ if !is_heard => None,
            true => self.redactor.bytes(kept),
            false => Some(self.redactor.pseudonym(kept).into_bytes()),
        };
        let told = message.decoded;
        let decoded = message.decoded.filter(|_| is_whole).map(|decoded| self.redactor.decoded(decoded));
        let message = &Message { decoded: decoded.as_ref(), ..*message };
        // What is hidden in the tree stands in the bytes in a way that no rule reads.
        let is_read =
            is_whole && (shown.is_some() || !is_heard || !told.is_some_and(|told| self.redactor.hides_in(told)));
        let shown = shown.or_else(|| (!is_read).then(|| self.redactor.pseudonym(kept).into_bytes()));
        let Some(shown) = shown else { return self.inner.event(at, Event::Message(message), out) };
        let mut message = with(message, &shown);
        if !is_read {
            (message.undecoded, message.utf8) = (false, true);
        }
        self.inner.event(at, Event::Message(&message), out)
    }
}

/// The message, saying something else. What it was on the wire stays: that tells a length and nothing more.
const fn with<'m>(message: &Message<'m>, kept: &'m [u8]) -> Message<'m> {
    Message { body: Body::whole(kept), wire: &[], ..*message }
}

impl Exporter for Redacted<'_> {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        let redactor = self.redactor;
        if redactor.is_idle() {
            return self.inner.event(at, event, out);
        }
        match event {
            Event::Opened(opened) => match redactor.opened(opened) {
                Some(shown) => self.inner.event(at, Event::Opened(&shown), out),
                None => self.inner.event(at, event, out),
            },
            Event::Handshake(handshake) => self.inner.event(at, Event::Handshake(&redactor.handshake(handshake)), out),
            Event::Message(message) => self.message(at, message, out),
            Event::Note(note) => redactor.note(note, |note| self.inner.event(at, Event::Note(note), out)),
            Event::Tls(session) => match redactor.outline(&session.outline) {
                Some(outline) => self.inner.event(at, Event::Tls(&TlsSession { outline, ..session.clone() }), out),
                None => self.inner.event(at, event, out),
            },
            Event::Exchange(exchange) => self.inner.event(at, Event::Exchange(&redactor.exchange(exchange)), out),
            Event::Frame(_) | Event::Resent(_) | Event::Record(_) | Event::Carried(_) | Event::Closed(_) => {
                self.inner.event(at, event, out)
            }
        }
    }

    fn unwanted(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        let redactor = self.redactor;
        if redactor.is_idle() {
            return self.inner.unwanted(at, event, out);
        }
        match event {
            Event::Opened(opened) => {
                let shown = redactor.opened(opened);
                self.inner.unwanted(at, shown.as_ref().map_or(event, Event::Opened), out)
            }
            Event::Handshake(handshake) => {
                self.inner.unwanted(at, Event::Handshake(&redactor.handshake(handshake)), out)
            }
            Event::Note(note) => redactor.note(note, |note| self.inner.unwanted(at, Event::Note(note), out)),
            // Nothing is written of them.
            _ => self.inner.unwanted(at, event, out),
        }
    }

    hand_on!();

    fn hears_frames(&self) -> bool {
        self.inner.hears_frames()
    }

    fn hears_payloads(&self) -> bool {
        self.inner.hears_payloads()
    }
}
