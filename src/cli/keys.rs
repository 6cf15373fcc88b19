//! Which key logs are read, and what is said of them.

use super::args::Reading;
use super::growing::Named;
use super::input::Source;
use super::pipe::Pipe;
use super::signals::Stop;
use crate::capture::Aside;
use crate::capture::words;
use crate::dissect::{self, Progress, Settings};
use crate::keys::{self, Fault, Followed, Inside, Log, PEM_BYTES, Randoms, Report, Text, Wanted};
use crate::model::{Event, KeyLog, KeySource, Origin, Secrets, Sink, Stamp, count, number};
use std::collections::HashSet;
use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of key logs from which the capture is read first, to keep only what it needs.
const LARGE: u64 = 16 << 20;

/// Bytes that are read at once.
const PIECE: usize = 256 << 10;

/// How long a pipe may be silent that should bring a key log.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was said of key logs on the command line.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    files: Vec<PathBuf>,
    rsa_keys: Vec<PathBuf>,
    only_these: bool,
    try_all: bool,
}

/// What key logs told.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// The settings with the secrets in them.
    pub settings: Settings,
    /// What is wrong with a log, in one line each; not escaped.
    pub complaints: Vec<String>,
    /// What who asks for more may want to know of logs, in one line each; not escaped.
    pub remarks: Vec<String>,
}

impl Loaded {
    /// Whether the log that is named first has a key for a session, where all of them are known.
    ///
    /// # Errors
    /// Why it has none, in one line; not escaped.
    pub(super) fn check(&self, log: &Path, sessions: Option<&Randoms>) -> Result<(), String> {
        let (name, secrets) = (log.display().to_string(), &self.settings.secrets);
        let of_file = |log: &&KeyLog| matches!(&log.source, KeySource::File(file) if *file == name);
        let Some(keys) = secrets.logs().first().filter(of_file).map(|log| log.secrets).filter(|&keys| keys > 0) else {
            let complaint = self.complaints.iter().find(|line| line.starts_with(&format!("{name}: ")));
            return Err(complaint.cloned().unwrap_or_else(|| format!("{name}: no keys in it")));
        };
        let opens = |random| secrets.of(random).any(|secret| secret.origin.source == 0);
        match sessions {
            Some(sessions) if sessions.is_empty() => {
                Err(format!("{name}: no TLS stream in this capture begins with a ClientHello"))
            }
            Some(sessions) if !sessions.iter().any(opens) => {
                Err(format!("{name}: {}, for no TLS stream of this capture", count(keys, "key")))
            }
            _ => Ok(()),
        }
    }
}

/// Told how far a pass over the capture has come.
type Step<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

impl Keys {
    /// As the command line says.
    pub(super) fn new(reading: Reading) -> Self {
        let Reading { keylog: files, rsa_key: rsa_keys, no_keylog: only_these, try_keys: try_all, .. } = reading;
        Self { files, rsa_keys, only_these, try_all }
    }

    /// These, and before them one more that must exist.
    pub(super) fn with(&self, log: &Path) -> Self {
        let others = self.files.iter().filter(|other| *other != log);
        Self { files: [log].into_iter().map(Path::to_owned).chain(others.cloned()).collect(), ..self.clone() }
    }

    /// Reads all that there are before the capture's first packet is.
    ///
    /// A log that cannot be read is a complaint. Of a capture that is no file the key logs inside come as they stand. Which sessions
    /// it has may be `known` already.
    pub(super) fn load(
        &self,
        source: &Source,
        settings: Settings,
        known: Option<&Randoms>,
        stop: &Stop,
        step: Step<'_>,
    ) -> Loaded {
        let files = self.files(source);
        let remarks = self.missing_by_environment().into_iter().collect();
        let (mut secrets, mut complaints) = (Secrets::default(), Vec::new());
        let bytes: u64 = files.iter().filter_map(|(path, _)| fs::metadata(path).ok()).map(|about| about.len()).sum();
        let mut wanted = Wanted::All(settings.limits.key_secrets);
        if bytes > LARGE && source.is_whole() && !self.try_all {
            let settings = Settings { uses_own_keys: false, ..settings.clone() };
            let known = known.cloned().or_else(|| randoms(source, settings, stop, step));
            wanted = known.map_or(wanted, Wanted::Of);
        }
        let followed_keys = settings.followed_keys.clone();
        let followed = (!source.is_whole()).then_some(&followed_keys);
        for (path, must_exist) in &files {
            if is_stdin(path) && source.reads_stdin() {
                complaints.push("-: stdin is the capture; a key log there is not read".to_owned());
                continue;
            }
            complaints.extend(file(path, *must_exist, &wanted, &mut secrets, followed, stop));
        }
        complaints.extend(self.rsa_keys.iter().filter_map(|path| rsa_key(path, &mut secrets).err()));
        let reads_ahead = !self.only_these && source.is_whole();
        let ahead = if reads_ahead { inside(source, &wanted, &mut secrets, stop) } else { None };
        if let Some(report) = ahead.as_ref().and_then(Inside::report) {
            complaints.extend(complaint(&report, &secrets));
        }
        let uses_own_keys = !self.only_these && ahead.is_none();
        Loaded {
            settings: Settings {
                secrets: Arc::new(secrets),
                followed_keys,
                uses_own_keys,
                try_keys: self.try_all,
                ..settings
            },
            complaints,
            remarks,
        }
    }

