//! What stands on a connection at a moment: what was opened and not closed, and the requests that wait for an answer.

use super::pairs::Open;
use crate::model::{Change, Direction, Key, Mark, Moment, Pairing, Pending, Since, Standing, Unit};
use hashbrown::HashMap;
use std::collections::BTreeMap;

/// Bytes of an id; what has a longer one is only counted.
const ID: usize = 1024;

/// Characters of a name that are kept.
const NAME: usize = 256;

/// Things, and requests, that are listed; more are counted.
const LISTED: usize = 1000;

/// Where something was opened: the message, and its place among all that was.
type Place = (u64, u64);

/// What stands by now.
#[derive(Debug, Clone, Default)]
pub(super) struct Standings {
    things: BTreeMap<Place, Thing>,
    places: HashMap<(&'static str, Box<str>), Place, foldhash::fast::RandomState>,
    /// Things that were opened and kept.
    opened: u64,
    /// Those for which there was no room.
    unkept: u64,
    /// Bytes of ids and names.
    bytes: usize,
    /// Messages were not heard, or what stood was forgotten.
    is_partial: bool,
}

#[derive(Debug, Clone)]
struct Thing {
    kind: &'static str,
    id: Box<str>,
    name: Option<Box<str>>,
    dir: Direction,
    at: Mark,
    /// What was asked for it, where that is answered.
    request: Option<Key<'static>>,
}

impl Standings {
    /// Takes in what a unit changes; `most`: things that are kept.
    pub(super) fn take(&mut self, unit: &Unit<'_>, dir: Direction, number: u64, at: Mark, most: usize) {
        for change in &unit.changes {
            match change {
                Change::Opens { kind, id, name } => {
                    let request = match &unit.pairing {
                        Pairing::Asks(key) => Some(key.clone().into_owned()),
                        _ => None,
                    };
                    let name = name.as_ref().map(|name| name.chars().take(NAME).collect());
                    let thing = Thing { kind, id: id.as_ref().into(), name, dir, at, request };
                    self.open(number, thing, most);
                }
                Change::Closes { kind, id } => self.close(kind, id),
                Change::Refuses(which) => self.refuse(unit, *which),
                Change::Names(id) => self.rename(unit, id),
            }
        }
    }

    fn open(&mut self, number: u64, thing: Thing, most: usize) {
        let known = (thing.kind, thing.id.clone());
        if self.places.contains_key(&known) {
            return;
        }
        if self.things.len() >= most || thing.id.len() > ID {
            self.unkept += 1;
            return;
        }
        self.opened += 1;
        self.bytes += thing.len();
        self.places.insert(known, (number, self.opened));
        self.things.insert((number, self.opened), thing);
    }

    fn close(&mut self, kind: &'static str, id: &str) {
        if let Some(place) = self.places.remove(&(kind, Box::from(id)))
            && let Some(thing) = self.things.remove(&place)
        {
            self.bytes -= thing.len();
        }
    }

    /// What the request opened that a unit answers, in order.
    fn asked(&self, unit: &Unit<'_>) -> Vec<(&'static str, Box<str>)> {
        let (Some(reply), Pairing::Answers { key, .. }) = (&unit.reply, &unit.pairing) else { return Vec::new() };
        let of_message = self.things.range((reply.to, 0)..=(reply.to, u64::MAX)).map(|(_, thing)| thing);
        let of_request = of_message.filter(|thing| thing.request.as_ref() == Some(key));
        of_request.map(|thing| (thing.kind, thing.id.clone())).collect()
    }

    fn refuse(&mut self, unit: &Unit<'_>, which: Option<usize>) {
        let all = self.asked(unit);
        for (kind, id) in
            all.iter().enumerate().filter(|(at, _)| which.is_none_or(|which| which == *at)).map(|(_, it)| it)
        {
            self.close(kind, id);
        }
    }

    fn rename(&mut self, unit: &Unit<'_>, id: &str) {
        for (kind, old) in self.asked(unit).into_iter().take(1).filter(|_| id.len() <= ID) {
            let Some(place) = self.places.remove(&(kind, old)) else { continue };
            self.places.insert((kind, id.into()), place);
            if let Some(thing) = self.things.get_mut(&place) {
                self.bytes -= thing.len();
                thing.id = id.into();
                self.bytes += thing.len();
            }
        }
    }

    /// A message was not heard.
    pub(super) const fn lose(&mut self) {
        self.is_partial = true;
    }

    /// Bytes that are kept, about.
    pub(super) fn held(&self) -> usize {
        const EACH: usize = 256;
        self.things.len() * EACH + 2 * self.bytes
    }

    /// As it is at that moment, with the requests that wait.
    pub(super) fn tell<'p>(&self, waiting: impl Iterator<Item = Open<'p>>, at: Mark) -> Moment {
        let since = |msg, dir, then| Since { msg, dir, age: at.since(then) };
        let open = self.things.iter().take(LISTED).map(|(&(number, _), thing)| Standing {
            kind: thing.kind,
            id: thing.id.to_string(),
            name: thing.name.as_deref().map(ToOwned::to_owned),
            since: since(number, thing.dir, thing.at),
        });
        let mut waiting = waiting.fuse();
        let pending = waiting.by_ref().take(LISTED).map(|asked| Pending {
            event: asked.event.map(ToOwned::to_owned),
            id: asked.id.to_owned(),
            replies: asked.replies,
            since: since(asked.number, asked.dir, asked.at),
        });
        let pending = pending.collect();
        Moment {
            open: open.collect(),
            open_more: self.things.len().saturating_sub(LISTED) as u64 + self.unkept,
            pending,
            pending_more: waiting.count() as u64,
            partial: self.is_partial,
        }
    }
}

impl Thing {
    fn len(&self) -> usize {
        self.id.len() + self.name.as_ref().map_or(0, |name| name.len())
    }
}
