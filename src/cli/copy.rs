//! `export pcapng`: the packets of connections as they were captured, on demand with what decrypts them, or decrypted.

use super::exit::{Exit, Failure, say};
use super::progress::Progress;
use super::run::{Pass, Run, pass};
use super::watch::Watch;
use crate::dissect::{self, Beside, Settings};
use crate::export::{Clear, Exporter, Filtered, Out, Pcapng, Totals};
use crate::model::{
    Carried, ClientRandom, ConnId, Event, Limits, Packet, PacketNo, Secrets, Sink, Stamp, count, number,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

/// What is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// These connections; none: all.
    pub conns: Vec<ConnId>,
    /// Their secrets, too.
    pub secrets: bool,
    /// What TLS carries in them instead of its packets.
    pub decrypted: bool,
}

/// The streams of the wanted connections, with the randoms of the TLS sessions in them.
pub(super) struct Chosen<'a> {
    wanted: &'a Wanted,
    /// Connections that are asked for, and their streams.
    opened: BTreeMap<ConnId, u32>,
    /// Those that do not pass the filter, but for the messages in them.
    refused: HashSet<ConnId>,
    /// Those that pass, or have a message that does.
    pub conns: HashSet<ConnId>,
    streams: BTreeMap<u32, BTreeSet<ClientRandom>>,
    /// Streams in which TLS was decrypted, and the level of the innermost session.
    clear: BTreeMap<u32, usize>,
    /// Packets that brought parts of some that came in fragments.
    fragments: BTreeSet<PacketNo>,
}

impl<'a> Chosen<'a> {
    pub(super) fn new(wanted: &'a Wanted) -> Self {
        let (refused, conns) = (HashSet::new(), HashSet::new());
        Self {
            wanted,
            opened: BTreeMap::new(),
            refused,
            conns,
            streams: BTreeMap::new(),
            clear: BTreeMap::new(),
            fragments: BTreeSet::new(),
        }
    }

    fn learn(&mut self, at: &Stamp, event: Event<'_>) {
        match (event, at.conn, at.stream) {
            (Event::Opened(_), Some(conn), Some(stream))
                if self.wanted.conns.is_empty() || self.wanted.conns.contains(&conn) =>
            {
                self.opened.insert(conn, stream);
                self.streams.entry(stream).or_default();
            }
            (Event::Carried(carried), _, Some(stream)) => {
                let level = self.clear.entry(stream).or_default();
                *level = carried.level.max(*level);
            }
            (Event::Tls(session), _, Some(stream)) => {
                if let Some(randoms) = self.streams.get_mut(&stream) {
                    randoms.extend(&session.client_randoms);
                }
            }
            _ => {}
        }
    }

    /// Those packets brought parts of one of these streams: whether they belong to one that is chosen.
    fn parts(&mut self, of: &[u32], parts: &[PacketNo]) {
        if self.takes(of) {
            self.fragments.extend(parts);
        }
    }

    /// Whether packets of one of these streams are copied.
    fn takes(&self, of: &[u32]) -> bool {
        of.iter().any(|stream| self.streams.contains_key(stream) && !self.clear.contains_key(stream))
    }

    /// All was read: the streams of connections that do not pass are left out.
    fn settle(&mut self) {
        let streams: BTreeSet<u32> = self.conns.iter().filter_map(|conn| self.opened.get(conn).copied()).collect();
        self.streams.retain(|stream, _| streams.contains(stream));
        self.clear.retain(|stream, _| streams.contains(stream));
    }
}

impl Exporter for Chosen<'_> {
    fn event(&mut self, at: &Stamp, event: Event<'_>, _: &mut Out<'_>) -> ControlFlow<()> {
        self.learn(at, event);
        let passes = match event {
            Event::Message(_) => true,
            Event::Closed(_) => at.conn.is_some_and(|conn| !self.refused.contains(&conn)),
            _ => false,
        };
        let conn = at.conn.filter(|conn| passes && self.opened.contains_key(conn));
        self.conns.extend(conn);
        ControlFlow::Continue(())
    }

    fn unwanted(&mut self, at: &Stamp, event: Event<'_>, _: &mut Out<'_>) -> ControlFlow<()> {
        self.learn(at, event);
        if !matches!(event, Event::Message(_)) {
            self.refused.extend(at.conn);
        }
        ControlFlow::Continue(())
    }

    fn finish(&mut self, _: &Totals, _: &mut Out<'_>) {}

    fn hears_carried(&self) -> bool {
        self.wanted.decrypted
    }
}

