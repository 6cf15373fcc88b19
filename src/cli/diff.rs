//! `wspect diff`: two captures, or two connections, compared message by message.

use super::args::{self, Manners, Reading};
use super::config::Config;
use super::exit::{Exit, Failure, say};
use super::job::{FormKind, Job, Work};
use super::keys::Keys;
use super::output::Target;
use super::programs;
use super::progress::Progress;
use super::run;
use super::signals::Stop;
use super::watch::Watch;
use super::{pick, seen};
use crate::decode::path::Step;
use crate::escape;
use crate::export::{
    Difference, Differences, Exporter, Filtered, Gather, Kinds, Out, Pair, Redacted, Redactor, TimeMode, compare, pairs,
};
use crate::filter::{Column, Rows};
use crate::model::ConnId;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// One side: a capture, and which of its connections; all without.
struct Side {
    path: PathBuf,
    conn: Option<ConnId>,
}

/// Compares, and tells what differs.
///
/// # Errors
/// When a capture cannot be read, or the output cannot be written.
pub(super) fn run(
    asked: args::Diff,
    reading: &Reading,
    config: &Config,
    manners: &Manners,
    redactor: &Redactor,
) -> Result<Exit, Failure> {
    let [first, second] = sides(&asked.words)?;
    let ignored = ignored(&asked.ignore)?;
    let stop = Stop::on_signals(asked.output.output.is_none());
    let job = |side: &Side| -> Result<Job, Failure> {
        let input = args::Input { files: vec![side.path.clone()], ..args::Input::default() };
        let list = args::List {
            input,
            filter: asked.filter.clone(),
            columns: asked.written.columns(),
            limit: asked.limit.clone(),
            output: asked.output.clone(),
            ..args::List::default()
        };
        let job =
            Job::list(Work::Rows(Kinds { message: true, ..Kinds::default() }), list, TimeMode::Relative, manners)?;
        let (settings, speaks) =
            (reading.settings(), reading.speaks(&config.programs(programs::told(manners, redactor)))?);
        Ok(Job {
            source: job.source.within(settings.limits),
            settings,
            speaks,
            keys: Keys::new(reading.clone()),
            ..job
        })
    };
    let jobs = [job(&first)?, job(&second)?];
    let [job, second_job] = &jobs;
    let mut target = Target::beside(job.output.as_deref(), job.force, &[&job.source, &second_job.source])?;
    let gathered =
        jobs.iter().zip([&first, &second]).map(|(job, side)| gather(job, side, ignored.clone(), redactor, &stop));
    let gathered = gathered.collect::<Result<Vec<_>, _>>()?;
    if let Some(signal) = stop.signal() {
        return Ok(Exit::Signal(signal));
    }
    let [(one, lacks, left_out), (other, other_lacks, other_left_out)] = gathered.as_slice() else {
        return Ok(Exit::Internal);
    };
    let paired = match (first.conn, second.conn, one.talks().next(), other.talks().next()) {
        (Some(_), Some(_), Some(one), Some(other)) => vec![Pair::Both(one, other)],
        // Of one that is named the partner is looked for, and no other connection is asked about.
        (Some(_), None, ..) => pairs(one, other).into_iter().filter(|pair| !matches!(pair, Pair::Second(_))).collect(),
        (None, Some(_), ..) => pairs(one, other).into_iter().filter(|pair| !matches!(pair, Pair::First(_))).collect(),
        _ => pairs(one, other),
    };
    let style = target.style(job.color);
    let mut form = Differences::new(job.form != FormKind::Text, style);
    let mut out = match job.form {
        FormKind::Array => Out::array(target.writer(), job.limit),
        _ => Out::new(target.writer(), job.limit),
    };
    let mut sum = Sum::default();
    for pair in &paired {
        if let Pair::Both(one, other) = pair {
            let differences = compare(one, other);
            sum.add(&differences);
            form.pair(one, other, &differences, &mut out);
        } else {
            sum.alone += 1;
            form.alone(pair, &mut out);
        }
    }
    if let Err(error) = out.finish() {
        return target.broken(&error);
    }
    target.commit()?;
    if job.sums_up {
        say(seen::compared(paired.len() - sum.alone, sum.alone, [sum.first, sum.second, sum.changed, sum.moved]));
    }
    Ok(match sum.is_none() {
        false => Exit::Found,
        true if left_out + other_left_out > 0 => Exit::Input,
        true if job.strict && (*lacks || *other_lacks) => Exit::Strict,
        true => Exit::Done,
    })
}

/// How many differences.
#[derive(Default)]
struct Sum {
    alone: usize,
    first: usize,
    second: usize,
    changed: usize,
    moved: usize,
}