    /// Says that there is no such file as the environment names. It need not be there: whoever set it may have meant another program.
    fn missing_by_environment(&self) -> Option<String> {
        let path = PathBuf::from(env::var_os("SSLKEYLOGFILE").filter(|name| !self.only_these && !name.is_empty())?);
        let error = fs::metadata(&path).err()?;
        Some(format!("{}, named by SSLKEYLOGFILE: {}", path.display(), words(&error)))
    }

    /// The files in question, each once, and whether they must exist.
    fn files(&self, source: &Source) -> Vec<(PathBuf, bool)> {
        let mut files: Vec<_> = self.files.iter().map(|path| (path.clone(), true)).collect();
        if !self.only_these {
            let named = env::var_os("SSLKEYLOGFILE").filter(|name| !name.is_empty());
            files.extend(named.map(|name| (PathBuf::from(name), false)));
            // Beside a capture that is waited for it may appear later.
            let may_come = !source.is_whole();
            let beside = source.paths().flat_map(beside).filter(|path| may_come || path.is_file());
            files.extend(beside.map(|path| (path, false)));
        }
        let mut seen = HashSet::new();
        files.retain(|(path, _)| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
        files
    }
}

/// Has who reads a capture read one more log from now on; how many keys that has so far.
///
/// # Errors
/// Why it is of no use, in one line; not escaped.
pub(super) fn follow(log: &Path, followed: &Followed, most: usize) -> Result<u64, String> {
    let name = log.display().to_string();
    let about = fs::metadata(log).map_err(|error| format!("{name}: {}", words(&error)))?;
    if !about.is_file() {
        return Err(format!("{name}: not a file"));
    }
    let mut secrets = Secrets::default();
    let complaint = file(log, true, &Wanted::All(most), &mut secrets, None, &Stop::default());
    let keys = secrets.logged();
    // One that is empty may yet be written.
    match complaint {
        Some(complaint) if keys == 0 && about.len() > 0 => Err(complaint),
        _ => {
            followed.add(name, None, Box::new(Written::new(log)));
            Ok(keys)
        }
    }
}

/// Where tools put the key log of `cap.pcap`, or of `cap.pcap.gz`.
fn beside(capture: &Path) -> impl Iterator<Item = PathBuf> {
    let stem = capture.with_extension("");
    // Of one that is compressed it is that of the capture.
    let is_capture = stem.extension().is_some_and(|ending| ["pcap", "pcapng", "cap"].iter().any(|own| ending == *own));
    let inner = is_capture.then(|| stem.with_extension(""));
    [Some(stem), inner, Some(capture.to_owned())].into_iter().flatten().flat_map(|name| {
        [".keys", ".keylog"].map(|ending| {
            let mut name: OsString = name.clone().into_os_string();
            name.push(ending);
            PathBuf::from(name)
        })
    })
}

/// Reads a file; what is wrong with it. Where the capture is waited for, the log is `followed`.
fn file(
    path: &Path,
    must_exist: bool,
    wanted: &Wanted,
    secrets: &mut Secrets,
    followed: Option<&Followed>,
    stop: &Stop,
) -> Option<String> {
    let name = path.display().to_string();
    let (mut source, is_pipe) = match open(path, stop) {
        Ok(opened) => opened,
        // Who writes it may not have begun yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound && followed.is_some() => {
            followed?.add(name.clone(), None, Box::new(Written::new(path)));
            return must_exist.then(|| format!("{name}: {}; it is waited for as the capture is", words(&error)));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => return None,
        Err(error) => return Some(format!("{name}: {}; its keys are not used", words(&error))),
    };
    let mut log = Log::new(KeySource::File(name.clone()), secrets);
    let ended = read(&mut *source, is_pipe, &mut log, wanted, secrets, stop);
    if let (Ok(true), Some(followed), false) = (&ended, followed, is_pipe) {
        let told = secrets.logs().last().is_some_and(|log| log.bad + log.dropped > 0);
        let told = if told { complaint(&log.report(), secrets) } else { None };
        followed.add(name, Some(log), source);
        return told;
    }
    log.end_line(wanted, secrets);
    match ended {
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            let lines = secrets.logs().last().map_or(0, |log| log.lines);
            Some(format!("{name}: a pipe that is silent; read so far: {}", count(lines, "line")))
        }
        Err(error) => Some(format!("{name}: {}; only what was read before is used", words(&error))),
        Ok(_) => complaint(&log.report(), secrets),
    }
}

