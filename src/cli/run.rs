//! A job, run: the one place where dissection meets rows.

use super::args::{Report, When};
#[cfg(feature = "sqlite")]
use super::convert;
use super::exit::{Exit, Failure, say};
use super::input::Input;
use super::job::{Checked, FormKind, Job, TypesWanted, Wanted, Work};
use super::keys::Loaded;
use super::output::Target;
use super::pick;
use super::progress::Progress;
use super::seen;
use super::signals::Stop;
use super::watch::{Tally, Tell, Watch};
use crate::dissect::{self, Settings, Summary};
use crate::escape;
use crate::export::{
    Capture, Cells, Claims, Clock, Collect, Connections, Delimited, Exporter, Filtered, Form, Handshakes, InPacket,
    Junit, Kinds, Only, Out, Page, Passed, Place, Places, Raw, Records, Redacted, Sarif, Sessions, Stats, Stream,
    Table, Talk, TimeMode, TlsSessions, Totals, TypeCells, Types, WantedTypes,
};
use crate::model::{ConnId, PacketNo, Severity, Timestamp};
use crate::net;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::rc::Rc;
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

/// The same beside something else: signals are not for it.
///
/// # Errors
/// As [`run`].
pub(super) fn run_beside(job: &Job) -> Result<Exit, Failure> {
    work(job, &Stop::default())
}

fn work(job: &Job, stop: &Stop) -> Result<Exit, Failure> {
    let mut input = job.source.open(stop)?;
    let layout = if let Work::Convert(wanted) = &job.work { wanted.into.layout() } else { None };
    let target = match layout {
        Some(layout) => Target::open_directory(job.output.as_deref(), job.force, layout)?,
        #[cfg(feature = "sqlite")]
        None if matches!(&job.work, Work::Convert(wanted) if wanted.into == convert::Into::Sqlite) => {
            Target::open_regular(job.output.as_deref(), job.force, &job.source)?
        }
        None => Target::open(job.output.as_deref(), job.force, &job.source)?,
    };
    if job.form == FormKind::Raw && target.is_terminal() && !job.force {
        let advice = "raw bytes can upset a terminal: use -o FILE, a pipe, or --force";
        return Err(Failure::new(Exit::Usage, advice));
    }
    let target = if job.can_be_paged() { target.paged(job.pager, stop) } else { target };
    let needs = job.needs();
    let origin = if job.needs_origin() || needs.origin { input.origin() } else { None };
    let form = job.form(origin, &target);
    let settings = load(job, input.len(), stop);
    let mut run = Run { job, settings, stop, input, target, origin, known: None, only: None };
    if needs.ends && !job.source.is_whole() {
        let late = job.filter.as_ref().and_then(|filter| filter.late(job.work.rows()));
        let field = late.map_or_else(|| "a field that is asked for".to_owned(), |name| format!("`{name}`"));
        let why = "is known when a connection ends: for that the input is read twice, so it must be a file";
        return Err(Failure::new(Exit::Usage, format!("{}: {field} {why}", run.input.name)));
    }
    let rows_of_connections = matches!(job.work, Work::Rows(kinds) if kinds.connection);
    if needs.ends || rows_of_connections && job.source.is_whole() {
        run = run.connections_first(needs.heads)?;
    }
    if let Some(table) = &job.table {
        return run.cells(table);
    }
    match &job.work {
        Work::Connections => run.export(&mut Connections::new(form)),
        Work::Rows(kinds) => {
            let rows = Stream::new(*kinds, form);
            match run.known.clone().filter(|_| kinds.connection) {
                Some(known) => run.export(&mut rows.with_connections(known)),
                None => run.export(&mut { rows }),
            }
        }
        Work::Handshakes(None) => run.export(&mut Handshakes::new(form)),
        Work::Handshakes(Some(conn)) => run.places(&[Place::all_of(*conn)], Stream::new(HANDSHAKES, form)),
        Work::Follow(conn) => {
            let kinds = Kinds { handshake: job.form == FormKind::Text, ..MESSAGES };
            run.places(&[Place::all_of(*conn)], Stream::new(kinds, form))
        }
        Work::Show(Wanted::Places(places)) => run.places(places, Stream::new(MESSAGES, form)),
        Work::Show(Wanted::Packet(packet)) => run.in_packet(*packet, Stream::new(MESSAGES, form)),
        Work::Keys => run.keys(TlsSessions::new(form)),
        Work::Convert(wanted) => run.convert(wanted, origin),
        Work::Copy(wanted) => run.copy(wanted),
        Work::Stats => run.export(&mut Stats::new(origin, form).filtered(job.filter.is_some())),
        Work::Sessions => run.export(&mut Sessions::new(job.settings.limits, form)),
        Work::Types(wanted) => run.export(&mut Types::new(wanted.which, job.settings.limits.message_types, form)),
        Work::Capture => {
            let name = run.input.name.clone();
            run.export(&mut Capture::new(&name, net::link_name, form))
        }
        Work::Check(Checked { report: Report::Junit, fail_on, ignored }) => {
            let mut report = Junit::new(&job.source.name(), fail_on.unwrap_or(Severity::Error), *ignored);
            run.check(&mut report, None)
        }
        Work::Check(Checked { report: Report::Sarif, .. }) => {
            let mut report = Sarif::new(&job.source.name(), job.source.names(), !job.claims.is_empty());
            run.check(&mut report, None)
        }
        Work::Check(Checked { report: Report::Rows(_), .. }) => {
            let standings = job.form(origin, &run.target);
            run.check(&mut Stream::new(FINDINGS, form), Some(standings))
        }
    }
}

