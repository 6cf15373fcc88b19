//! The pipeline on one page: packets in, events out.
//!
//! ```text
//! capture ─▶ Packet ─▶ net ─▶ Segment ─▶ table ─▶ tcp ─▶ Input ─▶ proto ─▶ Event ─▶ Sink
//! ```

mod table;

use crate::capture::{Aside, Reader};
use crate::keys::{Followed, Inside, Wanted};
use crate::model::{
    DecodeAs, Encap, Event, FileNote, KeySource, Limits, Mark, Note, Overlap, Packet, PacketNo, Secrets, Sink, Stamp,
    Streams, Timestamp, Traffic,
};
use crate::net::{Decoded, Decoder, Parts, Whole};
use crate::proto::layer::{Kind, Tools};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use table::Table;

/// What the user may choose.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The bounds.
    pub limits: Limits,
    /// What streams carry, against what their bytes tell.
    pub decode_as: DecodeAs,
    /// Which copy of a byte counts where queued segments disagree.
    pub overlap: Overlap,
    /// What decrypts TLS.
    pub secrets: Arc<Secrets>,
    /// Key logs that are read on while the capture is waited for.
    pub followed_keys: Followed,
    /// The key logs that the capture carries are used from where they stand; false: they are not wanted, or in `secrets`.
    pub uses_own_keys: bool,
    /// All secrets are tried on streams whose ClientHello was not captured.
    pub try_keys: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let (limits, decode_as, secrets) = (Limits::DEFAULT, DecodeAs::default(), Arc::default());
        Self {
            limits,
            decode_as,
            overlap: Overlap::First,
            secrets,
            followed_keys: Followed::default(),
            uses_own_keys: true,
            try_keys: false,
        }
    }
}

impl From<Limits> for Settings {
    fn from(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }
}

/// What a whole capture held.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Packets read.
    pub packets: u64,
    /// TCP streams, as Wireshark counts them.
    pub streams: u32,
    /// WebSocket connections.
    pub connections: u32,
    /// The earliest and the latest packet time.
    pub first: Option<Timestamp>,
    /// See `first`.
    pub last: Option<Timestamp>,
    /// TCP streams by what their first bytes were.
    pub kinds: Streams,
    /// Packets by what they carried.
    pub seen: Traffic,
    /// Tags and tunnels around packets, by [`Encap::kind`].
    pub encaps: BTreeSet<&'static str>,
    /// What was known at the end to decrypt TLS with.
    pub secrets: Arc<Secrets>,
}

/// How far a dissection has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Bytes of the file read.
    pub bytes: u64,
    /// How many of several files have begun, and how many there are.
    pub files: Option<(usize, usize)>,
    /// Packets read.
    pub packets: u64,
    /// TCP streams seen.
    pub streams: u32,
    /// The earliest and the latest packet time so far.
    pub first: Option<Timestamp>,
    /// See `first`.
    pub last: Option<Timestamp>,
}

/// Dissects a whole capture in one pass. `progress` is told before the input is read on; its `Break`, like the sink's, ends the pass early.
pub fn run(
    reader: &mut Reader,
    settings: impl Into<Settings>,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Summary {
    pass(reader, settings.into(), sink, progress, |_, _, _| ControlFlow::Continue(()))
}

/// Told each packet with the numbers of the TCP streams that it is of, several where a frame has several packets; and with the
/// packets before it that brought parts of what it completes, where that came in fragments.
pub type Beside<'a> = dyn FnMut(&Packet<'_>, &[u32], &[PacketNo]) -> ControlFlow<()> + 'a;

/// As [`run`]; each packet is shown to `beside`, whose `Break` ends the pass, too.
pub fn run_beside(
    reader: &mut Reader,
    settings: impl Into<Settings>,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    beside: &mut Beside<'_>,
) -> Summary {
    pass(reader, settings.into(), sink, progress, beside)
}

