//! The program under test, and its records as values.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where the capture comes from.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// A file, by its path.
    File(&'a Path),
    /// These bytes, on stdin.
    Bytes(&'a [u8]),
}

/// A run that ended.
pub(crate) struct Done {
    /// The exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    /// Most memory it held (resident, in KiB), as far as it was seen.
    pub(crate) peak_kib: u64,
}

/// Longer than any run may take on a busy machine: past it, it hangs.
const HANG: Duration = Duration::from_secs(300);

/// Runs `wspect ARGUMENTS FILE` to its end. `WSPECT_BIN` names another program to test.
pub(crate) fn wspect(arguments: &[&str], input: Input<'_>) -> Done {
    run(arguments, input, &[])
}

/// Runs `wspect ARGUMENTS FILE MORE` to its end.
pub(crate) fn wspect_with(arguments: &[&str], file: &Path, more: &[&str]) -> Done {
    run(arguments, Input::File(file), more)
}

fn run(arguments: &[&str], input: Input<'_>, more: &[&str]) -> Done {
    let program = std::env::var_os("WSPECT_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_wspect").into());
    let mut command = Command::new(program);
    command.args(arguments);
    match input {
        Input::File(path) => command.arg(path).stdin(Stdio::null()),
        Input::Bytes(_) => command.arg("-").stdin(Stdio::piped()),
    };
    command.args(more).env("TZ", "UTC").env_remove("CLICOLOR_FORCE").env_remove("SSLKEYLOGFILE");
    command.env("XDG_CONFIG_HOME", "/none");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::scope(|scope| {
        if let Input::Bytes(bytes) = input {
            let mut stdin = child.stdin.take().unwrap();
            // A program that has enough closes the pipe: its exit code tells what it made of that.
            scope.spawn(move || stdin.write_all(bytes).ok());
        }
        let mut out = child.stdout.take().unwrap();
        let mut err = child.stderr.take().unwrap();
        let stdout = scope.spawn(move || drain(&mut out));
        let stderr = scope.spawn(move || drain(&mut err));
        let (code, peak_kib) = wait(&mut child, arguments);
        let stderr = String::from_utf8_lossy(&stderr.join().unwrap()).into_owned();
        Done { code, stdout: stdout.join().unwrap(), stderr, peak_kib }
    })
}