const NOTHING: Kinds = Kinds { connection: false, handshake: false, message: false, frame: false, finding: false };
const MESSAGES: Kinds = Kinds { message: true, ..NOTHING };
const FINDINGS: Kinds = Kinds { finding: true, ..NOTHING };
const HANDSHAKES: Kinds = Kinds { handshake: true, ..NOTHING };

impl Job {
    /// Whether the time of the first packet must be known before the first row.
    fn needs_origin(&self) -> bool {
        let has_times = self.form == FormKind::Text || matches!(self.work, Work::Convert(_));
        self.work == Work::Stats || (has_times && self.time == TimeMode::Relative)
    }

    fn form(&self, origin: Option<Timestamp>, target: &Target) -> Box<dyn Form> {
        let style = target.style(self.color);
        let clock = Clock::new(self.time, origin);
        match (self.form, &self.work) {
            (FormKind::Json | FormKind::Array, _) => Box::new(Records::new(self.payload)),
            (FormKind::Raw, _) => Box::new(Raw),
            (FormKind::Text, Work::Show(_)) => Box::new(Page::new(clock, self.payload, style)),
            (FormKind::Text, Work::Follow(_)) => Box::new(Talk::new(clock, self.payload, style)),
            (FormKind::Text, Work::Types(TypesWanted { cells: Some(cells), .. })) => {
                Box::new(TypeCells(Delimited { shown: target.is_terminal(), ..cells.clone() }))
            }
            (FormKind::Text, _) => Box::new(Table::new(clock, self.payload, style).explaining(self.explains)),
        }
    }

    /// Whether all findings count, also those that are not printed any more.
    const fn judges_all(&self) -> bool {
        matches!(&self.work, Work::Check(Checked { fail_on: Some(_), .. }))
    }

    /// Whether a pager does its rows no harm: they do not wait for it while they come from what is still written, and
    /// nothing else is written to the terminal meanwhile.
    fn can_be_paged(&self) -> bool {
        let is_calm = self.source.is_whole() && self.tell != Some(Tell::All);
        self.form != FormKind::Raw && (is_calm || self.pager == When::Always)
    }

    /// Whether rows come while the capture is read, not at its end.
    fn has_rows_on_the_way(&self) -> bool {
        match &self.work {
            Work::Connections | Work::Keys | Work::Sessions | Work::Stats | Work::Capture => false,
            Work::Types(wanted) => wanted.which != WantedTypes::All,
            Work::Convert(wanted) => wanted.into.is_written_on_the_way(),
            _ => true,
        }
    }
}

