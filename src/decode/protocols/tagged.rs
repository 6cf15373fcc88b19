//! Protocols of JSON objects each of which says in one member what it is: a table of kinds is all of such a decoder.

use crate::decode::members::{Json, Members, whole};
use crate::decode::{Decode, Said};
use crate::model::{Change, Key, Pairing, Unit};
use std::borrow::Cow;

/// A protocol. Members are named by paths: `d.requestId`, `updates.0.path`.
#[derive(Debug)]
pub(in crate::decode) struct Dialect {
    /// The member that says what an object is, by a text or a number.
    pub(in crate::decode) tag: &'static str,
    /// All kinds of objects.
    pub(in crate::decode) kinds: &'static [Kind],
    /// What any other is that has an id.
    pub(in crate::decode) other: Option<Kind>,
}

/// A kind of objects.
#[derive(Debug, Clone, Copy)]
pub(in crate::decode) struct Kind {
    tag: &'static str,
    name: Option<&'static str>,
    event: Option<&'static str>,
    about: &'static [&'static str],
    id: Option<&'static str>,
    role: Role,
    stands: Stands,
    beats: bool,
    shows: &'static [&'static str],
}

/// How it stands to others, by the space of ids.
#[derive(Debug, Clone, Copy)]
enum Role {
    Alone,
    Asks(&'static str),
    Answers(&'static str),
    Goes(&'static str),
}

/// What it changes in what stands.
#[derive(Debug, Clone, Copy)]
enum Stands {
    /// Nothing.
    Still,
    /// It opens something of this kind, with its id; its event, or else what is told of it, is the name.
    Opens(&'static str),
    /// It closes something of this kind, whose id is in this member.
    Closes(&'static str, &'static str),
    /// It refuses what it answers, where this member is `false`.
    RefusesUnless(&'static str),
}

impl Kind {
    /// One that is told by this in the dialect's member, and by nothing else.
    pub(in crate::decode) const fn new(tag: &'static str) -> Self {
        Self {
            tag,
            name: None,
            event: None,
            about: &[],
            id: None,
            role: Role::Alone,
            stands: Stands::Still,
            beats: false,
            shows: &[],
        }
    }

    /// What people call it, where its tag is a number.
    pub(in crate::decode) const fn named(self, name: &'static str) -> Self {
        Self { name: Some(name), ..self }
    }

    /// The member that names its event.
    pub(in crate::decode) const fn event(self, path: &'static str) -> Self {
        Self { event: Some(path), ..self }
    }

    /// Members that are told of it in the line.
    pub(in crate::decode) const fn about(self, paths: &'static [&'static str]) -> Self {
        Self { about: paths, ..self }
    }

    /// The member that has its id.
    pub(in crate::decode) const fn id(self, path: &'static str) -> Self {
        Self { id: Some(path), ..self }
    }

    /// It asks for an answer.
    pub(in crate::decode) const fn asks(self, space: &'static str) -> Self {
        Self { role: Role::Asks(space), ..self }
    }

    /// It answers for good.
    pub(in crate::decode) const fn answers(self, space: &'static str) -> Self {
        Self { role: Role::Answers(space), ..self }
    }

    /// It answers, and more may follow.
    pub(in crate::decode) const fn goes_on(self, space: &'static str) -> Self {
        Self { role: Role::Goes(space), ..self }
    }

    /// It opens something that stands.
    pub(in crate::decode) const fn opens(self, kind: &'static str) -> Self {
        Self { stands: Stands::Opens(kind), ..self }
    }

    /// It closes that whose id is in this member.
    pub(in crate::decode) const fn closes(self, kind: &'static str, path: &'static str) -> Self {
        Self { stands: Stands::Closes(kind, path), ..self }
    }

    /// It refuses what it answers where this member is `false`.
    pub(in crate::decode) const fn refuses_unless(self, path: &'static str) -> Self {
        Self { stands: Stands::RefusesUnless(path), ..self }
    }

    /// It keeps the connection alive.
    pub(in crate::decode) const fn beats(self) -> Self {
        Self { beats: true, ..self }
    }

    /// The line goes on with the first of these that is there.
    pub(in crate::decode) const fn shows(self, paths: &'static [&'static str]) -> Self {
        Self { shows: paths, ..self }
    }

    fn pairing<'a>(&self, id: Option<Cow<'a, str>>) -> Pairing<'a> {
        let key = |space| Key { space, id: id.unwrap_or_default() };
        match self.role {
            Role::Alone => Pairing::Alone,
            Role::Asks(space) => Pairing::Asks(key(space)),
            Role::Answers(space) => Pairing::Answers { key: key(space), last: true },
            Role::Goes(space) => Pairing::Answers { key: key(space), last: false },
        }
    }
}

impl Dialect {
    /// What an object says.
    pub(in crate::decode) fn unit<'m>(&self, said: &Said<'m>) -> Option<Unit<'m>> {
        let (text, members) = (said.text?, said.object()?);
        let tag = members.get(self.tag)?.name()?;
        let other = || self.other.as_ref().filter(|kind| kind.id.is_some_and(|id| at(members, id).is_some()));
        let kind = self.kinds.iter().find(|kind| kind.tag == tag).or_else(other)?;
        let name = kind.name.map_or(tag, Cow::Borrowed);
        let text_at = |path| at(members, path).and_then(Json::name).filter(|text| !text.is_empty());
        let (event, id) = (kind.event.and_then(text_at), kind.id.and_then(text_at));
        let mut words = name.clone().into_owned();
        for word in event.iter().cloned().chain(kind.about.iter().filter_map(|path| text_at(path))) {
            words = format!("{words} {word}");
        }
        if let Some(id) = &id {
            words = format!("{words} #{id}");
        }
        let change = match kind.stands {
            Stands::Still => None,
            Stands::Opens(kind_of) => id.clone().map(|id| {
                let name = event.clone().or_else(|| kind.about.iter().find_map(|path| text_at(path)));
                Change::Opens { kind: kind_of, id, name }
            }),
            Stands::Closes(kind_of, path) => text_at(path).map(|id| Change::closes(kind_of, id)),
            Stands::RefusesUnless(path) => {
                at(members, path).filter(|it| it.raw() == "false").map(|_| Change::Refuses(None))
            }
        };
        let shown = kind.shows.iter().find_map(|path| at(members, path)).map(Json::value);
        Some(Unit {
            event: event.or(Some(name)),
            pairing: kind.pairing(id.clone()),
            changes: change.into_iter().collect(),
            id,
            heartbeat: kind.beats,
            said: shown,
            ..Unit::new(words, whole(text))
        })
    }
}

/// What stands at a path, but `null`.
pub(in crate::decode) fn at<'a>(members: &Members<'a>, path: &str) -> Option<Json<'a>> {
    let step = |members: &Members<'a>, name: &str| {
        if members.is_array() { members.at(name.parse().ok()?) } else { members.get(name) }
    };
    match path.split_once('.') {
        None => step(members, path),
        Some((name, rest)) => at(&step(members, name)?.members()?, rest),
    }
}

/// Tells what objects say by the table of a dialect.
#[derive(Clone)]
pub(in crate::decode) struct Tagged(pub(in crate::decode) &'static Dialect);

impl Decode for Tagged {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        self.0.unit(said).map(|unit| vec![unit])
    }
}