fn drain(from: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Waits for the end, watching the memory; kills what hangs.
fn wait(child: &mut Child, arguments: &[&str]) -> (Option<i32>, u64) {
    let began = Instant::now();
    let mut peak = 0;
    loop {
        peak = peak.max(resident_kib(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            return (status.code(), peak);
        }
        if began.elapsed() > HANG {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("wspect {arguments:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(if began.elapsed().as_millis() < 50 { 1 } else { 10 }));
    }
}

/// The peak of a process's resident memory, 0 where the system does not say.
fn resident_kib(pid: u32) -> u64 {
    let read = |pid: &str, what: &str| std::fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
    let pid = pid.to_string();
    // For a moment after the start it still has the memory of this process, which is not its own.
    if read(&pid, "cmdline") == read("self", "cmdline") {
        return 0;
    }
    let status = String::from_utf8_lossy(&read(&pid, "status")).into_owned();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

impl Done {
    /// Its records; panics when it failed.
    pub(crate) fn records(&self) -> Vec<Value> {
        assert_eq!(self.code, Some(0), "exit code; stderr: {}", self.stderr);
        let text = std::str::from_utf8(&self.stdout).expect("records are UTF-8");
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
    }

    /// That it neither panicked nor was killed, and said on stderr what it has to say in one way or another.
    pub(crate) fn unharmed(&self, what: &str) {
        let code = self.code.unwrap_or_else(|| panic!("{what}: ended by a signal; stderr: {}", self.stderr));
        assert!([0, 1, 3].contains(&code), "{what}: exit code {code}; stderr: {}", self.stderr);
        assert!(!self.stderr.contains("panicked"), "{what}: {}", self.stderr);
    }
}

/// The records of a command.
pub(crate) fn records(command: &str, input: Input<'_>) -> Vec<Value> {
    wspect(&[command, "--json"], input).records()
}

/// A record's value, which must be there (`null` counts).
pub(crate) fn key<'a>(record: &'a Value, name: &str) -> &'a Value {
    record.get(name).unwrap_or_else(|| panic!("no `{name}` in {record}"))
}

/// A record's number.
pub(crate) fn number(record: &Value, name: &str) -> u64 {
    key(record, name).as_u64().unwrap_or_else(|| panic!("`{name}` is no number in {record}"))
}

/// A record's truth value.
pub(crate) fn flag(record: &Value, name: &str) -> bool {
    key(record, name).as_bool().unwrap_or_else(|| panic!("`{name}` is no truth value in {record}"))
}

/// A record's string.
pub(crate) fn string(record: &Value, name: &str) -> String {
    key(record, name).as_str().unwrap_or_else(|| panic!("`{name}` is no string in {record}")).to_owned()
}

/// The codes of a record's `findings`.
pub(crate) fn codes(record: &Value) -> Vec<String> {
    key(record, "findings").as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect()
}

/// One `message` record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) conn: u64,
    pub(crate) stream: u64,
    pub(crate) packet: u64,
    pub(crate) first_packet: u64,
    pub(crate) number: u64,
    pub(crate) dir: String,
    pub(crate) kind: String,
    pub(crate) opcode: u8,
    pub(crate) frames: u64,
    pub(crate) compressed: bool,
    pub(crate) wire_len: u64,
    pub(crate) len: u64,
    pub(crate) complete: bool,
    pub(crate) truncated: bool,
    pub(crate) payload: Vec<u8>,
    pub(crate) close_code: Option<u64>,
    pub(crate) close_reason: Option<String>,
    pub(crate) rtt: Option<i64>,
    pub(crate) missing: Vec<(u64, Option<u64>)>,
    pub(crate) inferred: bool,
    pub(crate) findings: Vec<String>,
}

impl Message {
    fn of(record: &Value) -> Self {
        let payload = string(record, "payload");
        let payload = match string(record, "enc").as_str() {
            "utf8" => payload.into_bytes(),
            "base64" => BASE64_STANDARD.decode(payload).unwrap(),
            other => panic!("enc {other}"),
        };
        let hole = |hole: &Value| (hole[0].as_u64().unwrap(), hole[1].as_u64());
        Self {
            conn: number(record, "conn"),
            stream: number(record, "tcp_stream"),
            packet: number(record, "packet"),
            first_packet: number(record, "first_packet"),
            number: number(record, "msg"),
            dir: string(record, "dir"),
            kind: string(record, "type"),
            opcode: number(record, "opcode") as u8,
            frames: number(record, "frames"),
            compressed: flag(record, "compressed"),
            wire_len: number(record, "wire_len"),
            len: number(record, "len"),
            complete: flag(record, "complete"),
            truncated: flag(record, "truncated"),
            payload,
            close_code: key(record, "close_code").as_u64(),
            close_reason: key(record, "close_reason").as_str().map(str::to_owned),
            rtt: key(record, "rtt_ns").as_i64(),
            missing: key(record, "missing").as_array().unwrap().iter().map(hole).collect(),
            inferred: flag(record, "inferred"),
            findings: codes(record),
        }
    }

    /// Ping, pong, close and the reserved control opcodes.
    pub(crate) fn is_control(&self) -> bool {
        self.opcode >= 8
    }

    /// For messages of failed assertions.
    pub(crate) fn brief(&self) -> String {
        let text = String::from_utf8_lossy(&self.payload[..self.payload.len().min(24)]).into_owned();
        format!(
            "{} {} len {} frames {} complete {} compressed {} missing {:?} {text:?}",
            self.dir, self.kind, self.len, self.frames, self.complete, self.compressed, self.missing
        )
    }

    /// What it says, whatever its packets and numbers.
    pub(crate) fn essence(&self) -> Essence {
        Essence {
            kind: self.kind.clone(),
            opcode: self.opcode,
            frames: self.frames,
            compressed: self.compressed,
            wire_len: self.wire_len,
            len: self.len,
            complete: self.complete,
            payload: self.payload.clone(),
            close_code: self.close_code,
            close_reason: self.close_reason.clone(),
            missing: self.missing.clone(),
        }
    }
}

/// The parts of a message that no way of capturing it may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Essence {
    kind: String,
    opcode: u8,
    frames: u64,
    compressed: bool,
    wire_len: u64,
    len: u64,
    complete: bool,
    payload: Vec<u8>,
    close_code: Option<u64>,
    close_reason: Option<String>,
    missing: Vec<(u64, Option<u64>)>,
}

/// All messages of a capture, in the order of their records.
pub(crate) fn messages(input: Input<'_>) -> Vec<Message> {
    records("msgs", input).iter().map(Message::of).collect()
}

/// A connection, its messages and findings.
#[derive(Debug, Clone)]
pub(crate) struct Conversation {
    pub(crate) conn: u64,
    pub(crate) stream: u64,
    pub(crate) h2_stream: Option<u64>,
    pub(crate) client: String,
    pub(crate) server: String,
    pub(crate) state: String,
    pub(crate) messages: Vec<Message>,
}

impl Conversation {
    /// The client's port.
    pub(crate) fn port(&self) -> u16 {
        self.client.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// The messages of one direction.
    pub(crate) fn of(&self, dir: &str) -> Vec<&Message> {
        self.messages.iter().filter(|message| message.dir == dir).collect()
    }

    /// What each direction says.
    pub(crate) fn essence(&self) -> [Vec<Essence>; 2] {
        ["c2s", "s2c"].map(|dir| self.of(dir).into_iter().map(Message::essence).collect())
    }
}

/// The connections of a capture with their messages, in order of `conn`.
pub(crate) fn conversations(input: Input<'_>) -> Vec<Conversation> {
    let mut rows: Vec<Conversation> = records("ls", input)
        .iter()
        .map(|record| Conversation {
            conn: number(record, "conn"),
            stream: number(record, "tcp_stream"),
            h2_stream: record["h2_stream"].as_u64(),
            client: string(record, "client"),
            server: string(record, "server"),
            state: string(record, "state"),
            messages: Vec::new(),
        })
        .collect();
    for message in messages(input) {
        let row = rows.iter_mut().find(|row| row.conn == message.conn);
        row.unwrap_or_else(|| panic!("message of an unlisted connection: {}", message.brief())).messages.push(message);
    }
    rows
}

/// Codes and packets of all findings.
pub(crate) fn findings(input: Input<'_>) -> Vec<(String, Value)> {
    records("check", input).into_iter().map(|record| (string(&record, "code"), record)).collect()
}
