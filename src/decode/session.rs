//! One connection's messages, decoded in order.

use super::pairs::Pairs;
use super::state::Standings;
use super::{Confidence, DECODERS, Decode, Decoder, Hints, Kind, Program, Said, Schema, program};
use crate::model::{Connection, Decoded, Direction, Limits, Mark, Message, Moment, Unit, url_parts};
use hashbrown::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

/// Who understands a connection, as the user says.
#[derive(Debug, Clone)]
pub enum Speaker {
    /// A decoder of the table.
    Ours(&'static Decoder),
    /// A program.
    Theirs(Arc<dyn Program>),
    /// Whoever it is: messages of Protocol Buffers have these types.
    Typed(Schema),
}

/// The sessions of all connections that go on, by what tells connections apart.
#[derive(Debug)]
pub struct Sessions<K> {
    live: HashMap<K, Session, foldhash::fast::RandomState>,
    limits: Limits,
    /// Bytes of earlier messages that all of them keep.
    held: usize,
}

impl<K: Copy + Eq + Hash> Sessions<K> {
    /// None so far.
    pub fn new(limits: Limits) -> Self {
        Self { live: HashMap::default(), limits, held: 0 }
    }

    /// What the next message of a connection says. `begin`: what is known of the connection, and what the user says that it speaks;
    /// asked with its first message.
    pub fn message<'m>(
        &mut self,
        key: K,
        message: &Message<'m>,
        begin: impl FnOnce() -> (Hints, Option<Speaker>),
    ) -> Option<Decoded<'m>> {
        if message.opcode.is_control() {
            return None;
        }
        let session = self.live.entry(key).or_insert_with(|| {
            let (hints, speaker) = begin();
            Session::spoken(hints, speaker, &self.limits)
        });
        self.held -= session.held();
        let decoded = session.message(message);
        if self.held + session.held() > self.limits.decoder_total {
            session.forget();
        }
        self.held += session.held();
        decoded
    }

    /// What stands on a connection behind its last message, at that moment.
    pub fn state(&self, key: K, at: Mark) -> Moment {
        self.live.get(&key).map(|session| session.state(at)).unwrap_or_default()
    }

    /// A connection ended.
    pub fn end(&mut self, key: K) {
        self.held -= self.live.remove(&key).map_or(0, |session| session.held());
    }
}

impl Hints {
    /// What is known of a connection by now.
    pub fn of(connection: &Connection) -> Self {
        let (_, path, query) = connection.opened.url.as_deref().map_or(("", "", None), url_parts);
        let subprotocol = connection.handshake.as_ref().and_then(|handshake| handshake.subprotocol.as_deref());
        Self {
            path: path.to_owned(),
            query: query.unwrap_or_default().to_owned(),
            subprotocol: subprotocol.map(ToOwned::to_owned),
            conn: Some(connection.id),
            schema: None,
        }
    }
}

/// A decoder, and what it keeps of a connection.
type Opened = (&'static Decoder, Box<dyn Decode>);

/// What decoding a connection needs to remember. All its messages are to be told, in order.
pub struct Session {
    hints: Arc<Hints>,
    /// The program that is asked first.
    theirs: Option<Arc<dyn Program>>,
    chosen: Option<Opened>,
    /// Those of formats that were asked: what one message tells of the next they keep as well.
    formats: Vec<Opened>,
    /// The user chose.
    is_forced: bool,
    /// Both sides did.
    is_agreed: bool,
    pairs: Pairs,
    /// What stands by now.
    standing: Standings,
    /// Bytes that the session may keep of earlier messages.
    most_held: usize,
    /// Requests that may be open.
    most_open: usize,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chosen = self.chosen.as_ref().map(|(decoder, _)| decoder.name);
        f.debug_struct("Session").field("hints", &self.hints).field("chosen", &chosen).finish_non_exhaustive()
    }
}

/// One that goes on from here by itself.
impl Clone for Session {
    fn clone(&self) -> Self {
        let fork = |(decoder, decode): &Opened| (*decoder, decode.fork());
        let (chosen, formats) = (self.chosen.as_ref().map(fork), self.formats.iter().map(fork).collect());
        let (hints, theirs) = (self.hints.clone(), self.theirs.clone());
        let (pairs, standing) = (self.pairs.clone(), self.standing.clone());
        Self { hints, theirs, chosen, formats, pairs, standing, ..*self }
    }
}

impl Session {
    /// The session of a connection of which this is known. `forced`: what the user says that it speaks.
    pub fn new(hints: Hints, forced: Option<&'static Decoder>, limits: &Limits) -> Self {
        let agreed = hints.subprotocol.as_deref().and_then(Decoder::agreed);
        let (is_forced, is_agreed) = (forced.is_some(), agreed.is_some());
        let chosen = forced.or(agreed).map(|decoder| (decoder, (decoder.open)(&hints)));
        let (most_held, most_open) = (limits.decoder_bytes, limits.open_requests);
        let (hints, formats) = (Arc::new(hints), Vec::new());
        let (pairs, standing) = Default::default();
        Self { hints, theirs: None, chosen, formats, is_forced, is_agreed, pairs, standing, most_held, most_open }
    }