/// A job with its ends open.
pub(super) struct Run<'j> {
    pub(super) job: &'j Job,
    pub(super) settings: Settings,
    pub(super) stop: &'j Stop,
    pub(super) input: Input,
    pub(super) target: Target,
    /// The time of the first packet, where it is asked for.
    pub(super) origin: Option<Timestamp>,
    /// All connections, from a pass before.
    pub(super) known: Option<Rc<Collect>>,
    /// The only connections that are written.
    pub(super) only: Option<HashSet<ConnId>>,
}

impl<'j> Run<'j> {
    /// Reads the capture for its connections alone, with their heads if need be, and opens it again.
    fn connections_first(self, heads: bool) -> Result<Self, Failure> {
        let Self { job, settings, stop, input, target, .. } = &self;
        let mut connections = Collect::default().with_handshakes(heads);
        let progress = Progress::new(job.progress, input.len(), target.is_terminal());
        // Both passes see the same bytes, also of a file that grows.
        let extent = input.extent.clone();
        let first = job.source.open_within(&extent, stop)?;
        let mut redacted = Redacted::new(&job.redactor, &mut connections);
        let out = Out::memory();
        pass(first, settings.clone(), &mut Watch::new(&mut redacted, out, &progress, stop, &job.redactor))?;
        progress.clear();
        let input = job.source.open_within(&extent, stop)?;
        Ok(Self { input, known: Some(Rc::new(connections)), ..self })
    }

    /// Rows of columns.
    fn cells(self, table: &pick::Table) -> Result<Exit, Failure> {
        let form = Delimited { shown: self.target.is_terminal(), ..table.form.clone() };
        let mut cells = Cells::new(&table.columns, form, self.job.work.rows(), self.origin, self.known.clone());
        match self.job.work {
            Work::Handshakes(Some(conn)) | Work::Follow(conn) => self.places(&[Place::all_of(conn)], cells),
            _ => self.export(&mut cells),
        }
    }