/// The loop over all packets; made anew for each kind of `beside`, since a packet that has an address is kept in memory.
fn pass(
    reader: &mut Reader,
    settings: Settings,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    mut beside: impl FnMut(&Packet<'_>, &[u32], &[PacketNo]) -> ControlFlow<()>,
) -> Summary {
    let Settings { limits, decode_as, overlap, secrets, followed_keys, uses_own_keys, try_keys } = settings;
    let follows_keys = !followed_keys.is_empty();
    let mut dissector = Dissector::new(limits, decode_as, secrets, sink);
    dissector.table.prefer(overlap);
    dissector.tools.try_keys = try_keys;
    dissector.tools.awaits_keys = follows_keys || uses_own_keys && reader.may_have_keys();
    let (mut decoder, mut whole) = (Decoder::new(limits), Whole::default());
    let (mut position, mut told, mut enough) = (0, 0, false);
    while let Some(packet) = reader.next_packet_after(&mut |aside| match aside {
        Aside::Silence => {
            if follows_keys {
                dissector.keys_of(&followed_keys, false);
                dissector.tell_keys(true);
                dissector.sink.pause();
            }
        }
        Aside::Pause => {
            if follows_keys {
                dissector.keys_of(&followed_keys, false);
            }
            dissector.sink.pause();
            enough |= position > told && progress(dissector.progress(position)).is_break();
            told = position;
        }
        Aside::Keys(source, text) if uses_own_keys => dissector.keys(source, text),
        Aside::Keys(..) => {}
        Aside::File(run) => {
            dissector.files = Some(run.begun);
            dissector.sink.file(&run);
        }
        Aside::Interface(name) => dissector.tools.interface = name,
        Aside::Fact(file, fact) => dissector.sink.fact(file, &fact),
    }) {
        dissector.packet(packet.mark);
        let decoded = decoder.decode(&packet, &mut whole);
        // Looked at where it lies: moved, it would be read back whole from the pieces in which it was written, and waited for.
        let stream;
        let streams: &[u32] = match &decoded {
            Decoded::Segment(segment) => {
                if usize::from(segment.encap.0) > dissector.tools.encaps.len() {
                    dissector.learn(&decoder);
                }
                dissector.tools.frame = packet.frame_ends().map(|ends| (segment.src, ends));
                stream = [dissector.table.segment(segment, &limits, &mut dissector.tools, dissector.sink)];
                &stream
            }
            Decoded::Header(header) => {
                stream = [dissector.table.header(header)];
                &stream
            }
            Decoded::Several(parts) => dissector.parts(*parts, &mut decoder),
            Decoded::Other => &[],
        };
        enough |= beside(&packet, streams, decoder.parts_before(packet.mark.packet)).is_break();
        if told == position {
            dissector.file_notes(reader.take_notes());
        }
        position = reader.position();
        if enough || dissector.tools.stop {
            break;
        }
    }
    if follows_keys {
        dissector.keys_of(&followed_keys, true);
    }
    dissector.file_notes(reader.take_notes());
    dissector.file_notes(decoder.notes());
    dissector.summary.seen = decoder.seen();
    dissector.summary.encaps = decoder.encaps().iter().flat_map(|around| around.iter()).map(Encap::kind).collect();
    dissector.finish()
}

/// The state between packets: a pure function of what it was fed.
struct Dissector<'s> {
    table: Table,
    tools: Tools,
    limits: Limits,
    sink: &'s mut dyn Sink,
    summary: Summary,
    last: Mark,
    /// Of the last packet that had several packets in it: their streams.
    several: Vec<u32>,
    files: Option<(usize, usize)>,
    own_keys: Inside,
    /// Secrets came that streams were not told of yet.
    fresh_keys: bool,
    /// Packets read when streams were last told of secrets.
    keys_told: u64,
}

impl<'s> Dissector<'s> {
    fn new(limits: Limits, decode_as: DecodeAs, secrets: Arc<Secrets>, sink: &'s mut dyn Sink) -> Self {
        let mut tools = Tools::new(secrets);
        (tools.skips_frames, tools.skips_payloads) = (!sink.hears_frames(), !sink.hears_payloads());
        (tools.tells_records, tools.tells_carried) = (sink.hears_records(), sink.hears_carried());
        Self {
            table: Table::new(decode_as, &limits),
            tools,
            limits,
            sink,
            summary: Summary::default(),
            last: Mark::default(),
            several: Vec::new(),
            files: None,
            own_keys: Inside::default(),
            fresh_keys: false,
            keys_told: 0,
        }
    }

