//! A job, run: the one place where dissection meets rows.

use super::exit::{Exit, Failure, say};
use super::input::Input;
use super::job::{FormKind, Job, Wanted, Work, uses_color};
use super::keys::Loaded;
use super::output::Target;
use super::progress::Progress;
use super::seen;
use super::signals::Stop;
use super::watch::{Tally, Watch};
use crate::dissect::{self, Settings, Summary};
use crate::escape;
use crate::export::{
    Capture, Clock, Collect, Connections, Exporter, Form, Handshakes, InPacket, Kinds, Out, Page, Place, Places, Raw,
    Records, Sessions, Stats, Stream, Style, Table, Talk, TimeMode, Totals,
};
use crate::model::{PacketNo, Timestamp};
use crate::net;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Runs a job to its exit code.
///
/// # Errors
/// When the input cannot be read or the output cannot be written, and when what was asked for is not there.
pub(super) fn run(job: &Job) -> Result<Exit, Failure> {
    let stop = Stop::on_signals(job.output.is_none());
    let ended = work(job, &stop);
    // An input that a signal cut short is not to blame for that.
    stop.signal().map_or(ended, |signal| Ok(Exit::Signal(signal)))
}

fn work(job: &Job, stop: &Stop) -> Result<Exit, Failure> {
    let mut input = job.source.open(stop)?;
    let target = Target::open(job.output.as_deref(), job.force, &job.source)?;
    if job.form == FormKind::Raw && target.is_terminal() && !job.force {
        let advice = "raw bytes can upset a terminal: use -o FILE, a pipe, or --force";
        return Err(Failure::new(Exit::Usage, advice));
    }
    let origin = if job.needs_origin() { input.origin() } else { None };
    let form = job.form(origin, &target);
    let settings = load(job, input.len(), stop);
    let run = Run { job, settings, stop, input, target };
    match &job.work {
        Work::Connections => run.export(&mut Connections::new(form)),
        Work::Rows(kinds) if kinds.connection && job.source.is_whole() => {
            let (run, known) = run.connections_first()?;
            run.export(&mut Stream::new(*kinds, form).with_connections(known))
        }
        Work::Rows(kinds) => run.export(&mut Stream::new(*kinds, form)),
        Work::Handshakes(None) => run.export(&mut Handshakes::new(form)),
        Work::Handshakes(Some(conn)) => run.places(&[Place::all_of(*conn)], Stream::new(HANDSHAKES, form)),
        Work::Follow(conn) => {
            let kinds = Kinds { handshake: job.form == FormKind::Text, ..MESSAGES };
            run.places(&[Place::all_of(*conn)], Stream::new(kinds, form))
        }
        Work::Show(Wanted::Places(places)) => run.places(places, Stream::new(MESSAGES, form)),
        Work::Show(Wanted::Packet(packet)) => run.in_packet(*packet, Stream::new(MESSAGES, form)),
        Work::Keys => run.keys(Sessions::new(form)),
        Work::Copy(wanted) => run.copy(wanted),
        Work::Stats => run.export(&mut Stats::new(origin, form)),
        Work::Capture => {
            let name = run.input.name.clone();
            run.export(&mut Capture::new(&name, net::link_name, form))
        }
        Work::Check(_) => run.export(&mut Stream::new(Kinds { finding: true, ..NOTHING }, form)),
    }
}

const NOTHING: Kinds = Kinds { connection: false, handshake: false, message: false, frame: false, finding: false };
const MESSAGES: Kinds = Kinds { message: true, ..NOTHING };
const HANDSHAKES: Kinds = Kinds { handshake: true, ..NOTHING };

impl Job {
    /// Whether the time of the first packet must be known before the first row.
    fn needs_origin(&self) -> bool {
        self.work == Work::Stats || (self.form == FormKind::Text && self.time == TimeMode::Relative)
    }