    /// Rows of some connections or messages; those that are not there fail the run.
    fn places(self, places: &[Place], rows: impl Exporter) -> Result<Exit, Failure> {
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
    fn keys(self, mut rows: TlsSessions) -> Result<Exit, Failure> {
        let job = self.job;
        let exit = self.export(&mut rows)?;
        if job.sums_up && matches!(exit, Exit::Done | Exit::Strict) {
            say(seen::keys(&job.source, &rows.sum()));
        }
        Ok(exit)
    }

    /// Findings, and how claims stand: behind them in a form, or where the findings' own form has a place for them.
    fn check(self, findings: &mut dyn Exporter, form: Option<Box<dyn Form>>) -> Result<Exit, Failure> {
        let job = self.job;
        if job.claims.is_empty() {
            return self.export(findings);
        }
        // They are held against what was captured, and what is printed is redacted.
        let mut findings = Redacted::new(&job.redactor, findings);
        let mut claims = Claims::new(&mut findings, form, &job.claims, self.origin, self.known.clone());
        let failed = claims.failed();
        match self.narrow(&mut claims)? {
            Exit::Done | Exit::Strict | Exit::Input if failed.count() > 0 => Ok(Exit::Found),
            exit => Ok(exit),
        }
    }

    /// Reads the capture, writes its rows, and tells what is to be told.
    ///
    /// A filter is asked of what was captured, and what passes is redacted; who is not needed does not stand in the way.
    pub(super) fn export(self, exporter: &mut dyn Exporter) -> Result<Exit, Failure> {
        let redactor = &self.job.redactor;
        if redactor.is_idle() { self.narrow(exporter) } else { self.narrow(&mut Redacted::new(redactor, exporter)) }
    }

    fn narrow(self, exporter: &mut dyn Exporter) -> Result<Exit, Failure> {
        match self.only.clone() {
            Some(conns) => self.filter(&mut Only::new(conns, exporter)),
            None => self.filter(exporter),
        }
    }

    fn filter(self, exporter: &mut dyn Exporter) -> Result<Exit, Failure> {
        let Some(filter) = &self.job.filter else { return self.write(exporter, None) };
        let known = self.known.clone();
        let judges_all = self.job.judges_all() && self.job.claims.is_empty() || self.job.expect.is_some();
        let mut filtered =
            Filtered::new(filter, self.job.work.rows(), self.origin, known, exporter).judging_all(judges_all);
        let passed = filtered.passed();
        self.write(&mut filtered, Some(&passed))
    }

    /// Reads the capture, and writes its rows; `passed`: those that pass a filter.
    fn write(self, exporter: &mut dyn Exporter, passed: Option<&Passed>) -> Result<Exit, Failure> {
        let Self { job, settings, stop, input, mut target, .. } = self;
        let name = input.name.clone();
        let is_terminal = target.is_terminal();
        let shows_rows = is_terminal && !target.is_paged() && job.has_rows_on_the_way();
        let progress = Progress::new(job.progress, input.len(), shows_rows);
        let out = match job.form {
            FormKind::Array => Out::array(target.writer(), job.limit),
            _ => Out::new(target.writer(), job.limit),
        };
        let out = out.eager(is_terminal).tail(job.tail, settings.limits.tail_bytes);
        let mut decoding = job.decoding(exporter);
        let mut watch = Watch::new(&mut decoding, out, &progress, stop, &job.redactor);
        (watch.name, watch.tell) = (&name, job.tell);
        watch.is_live = !job.source.is_whole();
        watch.is_done &= job.claims.is_empty() && job.expect.is_none() && !(job.judges_all() && passed.is_some());
        watch.reads_all = job.expect.is_some();
        if let Work::Check(checked) = &job.work {
            watch.reads_all = checked.fail_on.is_some();
            watch.ignored = checked.ignored;
        }
        let Pass { summary, bytes, left_out } = pass(input, settings, &mut watch)?;
        let totals = totals(&summary);
        let (mut tally, is_done, is_live) = (watch.tally, watch.is_done, watch.is_live);
        // What is written now may open a pager, which wants the screen for itself.
        progress.clear();
        let written = watch.finish(&totals);
        if let Err(error) = written {
            return target.broken(&error);
        }
        if stop.is_wanted() && !is_live {
            return Ok(Exit::Done);
        }
        target.commit()?;
        if !is_done {
            job.tell_end(&summary, &tally, passed);
        }
        if job.tells_speed {
            say(seen::speed(&summary, bytes, progress.elapsed()));
        }
        if let Some(passed) = passed {
            tally.worst = passed.worst();
        }
        let came = passed.map_or(tally.messages, Passed::rows);
        if let Some(expected) = job.expect.filter(|expected| *expected != came) {
            say(seen::unexpected(expected, came));
            return Ok(Exit::Found);
        }
        Ok(job.exit(&tally, left_out))
    }
}

/// The job's settings with what key logs tell; what is wrong with those is told.
pub(super) fn load(job: &Job, len: Option<u64>, stop: &Stop) -> Settings {
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
        if !stop.has_lent_screen() {
            progress.step(at);
            if progress.is_shown() {
                stop.shows_progress();
            }
        }
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
    fn tell_end(&self, summary: &Summary, tally: &Tally, passed: Option<&Passed>) {
        let is_keys = self.work == Work::Keys;
        if self.sums_up && (is_keys || tally.connections > 0) {
            seen::sealed(&summary.seen).iter().for_each(say);
        }
        if is_keys {
            return;
        }
        if self.sums_up && tally.connections > 0 {
            say(seen::summary(tally));
            if let Some(passed) = passed {
                say(seen::passed(passed, self.work.rows()));
            }
        } else if self.tell.is_some() && tally.connections == 0 {
            seen::instead(&self.source, summary, tally.tls).iter().for_each(say);
            seen::ignored(tally).iter().for_each(say);
        }
    }

    /// How the run ends, of whose captures so many could not be read.
    pub(super) fn exit(&self, tally: &Tally, left_out: usize) -> Exit {
        let fails = |fail_on| tally.worst.is_some_and(|worst| worst >= fail_on);
        match &self.work {
            Work::Check(checked) if checked.fail_on.is_some_and(fails) => Exit::Found,
            _ if left_out > 0 => Exit::Input,
            _ if self.strict && tally.is_incomplete => Exit::Strict,
            _ => Exit::Done,
        }
    }
}