/// What was written.
#[derive(Default)]
struct Copied {
    packets: u64,
    secrets: usize,
    /// Packets that were made.
    made: u64,
}

impl Run<'_> {
    /// Reads the capture for its connections, then once more for their packets.
    pub(super) fn copy(self, wanted: &Wanted) -> Result<Exit, Failure> {
        let Self { job, settings, stop, input, mut target, origin, known, .. } = self;
        let (name, len, limits) = (input.name.clone(), input.len(), settings.limits);
        if !job.source.is_whole() {
            return Err(Failure::new(Exit::Usage, format!("{name}: export pcapng reads twice: name a file")));
        }
        if wanted.secrets {
            target.keep_private()?;
        }
        let decode_as = settings.decode_as.clone();
        let mut again = Settings { limits, decode_as, uses_own_keys: false, ..Settings::default() };
        (again.overlap, again.try_keys) = (settings.overlap, settings.try_keys);
        let progress = Progress::new(job.progress, len, false);
        let mut chosen = Chosen::new(wanted);
        // Both passes see the same bytes, also of a file that grows.
        let extent = input.extent;
        let input = job.source.open_within(&extent, stop)?;
        let (summary, tally, left_out) = {
            let filter = job.filter.as_ref();
            let mut filtered = filter.map(|filter| Filtered::new(filter, job.work.rows(), origin, known, &mut chosen));
            let exporter: &mut dyn Exporter = match &mut filtered {
                Some(filtered) => filtered,
                None => &mut chosen,
            };
            let mut decoding = job.decoding(exporter);
            let mut watch = Watch::new(&mut decoding, Out::memory(), &progress, stop, &self.job.redactor);
            (watch.name, watch.tell) = (&name, job.tell);
            let Pass { summary, left_out, .. } = pass(input, settings, &mut watch)?;
            (summary, watch.tally, left_out)
        };
        if stop.is_wanted() {
            return Ok(Exit::Done);
        }
        if let Some(why) = chosen.lacks() {
            return Err(Failure::new(Exit::Found, format!("{name}: {why}")));
        }
        chosen.settle();
        let mut step = |at| {
            progress.step(at);
            if stop.is_wanted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        if summary.seen.fragments > 0 {
            let mut reader = job.source.open_within(&extent, stop)?.reader()?;
            let sink = &mut Deaf;
            dissect::run_beside(&mut reader, streams_only(limits), sink, &mut step, &mut |_, of, parts| {
                chosen.parts(of, parts);
                ControlFlow::Continue(())
            });
        }
        let mut reader = job.source.open_within(&extent, stop)?.reader()?;
        match wanted.decrypted {
            true => again.secrets = Arc::clone(&summary.secrets),
            false => again = streams_only(limits),
        }
        let written = write(target.writer(), &chosen, &summary.secrets, |sink, packet| {
            dissect::run_beside(&mut reader, again, sink, &mut step, packet);
        });
        progress.clear();
        let copied = match written {
            Err(error) => return target.broken(&error),
            Ok(copied) => copied,
        };
        if stop.is_wanted() {
            return Ok(Exit::Done);
        }
        target.commit()?;
        if job.sums_up {
            say(chosen.sum(&copied, &summary.secrets));
        }
        Ok(job.exit(&tally, left_out))
    }
}

impl Chosen<'_> {
    /// What is not there, though it is named.
    pub(super) fn lacks(&self) -> Option<String> {
        let missing = self.wanted.conns.iter().find(|conn| !self.opened.contains_key(conn));
        missing.map(|conn| format!("no connection {conn} (wspect ls lists them)"))
    }

    /// `84 packets of 2 connections, without their 8 keys: --secrets adds them`.
    fn sum(&self, copied: &Copied, secrets: &Secrets) -> String {
        let connections = count(self.conns.len() as u64, "connection");
        let what = format!("{} of {connections}", count(copied.packets, "packet"));
        let keys = |keys: usize| count(keys as u64, "key");
        let known = self.streams.values().flatten().map(|random| secrets.of(random).count()).sum();
        match (self.wanted.secrets, known) {
            _ if self.opened.is_empty() => format!("{what}: there is no WebSocket connection"),
            _ if self.conns.is_empty() => format!("{what}: none passes the filter"),
            _ if copied.made > 0 => format!("{what}, {} of them made of what TLS carried", number(copied.made)),
            _ if self.wanted.decrypted => format!("{what}; no TLS in them was decrypted"),
            (true, 0) => format!("{what}; no key is known for them"),
            (true, _) => format!("{what}, with {}: whoever has the file can read them", keys(copied.secrets)),
            (false, 0) => what,
            (false, known) => format!("{what}, without their {}: --secrets adds them", keys(known)),
        }
    }
}