    fn form(&self, origin: Option<Timestamp>, target: &Target) -> Box<dyn Form> {
        let is_terminal = target.is_terminal();
        let columns =
            if is_terminal { crossterm::terminal::size().ok().map(|(columns, _)| columns.into()) } else { None };
        let style = Style { color: uses_color(self.color, is_terminal), columns };
        let clock = Clock::new(self.time, origin);
        match (self.form, &self.work) {
            (FormKind::Json, _) => Box::new(Records::new(self.payload)),
            (FormKind::Raw, _) => Box::new(Raw),
            (FormKind::Text, Work::Show(_)) => Box::new(Page::new(clock, self.payload, style)),
            (FormKind::Text, Work::Follow(_)) => Box::new(Talk::new(clock, self.payload, style)),
            (FormKind::Text, _) => Box::new(Table::new(clock, self.payload, style)),
        }
    }

    /// Whether rows come while the capture is read, not at its end.
    fn has_rows_on_the_way(&self) -> bool {
        !matches!(self.work, Work::Connections | Work::Keys | Work::Stats | Work::Capture)
    }
}

/// A job with its ends open.
pub(super) struct Run<'j> {
    pub(super) job: &'j Job,
    pub(super) settings: Settings,
    pub(super) stop: &'j Stop,
    pub(super) input: Input,
    pub(super) target: Target,
}

impl<'j> Run<'j> {
    /// Reads the capture for its connections alone, and opens it again.
    fn connections_first(self) -> Result<(Self, Collect), Failure> {
        let Self { job, settings, stop, input, target } = self;
        let mut connections = Collect::default();
        let progress = Progress::new(job.progress, input.len(), target.is_terminal());
        // Both passes see the same bytes, also of a file that grows.
        let extent = input.extent;
        let input = job.source.open_within(&extent, stop)?;
        pass(input, settings.clone(), &mut Watch::new(&mut connections, Out::memory(), &progress, stop))?;
        progress.clear();
        let input = job.source.open_within(&extent, stop)?;
        Ok((Self { job, settings, stop, input, target }, connections))
    }

    /// Rows of some connections or messages; those that are not there fail the run.
    fn places(self, places: &[Place], rows: Stream) -> Result<Exit, Failure> {
        let name = self.input.name.clone();
        let mut rows = Places::new(places.iter().copied(), rows);
        let exit = self.export(&mut rows)?;
        match rows.missing().next() {
            Some(place) if matches!(exit, Exit::Done | Exit::Strict) => {
                let (what, list) = if place.msg.is_some() { ("message", "msgs") } else { ("connection", "ls") };
                Err(Failure::new(Exit::Found, format!("{name}: no {what} {place} (wspect {list} lists them)")))
            }
            _ => Ok(exit),
        }
    }

    /// Rows of the messages in a packet; none fails the run.
    fn in_packet(self, packet: PacketNo, rows: Stream) -> Result<Exit, Failure> {
        let name = self.input.name.clone();
        let mut rows = InPacket::new(packet, rows);
        let exit = self.export(&mut rows)?;
        if rows.found() > 0 || !matches!(exit, Exit::Done | Exit::Strict) {
            return Ok(exit);
        }
        let hint = rows.around().map_or(String::new(), |(place, span)| {
            let (first, last) = (span.first.packet, span.last.packet);
            format!(" (message {place} reaches from packet {first} to {last})")
        });
        Err(Failure::new(Exit::Found, format!("{name}: no message begins or ends in packet {packet}{hint}")))
    }

    /// Rows of TLS streams, and their sum.
    fn keys(self, mut rows: Sessions) -> Result<Exit, Failure> {
        let job = self.job;
        let exit = self.export(&mut rows)?;
        if job.sums_up && matches!(exit, Exit::Done | Exit::Strict) {
            say(seen::keys(&job.source, &rows.sum()));
        }
        Ok(exit)
    }