/// Reads the private key in a file.
fn rsa_key(path: &Path, secrets: &mut Secrets) -> Result<(), String> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let file = File::open(path).and_then(|file| file.take(PEM_BYTES as u64).read_to_end(&mut bytes));
    file.map_err(|error| format!("{name}: {}; its key is not used", words(&error)))?;
    let origin = Origin { source: secrets.source(KeySource::RsaKey(name.clone())), line: 1 };
    secrets.add_rsa_key(keys::rsa_key(&bytes, origin).map_err(|why| format!("{name}: {why}"))?);
    Ok(())
}

/// A log in a file, which need not be there yet: opened when it is.
struct Written {
    path: PathBuf,
    named: Option<Named>,
}

impl Written {
    fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), named: None }
    }
}

impl Read for Written {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.named.is_none() && self.path.is_file() {
            self.named = Named::open(self.path.clone()).ok();
        }
        self.named.as_mut().map_or(Ok(0), |named| named.read(room))
    }
}

impl Text for Written {
    fn begins_anew(&mut self) -> bool {
        self.named.as_mut().is_some_and(|named| named.begin_anew().unwrap_or(false))
    }
}

impl Text for Pipe {}

/// Whether a log is standard input.
fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Opens a log; whether it is a pipe.
fn open(path: &Path, stop: &Stop) -> io::Result<(Box<dyn Text>, bool)> {
    if is_stdin(path) {
        if io::stdin().is_terminal() {
            return Err(io::Error::other("is a terminal, not a key log"));
        }
        return Ok((Box::new(Pipe::new(stop.clone(), || Ok(Box::new(io::stdin())))), true));
    }
    let about = fs::metadata(path)?;
    if about.is_file() {
        let named = Some(Named::open(path.to_owned())?);
        return Ok((Box::new(Written { named, ..Written::new(path) }), false));
    }
    if !is_pipe(&about) {
        let kind = if about.is_dir() { "directory" } else { "device" };
        return Err(io::Error::other(format!("is a {kind}, not a key log")));
    }
    let path = path.to_owned();
    let pipe = Pipe::new(stop.clone(), move || Ok(Box::new(File::open(path)?)));
    Ok((Box::new(pipe.for_at_most(PATIENCE)), true))
}

#[cfg(unix)]
fn is_pipe(about: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    about.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_: &fs::Metadata) -> bool {
    false
}

/// Reads a log, as long as it may be one; whether it came to its end.
fn read(
    source: &mut dyn Read,
    is_pipe: bool,
    log: &mut Log,
    wanted: &Wanted,
    secrets: &mut Secrets,
    stop: &Stop,
) -> io::Result<bool> {
    let mut piece = vec![0; PIECE];
    while !stop.is_wanted() {
        let read = match source.read(&mut piece) {
            Ok(0) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) if stop.is_wanted() => break,
            read => read?,
        };
        log.push(piece.get(..read).unwrap_or_default(), wanted, secrets);
        if log.is_hopeless(is_pipe, secrets) {
            break;
        }
    }
    Ok(false)
}

/// Reads the key logs that captures carry. `None` for one that begins without a place for them, which is not read twice for what may
/// stand behind it: they come as they stand.
fn inside(source: &Source, wanted: &Wanted, secrets: &mut Secrets, stop: &Stop) -> Option<Inside> {
    let (mut inside, mut readers) = (Inside::default(), 0);
    let mut may_have = false;
    let mut take = |aside: Aside<'_>| {
        if let Aside::Keys(source, text) = aside {
            inside.push(source, text, wanted, secrets);
        }
    };
    // What is wrong with a capture is told when its packets are read.
    for mut reader in source.open(stop).ok()?.readers().flatten() {
        readers += 1;
        may_have |= reader.may_have_keys();
        while reader.may_have_keys() && !stop.is_wanted() && reader.next_packet_after(&mut take).is_some() {}
    }
    (may_have || readers > 1).then_some(inside)
}

/// The randoms of the ClientHellos in a capture; `None` when it cannot be read.
///
/// One that is itself encrypted, in a renegotiation, is not among them.
fn randoms(source: &Source, settings: Settings, stop: &Stop, step: Step<'_>) -> Option<Randoms> {
    let mut reader = source.open(stop).ok()?.reader().ok()?;
    let mut hellos = Hellos(Randoms::default());
    dissect::run(&mut reader, settings, &mut hellos, step);
    Some(hellos.0)
}

struct Hellos(Randoms);

impl Sink for Hellos {
    fn accept(&mut self, _: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        if let Event::Tls(session) = event {
            self.0.extend(&session.client_randoms);
        }
        ControlFlow::Continue(())
    }