    /// The session of a connection that speaks what the user says. A program is asked of each message before all decoders.
    pub fn spoken(hints: Hints, speaker: Option<Speaker>, limits: &Limits) -> Self {
        match speaker {
            Some(Speaker::Theirs(program)) => Self { theirs: Some(program), ..Self::new(hints, None, limits) },
            Some(Speaker::Ours(decoder)) => Self::new(hints, Some(decoder), limits),
            Some(Speaker::Typed(schema)) => Self::new(Hints { schema: Some(schema), ..hints }, None, limits),
            None => Self::new(hints, None, limits),
        }
    }

    /// What a message says; `None` of a control frame, of one that lacks bytes, and where no decoder understands it.
    pub fn message<'m>(&mut self, message: &Message<'m>) -> Option<Decoded<'m>> {
        if message.opcode.is_control() {
            return None;
        }
        if message.undecoded || !message.body.holes.is_empty() || message.body.is_truncated() {
            self.lost(message.dir);
            return None;
        }
        let theirs = self.theirs.as_deref().and_then(|theirs| program::decoded(theirs, &self.hints, message));
        let mut decoded = match theirs {
            Some(decoded) => decoded,
            None => {
                let said = Said::new(message.dir, message.is_text(), message.body.kept);
                let (protocol, units) = self.units(&said)?;
                Decoded { protocol, units }
            }
        };
        for unit in &mut decoded.units {
            self.pairs.pair(unit, message.dir, message.number, message.brought, self.most_open);
            self.standing.take(unit, message.dir, message.number, message.brought, self.most_open);
        }
        if let Some((decoder, decode)) = self.chosen.as_mut().filter(|(_, decode)| decode.held() > self.most_held) {
            decode.lost(message.dir);
            // What it keeps beside cut units is too much as well.
            if decode.held() > self.most_held {
                *decode = (decoder.open)(&self.hints);
            }
        }
        Some(decoded)
    }

    /// A message of this direction was lost, or a part of one.
    pub fn lost(&mut self, dir: Direction) {
        self.standing.lose();
        if let Some((_, decode)) = &mut self.chosen {
            decode.lost(dir);
        }
    }

    /// What a message carries, and who understood it.
    pub(super) fn units<'m>(&mut self, said: &Said<'m>) -> Option<(&'static str, Vec<Unit<'m>>)> {
        if let Some((decoder, decode)) = &mut self.chosen
            && let Some(units) = decode.message(said)
        {
            return Some((decoder.name, units));
        }
        if !self.is_forced
            && let Some((decoder, _)) = best(&self.hints, said, Kind::Protocol)
        {
            let mut decode = (decoder.open)(&self.hints);
            if let Some(units) = decode.message(said) {
                // What was agreed on holds, whatever one message looks like.
                if !self.is_agreed {
                    self.chosen = Some((decoder, decode));
                }
                return Some((decoder.name, units));
            }
        }
        let decoder = Self::format(&self.hints, said, Confidence::Weak)?;
        let is_open = self.formats.iter().any(|(open, _)| open.name == decoder.name);
        if !is_open {
            self.formats.push((decoder, (decoder.open)(&self.hints)));
        }
        let (_, decode) = self.formats.iter_mut().find(|(open, _)| open.name == decoder.name)?;
        Some((decoder.name, decode.message(said)?))
    }

    /// The decoder of a message that no protocol claims, which is at least so sure of it.
    pub(super) fn format(hints: &Hints, said: &Said<'_>, least: Confidence) -> Option<&'static Decoder> {
        best(hints, said, Kind::Format).filter(|(_, sure)| *sure >= least).map(|(decoder, _)| decoder)
    }

    /// What stands behind the last message that was told, at that moment.
    pub fn state(&self, at: Mark) -> Moment {
        let moment = self.standing.tell(self.pairs.waiting(), at);
        Moment { partial: moment.partial || self.pairs.has_forgotten(), ..moment }
    }

    /// Bytes of earlier messages that are kept, about.
    pub fn held(&self) -> usize {
        let decoders = self.chosen.iter().chain(&self.formats);
        self.pairs.held() + self.standing.held() + decoders.map(|(_, decode)| decode.held()).sum::<usize>()
    }

    /// Forgets what was kept: there is no room for it.
    pub fn forget(&mut self) {
        self.pairs = Pairs::default();
        self.standing = Standings::default();
        self.standing.lose();
        self.formats.clear();
        if let Some((decoder, decode)) = &mut self.chosen {
            *decode = (decoder.open)(&self.hints);
        }
    }
}

/// The decoder that is surest of a message; of several the first in the table.
fn best(hints: &Hints, said: &Said<'_>, kind: Kind) -> Option<(&'static Decoder, Confidence)> {
    let others = DECODERS.iter().filter(|decoder| decoder.kind == kind);
    let claims = others.map(|decoder| (decoder, (decoder.claims)(hints, said)));
    let mut best: Option<(&'static Decoder, Confidence)> = None;
    for next in claims {
        if next.1 > best.map_or(Confidence::No, |best| best.1) {
            best = Some(next);
        }
        // Nobody is surer.
        if next.1 == Confidence::Sure {
            break;
        }
    }
    best
}

impl Decoder {
    /// The decoder of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        DECODERS.iter().find(|decoder| decoder.name == name)
    }

    /// The decoder of what was agreed on under this name.
    fn agreed(subprotocol: &str) -> Option<&'static Self> {
        DECODERS.iter().find(|decoder| decoder.subprotocols.contains(&subprotocol))
    }
}