    /// Takes a key log that stands in the capture: its secrets are known from here on.
    fn keys(&mut self, source: KeySource, text: &[u8]) {
        self.learn_keys(|dissector, wanted| {
            dissector.own_keys.push(source, text, wanted, Arc::make_mut(&mut dissector.tools.secrets));
        });
    }

    /// Takes what was written since to key logs that are followed.
    fn keys_of(&mut self, followed: &Followed, last: bool) {
        self.learn_keys(|dissector, wanted| followed.read_on(last, wanted, &mut dissector.tools.secrets));
    }

    fn learn_keys(&mut self, learn: impl FnOnce(&mut Self, &Wanted)) {
        let before = self.tools.secrets.logged();
        learn(self, &Wanted::All(self.limits.key_secrets));
        self.fresh_keys |= self.tools.secrets.logged() > before;
        self.tell_keys(false);
    }

    /// Tells the streams that wait of fresh secrets; not more often than packets come for each of them, unless there is time for it.
    fn tell_keys(&mut self, at_leisure: bool) {
        let since = self.summary.packets - self.keys_told;
        if self.fresh_keys && (at_leisure || since >= self.tools.waiting.len() as u64) {
            (self.fresh_keys, self.keys_told) = (false, self.summary.packets);
            self.table.secrets(self.last, &self.limits, &mut self.tools, self.sink);
        }
    }

    fn packet(&mut self, mark: Mark) {
        if self.fresh_keys {
            self.tell_keys(false);
        }
        self.summary.packets += 1;
        self.last = mark;
        if let Some(time) = mark.time {
            let Summary { first, last, .. } = &mut self.summary;
            *first = Some(first.map_or(time, |first| first.min(time)));
            *last = Some(last.map_or(time, |last| last.max(time)));
        }
    }

    /// Takes the packets that are in one, in their order; the numbers of their streams.
    #[cold]
    fn parts(&mut self, mut parts: Parts<'_>, decoder: &mut Decoder) -> &[u32] {
        self.several.clear();
        let mut whole = Whole::default();
        while let Some(part) = decoder.next_part(&mut parts, &mut whole) {
            match &part {
                Decoded::Segment(segment) => {
                    self.learn(decoder);
                    self.several.push(self.table.segment(segment, &self.limits, &mut self.tools, self.sink));
                }
                Decoded::Header(header) => self.several.push(self.table.header(header)),
                Decoded::Several(_) | Decoded::Other => {}
            }
        }
        &self.several
    }

    /// Learns what numbers stand for that were not met before.
    #[cold]
    fn learn(&mut self, decoder: &Decoder) {
        let known = self.tools.encaps.len();
        self.tools.encaps.extend_from_slice(decoder.encaps().get(known..).unwrap_or_default());
    }

    fn progress(&self, bytes: u64) -> Progress {
        let Summary { packets, first, last, .. } = self.summary;
        Progress { bytes, files: self.files, packets, streams: self.table.streams(), first, last }
    }

    fn file_notes(&mut self, notes: Vec<FileNote>) {
        for FileNote { code, at, text } in notes {
            // They are known now: counted ones when the counting ends, whatever packet began it.
            let stamp = Stamp { at: self.last, ..Stamp::default() };
            let note = Note { text: &text, ..Note::new(code, at) };
            if !self.tools.stop && self.sink.accept(&stamp, Event::Note(&note)).is_break() {
                self.tools.stop = true;
            }
        }
    }

    fn finish(mut self) -> Summary {
        self.tell_keys(true);
        self.table.finish(self.last, &self.limits, &mut self.tools, self.sink);
        self.summary.streams = self.table.streams();
        self.summary.connections = self.tools.conns;
        self.summary.kinds = self.table.kinds();
        self.file_notes(self.table.notes(&self.limits));
        self.summary.secrets = self.tools.secrets;
        self.summary
    }
}

fn count(streams: &mut Streams, kind: Kind) {
    match kind {
        Kind::Tls => streams.tls += 1,
        Kind::Http => streams.http += 1,
        Kind::Http2 => streams.http2 += 1,
        Kind::Other => streams.other += 1,
        Kind::Silent => streams.silent += 1,
        Kind::Left => streams.left += 1,
    }
}