    fn hears_frames(&self) -> bool {
        false
    }

    fn hears_payloads(&self) -> bool {
        false
    }
}

/// What is wrong with a log that was read.
fn complaint(report: &Report, secrets: &Secrets) -> Option<String> {
    let log = secrets.logs().get(usize::from(report.source))?;
    let KeyLog { source, bad, others, dropped, .. } = log;
    if report.is_empty {
        return Some(format!("{source}: a key log of 0 bytes: no keys in it"));
    }
    let is_begun = matches!(report.faults[..], [(_, Fault::Cut)]);
    // Label and random are those of a key log.
    let is_bent = report.faults.iter().any(|(_, fault)| matches!(fault, Fault::Secret | Fault::More));
    if log.secrets == 0 && !is_begun && !is_bent {
        return Some(match (bad, others) {
            (0, 0) => format!("{source}: no keys in it, only comments"),
            (_, 0) => format!("{source}: not a key log: it looks like {}", report.like),
            (_, _) => format!("{source}: no keys in it that decrypt TLS records, only other labels"),
        });
    }
    if *dropped > 0 {
        return Some(format!("{source}: {} keys are too many, the last are used", number(log.secrets)));
    }
    let more = if *bad > report.faults.len() as u64 { "; …" } else { "" };
    let (none, lines) = (if log.secrets == 0 { "no keys in it: " } else { "" }, count(*bad, "line"));
    let why = || format!("{} passed over ({}{more})", number(log.lines), faults(&report.faults));
    (*bad > 0).then(|| format!("{source}: {none}{lines} of {}", why()))
}

/// `line 1: longer than 1024 bytes; lines 4, 7: …`.
fn faults(faults: &[(u32, Fault)]) -> String {
    let runs = faults.chunk_by(|(_, a), (_, b)| a == b).filter_map(|run| {
        let lines: Vec<_> = run.iter().map(|(line, _)| line.to_string()).collect();
        let (_, fault) = run.first()?;
        Some(format!("line{} {}: {fault}", if run.len() > 1 { "s" } else { "" }, lines.join(", ")))
    });
    runs.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_beside_the_capture() {
        let found: Vec<_> = beside(Path::new("dir/cap.pcap")).collect();
        let names = ["dir/cap.keys", "dir/cap.keylog", "dir/cap.pcap.keys", "dir/cap.pcap.keylog"];
        assert_eq!(found, names.map(PathBuf::from));
    }

    #[test]
    fn a_log_that_takes_the_place_of_another_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        let line = |byte: u8| format!("CLIENT_RANDOM {} {}\n", format!("{byte:02x}").repeat(32), "ab".repeat(48));
        let comments = |lines: usize| "# nothing\n".repeat(lines);
        let writes = |to: &Path, text: String| fs::write(to, text).unwrap();
        let (shorter, longer) = (comments(100), comments(3));
        let renamed = |text: String| {
            writes(&dir.path().join("new"), text);
            fs::rename(dir.path().join("new"), &path).unwrap();
        };
        for (old, is_renamed) in [(&shorter, false), (&longer, false), (&shorter, true), (&longer, true)] {
            writes(&path, old.clone());
            let (wanted, mut secrets, followed) = (Wanted::All(9), Secrets::default(), Followed::default());
            file(&path, true, &wanted, &mut secrets, Some(&followed), &Stop::default());
            let mut secrets = Arc::new(secrets);
            followed.read_on(false, &wanted, &mut secrets);
            assert_eq!(secrets.len(), 0);
            if is_renamed {
                renamed(line(1) + &line(2))
            } else {
                writes(&path, line(1) + &line(2))
            }
            followed.read_on(false, &wanted, &mut secrets);
            assert_eq!(secrets.len(), 2, "{is_renamed}");
            let last = secrets.of(&[2; 32]).next().map(|secret| secret.origin.line);
            assert_eq!(last, Some(2), "lines are counted anew");
        }
    }

    #[test]
    fn what_is_too_much_is_told_of_a_log_that_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        let line = |byte: u8| format!("CLIENT_RANDOM {} {}\n", format!("{byte:02x}").repeat(32), "ab".repeat(48));
        fs::write(&path, line(1) + &line(2)).unwrap();
        let (wanted, mut secrets) = (Wanted::All(1), Secrets::default());
        let told = file(&path, true, &wanted, &mut secrets, Some(&Followed::default()), &Stop::default());
        assert!(told.as_ref().is_some_and(|told| told.ends_with("are too many, the last are used")), "{told:?}");
    }

    #[test]
    fn faults_are_told_together() {
        let told = faults(&[(1, Fault::Label), (4, Fault::Label), (9, Fault::Long)]);
        assert_eq!(told, "lines 1, 4: does not begin with a label; line 9: longer than 1024 bytes");
    }
}