impl Sum {
    fn add(&mut self, differences: &[Difference<'_>]) {
        for difference in differences {
            match difference {
                Difference::First(_) => self.first += 1,
                Difference::Second(_) => self.second += 1,
                Difference::Changed(..) => self.changed += 1,
                Difference::Moved(..) => self.moved += 1,
            }
        }
    }

    const fn is_none(&self) -> bool {
        self.alone + self.first + self.second + self.changed + self.moved == 0
    }
}

/// What a side said, whether any of it is missing, and how many of its captures could not be read.
type Read = (Gather, bool, usize);

/// Reads a side.
fn gather(job: &Job, side: &Side, ignored: Vec<Vec<Step>>, redactor: &Redactor, stop: &Stop) -> Result<Read, Failure> {
    let mut input = job.source.open(stop)?;
    let name = input.name.clone();
    let settings = run::load(job, input.len(), stop);
    let needs = job.needs();
    if needs.ends {
        return Err(Failure::usage("diff reads each file once: a field in the filter is known when a connection ends"));
    }
    let origin = if needs.origin { input.origin() } else { None };
    let progress = Progress::new(job.progress, input.len(), false);
    let mut gathered = Gather::new(side.conn, ignored, settings.limits.diff_bytes);
    let mut redacted = Redacted::new(redactor, &mut gathered);
    let read = |exporter: &mut dyn Exporter| {
        let mut decoding = job.decoding(exporter);
        let mut watch = Watch::new(&mut decoding, Out::memory(), &progress, stop, redactor);
        (watch.name, watch.tell) = (&name, job.tell);
        let pass = run::pass(input, settings, &mut watch)?;
        Ok::<_, Failure>((watch.tally.is_incomplete, pass.left_out))
    };
    let (is_incomplete, left_out) = match &job.filter {
        Some(filter) => read(&mut Filtered::new(filter, Rows::MESSAGES, origin, None, &mut redacted))?,
        None => read(&mut redacted)?,
    };
    progress.clear();
    if gathered.is_full() {
        let advice = "more messages than diff can compare at once (diff-bytes in wspect --limits): choose some with -Y, --from, --to";
        return Err(Failure::usage(format!("{name}: {advice}")));
    }
    match side.conn.filter(|_| gathered.talks().next().is_none() && !stop.is_wanted()) {
        Some(conn) => Err(Failure::new(Exit::Found, format!("{name}: no connection {conn} (wspect ls lists them)"))),
        None => Ok((gathered, is_incomplete, left_out)),
    }
}

/// The paths of what is not compared.
fn ignored(texts: &[String]) -> Result<Vec<Vec<Step>>, Failure> {
    let read = |text: &str| {
        let column = Column::new(text.trim()).map_err(|problem| pick::wrong(text, &problem))?;
        let path = column.path().filter(|path| !path.is_empty()).map(<[_]>::to_vec);
        path.ok_or_else(|| {
            Failure::usage(format!("--ignore {}: a path is wanted, as json.id", escape::display_str(text)))
        })
    };
    texts.iter().flat_map(|text| listed(text)).map(read).collect()
}

/// The parts of a list; commas in quotes belong to a name.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |c| {
        is_quoted ^= c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        c == ',' && !is_quoted
    })
}

/// `FILE [CONN] FILE [CONN]`, or `FILE CONN CONN`.
fn sides(words: &[OsString]) -> Result<[Side; 2], Failure> {
    let conn = |word: &OsStr| -> Option<ConnId> {
        word.to_str().and_then(|word| word.parse().ok()).map(ConnId).filter(|_| !Path::new(word).exists())
    };
    let side = |path: &OsString, conn| Side { path: path.into(), conn };
    let known: Vec<Option<ConnId>> = words.iter().map(|word| conn(word)).collect();
    match (words, known.as_slice()) {
        ([one, other], [None, None]) => Ok([side(one, None), side(other, None)]),
        ([one, _, other, _], [None, first @ Some(_), None, second @ Some(_)]) => {
            Ok([side(one, *first), side(other, *second)])
        }
        ([one, _, other], [None, first @ Some(_), None]) => Ok([side(one, *first), side(other, None)]),
        ([one, other, _], [None, None, second @ Some(_)]) => Ok([side(one, None), side(other, *second)]),
        ([one, ..], [None, first @ Some(_), second @ Some(_)]) => Ok([side(one, *first), side(one, *second)]),
        _ => Err(Failure::usage("what is to be compared? wspect diff FILE [CONN] FILE [CONN], or FILE CONN CONN")),
    }
}