/// What a capture says of itself that has packets which were never sent.
const MADE: &str = "TLS was taken off by wspect: packets that begin with an IP header carry in clear what was decrypted of the frames \
                    that their comments name; a WebSocket over HTTP/2 is a TCP stream of its own, as HTTP/1.1 would carry it, \
                    with a handshake that was made up";

/// Writes a capture of the packets of the chosen streams, which `read` brings.
fn write(
    out: impl Write,
    chosen: &Chosen<'_>,
    secrets: &Secrets,
    read: impl FnOnce(&mut dyn Sink, &mut Beside<'_>),
) -> io::Result<Copied> {
    let comment = (!chosen.clear.is_empty()).then_some(MADE);
    let mut file = Pcapng::new(BufWriter::new(out), concat!("wspect ", env!("CARGO_PKG_VERSION")), comment)?;
    let mut copied = Copied::default();
    if chosen.wanted.secrets {
        let sessions: BTreeSet<ClientRandom> = chosen.streams.values().flatten().copied().collect();
        copied.secrets = file.secrets(secrets, &sessions)?;
    }
    let copy = RefCell::new(Copy { file, copied, chosen, made: Clear::default(), written: Ok(()) });
    read(&mut Taker(&copy), &mut |packet, of, _| copy.borrow_mut().packet(packet, of));
    let Copy { file, copied, written, .. } = copy.into_inner();
    written?;
    file.finish()?;
    Ok(copied)
}

/// A copy that is being written.
struct Copy<'a, W> {
    file: Pcapng<W>,
    copied: Copied,
    chosen: &'a Chosen<'a>,
    made: Clear,
    written: io::Result<()>,
}

impl<W: Write> Copy<'_, W> {
    /// Copies a packet of these streams.
    fn packet(&mut self, packet: &Packet<'_>, of: &[u32]) -> ControlFlow<()> {
        let is_wanted = self.chosen.takes(of) || self.chosen.fragments.contains(&packet.mark.packet);
        if self.written.is_ok() && is_wanted {
            self.copied.packets += 1;
            self.written = self.file.packet(packet, "original frame");
        }
        self.goes_on()
    }

    /// Writes what the innermost session of a stream carried.
    fn carried(&mut self, at: &Stamp, stream: u32, carried: &Carried<'_>) -> ControlFlow<()> {
        let Chosen { clear, conns, .. } = self.chosen;
        let is_chosen = at.conn.is_none_or(|conn| conns.contains(&conn));
        if self.written.is_ok() && is_chosen && clear.get(&stream) == Some(&carried.level) {
            let Self { file, copied, .. } = self;
            self.written = self.made.take((stream, at.h2_stream), carried, &mut |packet| {
                copied.packets += 1;
                copied.made += 1;
                file.packet(packet, "decrypted from frame")
            });
        }
        self.goes_on()
    }

    const fn goes_on(&self) -> ControlFlow<()> {
        if self.written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// Hears of nothing.
struct Deaf;

impl Sink for Deaf {
    fn accept(&mut self, _: &Stamp, _: Event<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn hears_frames(&self) -> bool {
        false
    }

    fn hears_payloads(&self) -> bool {
        false
    }
}

/// Wants what TLS carried, if anything is to be made of it.
struct Taker<'a, 'c, W>(&'a RefCell<Copy<'c, W>>);

impl<W: Write> Sink for Taker<'_, '_, W> {
    fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        match (event, at.stream) {
            (Event::Carried(carried), Some(stream)) => self.0.borrow_mut().carried(at, stream, carried),
            _ => ControlFlow::Continue(()),
        }
    }

    fn hears_frames(&self) -> bool {
        false
    }

    fn hears_payloads(&self) -> bool {
        false
    }

    fn hears_carried(&self) -> bool {
        !self.0.borrow().chosen.clear.is_empty()
    }
}

/// Streams have the same numbers, whatever is in them.
fn streams_only(limits: Limits) -> Settings {
    Settings { limits, uses_own_keys: false, ..Settings::default() }
}