    /// Reads the capture, writes its rows, and tells what is to be told.
    fn export(self, exporter: &mut dyn Exporter) -> Result<Exit, Failure> {
        let Self { job, settings, stop, input, mut target } = self;
        let name = input.name.clone();
        let is_terminal = target.is_terminal();
        let progress = Progress::new(job.progress, input.len(), is_terminal && job.has_rows_on_the_way());
        let out = Out::new(target.writer(), job.limit).eager(is_terminal);
        let mut watch = Watch::new(exporter, out, &progress, stop);
        watch.name = &name;
        watch.tell = job.tell;
        watch.is_live = !job.source.is_whole();
        watch.reads_all = matches!(job.work, Work::Check(Some(_)));
        let Pass { summary, bytes, left_out } = pass(input, settings, &mut watch)?;
        let totals = totals(&summary);
        let (tally, is_done, is_live) = (watch.tally, watch.is_done, watch.is_live);
        let written = watch.finish(&totals);
        progress.clear();
        if let Err(error) = written {
            return target.broken(&error);
        }
        if stop.is_wanted() && !is_live {
            return Ok(Exit::Done);
        }
        target.commit()?;
        if !is_done {
            job.tell_end(&summary, &tally);
        }
        if job.tells_speed {
            say(seen::speed(&summary, bytes, progress.elapsed()));
        }
        Ok(job.exit(&tally, left_out))
    }
}

/// The job's settings with what key logs tell; what is wrong with those is told.
fn load(job: &Job, len: Option<u64>, stop: &Stop) -> Settings {
    let progress = Progress::new(job.progress, len, false);
    let mut step = |at| {
        progress.step(at);
        if stop.is_wanted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let Loaded { settings, complaints, remarks } =
        job.keys.load(&job.source, job.settings.clone(), None, stop, &mut step);
    progress.clear();
    for remark in remarks.iter().filter(|_| job.tells_speed) {
        say(format_args!("wspect: {}", escape::display_str(remark)));
    }
    for complaint in complaints.iter().filter(|_| job.tell.is_some()) {
        say(format_args!("wspect: warning: {}", escape::display_str(complaint)));
    }
    settings
}

/// Dissects an input into a sink.
pub(super) fn pass(input: Input, settings: Settings, watch: &mut Watch<'_>) -> Result<Pass, Failure> {
    let mut reader = input.reader()?;
    let (progress, stop) = (watch.progress, watch.stop);
    let mut step = |at| {
        progress.step(at);
        if stop.is_wanted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let summary = dissect::run(&mut reader, settings, watch, &mut step);
    Ok(Pass { summary, bytes: reader.position(), left_out: reader.left_out() })
}

/// What one pass over the input read.
pub(super) struct Pass {
    pub(super) summary: Summary,
    bytes: u64,
    /// How many of several captures could not be read.
    pub(super) left_out: usize,
}

fn totals(summary: &Summary) -> Totals {
    let Summary { packets, streams, connections, first, last, seen, kinds, .. } = *summary;
    let (secrets, encaps) = (Arc::clone(&summary.secrets), summary.encaps.clone());
    Totals { packets, streams, connections, first, last, secrets, traffic: seen, encaps, kinds }
}

impl Job {
    /// The sum on stderr, once all was read.
    fn tell_end(&self, summary: &Summary, tally: &Tally) {
        let is_keys = self.work == Work::Keys;
        if self.sums_up && (is_keys || tally.connections > 0) {
            seen::sealed(&summary.seen).iter().for_each(say);
        }
        if is_keys {
            return;
        }
        if self.sums_up && tally.connections > 0 {
            say(seen::summary(tally));
        } else if self.tell.is_some() && tally.connections == 0 {
            seen::instead(&self.source, summary, tally.tls).iter().for_each(say);
        }
    }

    /// How the run ends, of whose captures so many could not be read.
    pub(super) fn exit(&self, tally: &Tally, left_out: usize) -> Exit {
        let fails = |fail_on| tally.worst.is_some_and(|worst| worst >= fail_on);
        match self.work {
            Work::Check(Some(fail_on)) if fails(fail_on) => Exit::Found,
            _ if left_out > 0 => Exit::Input,
            _ if self.strict && tally.is_incomplete => Exit::Strict,
            _ => Exit::Done,
        }
    }
}
