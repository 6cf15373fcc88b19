//! The program as its users meet it: what it prints, where, and with which exit code.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that goes wrong here fails, as it should, and says on stderr what it skips"
)]

/// A snapshot for each line, under its name.
macro_rules! snapshots {
    ($($name:ident $line:literal)*) => {
        $(#[test]
        fn $name() {
            insta::assert_snapshot!(transcript($line));
        })*
    };
}

#[path = "../support/mod.rs"]
mod support;

mod config;
mod growing;
mod manual;
#[cfg(unix)]
mod on_a_terminal;
mod one_side;
#[cfg(unix)]
mod pager;
mod proto;
mod report;
mod schema;
mod sessions;
mod several;
mod tail;
mod tools;
mod written;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// The program with these arguments, as it behaves without a terminal and in UTC.
fn wspect<I: IntoIterator<Item: AsRef<OsStr>>>(args: I) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wspect"));
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command.env("TZ", "UTC").env("XDG_CONFIG_HOME", "/none");
    for variable in ["NO_COLOR", "CLICOLOR_FORCE", "COLUMNS", "SSLKEYLOGFILE", "PAGER"] {
        command.env_remove(variable);
    }
    command
}

fn run(line: &str) -> Output {
    wspect(line.split_whitespace()).output().unwrap()
}

/// stdout, stderr and exit code as one text.
fn transcript(line: &str) -> String {
    shown(line, &run(line))
}

fn shown(line: &str, output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let stderr: String = stderr.lines().map(|line| format!("! {line}\n")).collect();
    format!("$ wspect {line}\n{stdout}{stderr}[{}]\n", output.status.code().unwrap())
}

fn stdout(line: &str) -> String {
    let output = run(line);
    assert!(output.status.success(), "{line}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

snapshots! {
    ls_text "ls samples/chat.pcapng"
    ls_json "ls --json samples/chat.pcapng"
    ls_refused "ls samples/handshakes.pcapng"
    bare_is_ls "samples/mix.pcap"
    msgs_text "msgs samples/stomp.pcapng"
    msgs_text_binary "msgs -n 12 --max-payload 24 samples/fragments.pcapng"
    msgs_text_hex "msgs -n 3 -t utc --payload hex samples/stomp.pcapng"
    msgs_text_base64 "msgs -n 3 -t e --payload base64 samples/stomp.pcapng"
    msgs_text_none "msgs -n 3 -t dd --payload none samples/stomp.pcapng"
    msgs_lossy "msgs --max-payload 32 samples/lossy.pcap"
    msgs_json "msgs --json -n 8 samples/stomp.pcapng"
    msgs_json_compressed "msgs --json -n 4 samples/chat.pcapng"
    msgs_json_cut "msgs --json --max-payload 13 -n 8 samples/mix.pcap"
    frames_text "frames -n 30 samples/fragments.pcapng"
    frames_json "frames --json -n 30 samples/fragments.pcapng"
    handshake_text "handshake samples/chat.pcapng 1"
    handshake_refused "handshake samples/handshakes.pcapng 24"
    handshake_json "handshake --json -n 3 samples/handshakes.pcapng"
    show_text "show samples/stomp.pcapng 1:3 1:5"
    show_binary "show samples/mix.pcap 1:7 1:25"
    show_packet "show samples/mix.pcap --frame 8"
    show_json "show --json samples/mix.pcap 2:1"
    show_state "show --state samples/stomp.pcapng 1:5 1:14"
    show_state_json "show --state --json samples/stomp.pcapng 1:8"
    follow_text "follow samples/stomp.pcapng 1"
    follow_json "follow --json --max-payload 10 -n 2 samples/stomp.pcapng 1"
    stats_text "stats samples/fragments.pcapng"
    stats_json "stats --json samples/fragments.pcapng"
    types_text "types samples/stomp.pcapng"
    types_json "types --json -n 3 samples/mix.pcap"
    types_csv "types -T csv -n 2 -Y type==text samples/chat.pcapng"
    types_of_nothing "types -T csv -Y conn==99 samples/chat.pcapng"
    sessions_text "sessions tests/data/app_sessions.pcapng"
    sessions_json "sessions --json -n 2 tests/data/app_sessions.pcapng"
    types_new "types --new -Y conn==1 samples/stomp.pcapng"
    check_text "check samples/handshakes.pcapng"
    check_ignoring "check --ignore origin,TCP-GAP samples/lossy.pcap"
    check_explained "check --explain samples/lossy.pcap"
    check_json "check --json samples/lossy.pcap"
    export_mixed "export jsonl --records connection,handshake,message,frame,finding --max-payload 8 samples/stomp.pcapng"
    export_frames_and_messages "export jsonl --records message,frame -n 40 --payload none samples/fragments.pcapng"
    limits "--limits"
    help_short "-h"
    help_long "--help"
    help_ls "ls --help"
    help_msgs "msgs -h"
    help_frames "frames --help"
    help_handshake "handshake -h"
    help_show "show --help"
    help_follow "follow -h"
    help_stats "stats --help"
    help_types "types --help"
    help_sessions "sessions --help"
    help_check "check --help"
    help_keys "keys --help"
    help_export "export --help"
}

#[test]
fn wrong_command_lines() {
    let lines = [
        "mgs samples/mix.pcap",
        "--jsn",
        "msgs --pyload text samples/mix.pcap",
        "msgs -t noon samples/mix.pcap",
        "msgs -n many samples/mix.pcap",
        "msgs -n -1 samples/mix.pcap",
        "msgs -n 1 --tail 1 samples/mix.pcap",
        "msgs --max-payload some samples/mix.pcap",
        "show samples/mix.pcap --frame first",
        "export pcapng --conn 1,b samples/mix.pcap",
        "msgs --color blue samples/mix.pcap",
        "check --fail-on fatal samples/mix.pcap",
        "check --ignore ORIGIN,tcp-gaps samples/mix.pcap",
        "--json msgs samples/mix.pcap",
        "show samples/mix.pcap",
        "show samples/mix.pcap 1:x",
        "show samples/mix.pcap 1 --frame 8",
        "show samples/mix.pcap 1:1 --raw --json",
        "follow samples/mix.pcap",
        "follow samples/mix.pcap 1:2",
        "handshake samples/mix.pcap 1 2",
        "export",
        "export parket samples/mix.pcap",
        "export jsonl --records message,tls samples/mix.pcap",
        "-q -v ls samples/mix.pcap",
    ];
    let transcripts: Vec<_> = lines.into_iter().map(transcript).collect();
    assert!(transcripts.iter().all(|text| text.ends_with("[2]\n") && text.lines().count() == 3), "{transcripts:#?}");
    insta::assert_snapshot!(transcripts.concat());
}

/// A word that is nearly a command is told from a file that is missing.
#[test]
fn a_mistyped_command_is_recognised() {
    let said = |line| transcript(line).lines().nth(1).map(str::to_owned).unwrap_or_default();
    let advice = "! wspect: no file or command lss: did you mean `ls`?";
    assert_eq!([said("lss"), said("lss samples/mix.pcap")], [advice; 2]);
    assert_eq!(
        said("handshakes samples/mix.pcap 1"),
        "! wspect: no file or command handshakes: did you mean `handshake`?"
    );
    assert_eq!(said("nothing.pcap"), "! wspect: nothing.pcap: no such file or directory");
    assert_eq!(run("lss").status.code(), Some(2));
}

#[test]
fn help_can_be_asked_for_in_words() {
    for command in ["ls", "msgs", "check"] {
        assert_eq!(stdout(&format!("help {command}")), stdout(&format!("{command} --help")));
    }
    assert_eq!(stdout("help"), stdout("--help"));
    let wrong = transcript("help mgs");
    assert!(wrong.ends_with("! wspect: no command mgs: did you mean `msgs`?\n[2]\n"), "{wrong}");
}

/// README shows what is printed. `README=write` takes its transcripts anew.
#[test]
fn the_transcripts_in_the_readme_are_what_is_printed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let mut out = String::new();
    let mut lines = readme.lines().peekable();
    let mut transcripts = 0;
    while let Some(line) = lines.next() {
        out += &format!("{line}\n");
        let Some(command) = line.strip_prefix("$ wspect ") else { continue };
        transcripts += 1;
        while lines.next_if(|line| !line.is_empty() && *line != "```").is_some() {}
        out += &stdout(command);
    }
    assert!(transcripts >= 3);
    if std::env::var_os("README").is_some_and(|how| how == "write") {
        return fs::write(path, out).unwrap();
    }
    assert!(readme == out, "README=write cargo test --test cli readme");
}

#[test]
fn what_is_not_there() {
    let lines = [
        "show samples/mix.pcap 9",
        "show samples/mix.pcap 1:999",
        "show samples/mix.pcap 1:1 9:9",
        "show samples/mix.pcap --frame 1",
        "follow samples/mix.pcap 9",
        "handshake samples/mix.pcap 9",
    ];
    let transcripts: Vec<_> = lines.into_iter().map(transcript).collect();
    assert!(transcripts.iter().all(|text| text.ends_with("[1]\n")), "{transcripts:#?}");
    insta::assert_snapshot!(transcripts.concat());
}

#[test]
fn bad_input() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    let mix = fs::read(sample("mix.pcap")).unwrap();
    let (header, packets) = mix.split_at(24);
    file("empty.pcap", b"");
    file("no_packets.pcap", header);
    file("cut_in_header.pcap", &header[..20]);
    file("cut.pcap", &mix[..70_000]);
    file("one_syn.pcap", &mix[..24 + 16 + 74]);
    file("no_tcp.pcap", &[header, &udp_record()].concat());
    file("notes.txt", b"Hello, this is no capture.\n");
    file("capture.pcap.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03");
    file("page.har", br#"{"log":{"version":"1.2","entries":[]}}"#);
    file("packets_only.bin", &packets[..100]);
    file("esc\x1b[31m.txt", b"hostile name");
    let mut names: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.extend(["missing.pcap", "/dev/null"].map(OsString::from));
    names.sort();
    let mut text = String::new();
    for name in names {
        let output = wspect([OsStr::new("ls"), &name]).current_dir(&dir).output().unwrap();
        text += &shown(&format!("ls {}", name.display().to_string().escape_default()), &output);
    }
    insta::assert_snapshot!(text);
}

/// A record with an Ethernet frame that holds a UDP datagram without data.
fn udp_record() -> Vec<u8> {
    let ip = b"\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\x0a\0\0\x01\x0a\0\0\x02\x12\x34\x00\x35\0\x08\0\0";
    let frame = [&[2; 12][..], b"\x08\0", ip].concat();
    let len = (frame.len() as u32).to_le_bytes();
    [&[0; 8], &len[..], &len[..], &frame].concat()
}

#[test]
fn codes_for_findings_and_losses() {
    let code = |line| run(line).status.code();
    assert_eq!(code("check samples/handshakes.pcapng"), Some(0));
    assert_eq!(code("check --fail-on error samples/handshakes.pcapng"), Some(1));
    assert_eq!(code("check --fail-on error -n 0 samples/handshakes.pcapng"), Some(1));
    assert_eq!(code("check --fail-on error samples/lossy.pcap"), Some(0));
    assert_eq!(code("check --fail-on warning samples/lossy.pcap"), Some(1));
    assert_eq!(code("check --fail-on warning samples/fragments.pcapng"), Some(0));
    assert_eq!(code("check --fail-on note samples/fragments.pcapng"), Some(1));
    assert_eq!(code("msgs --strict samples/lossy.pcap"), Some(4));
    assert_eq!(code("--strict ls samples/mix.pcap"), Some(0));
}

#[test]
fn colours_follow_the_flag_then_the_environment() {
    let line = ["msgs", "-n", "1", "samples/mix.pcap"];
    let is_colored = |command: &mut Command| command.output().unwrap().stdout.contains(&0x1b);
    assert!(!is_colored(&mut wspect(line)));
    assert!(is_colored(wspect(line).args(["--color", "always"])));
    assert!(is_colored(wspect(line).env("CLICOLOR_FORCE", "1")));
    assert!(!is_colored(wspect(line).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1")));
    assert!(is_colored(wspect(line).args(["--color", "always"]).env("NO_COLOR", "1")));
    assert!(!is_colored(wspect(line).args(["--color", "never"]).env("CLICOLOR_FORCE", "1")));
}

#[test]
fn quiet_says_nothing_and_verbose_says_more() {
    assert!(run("ls -q samples/lossy.pcap").stderr.is_empty());
    let said = |line| String::from_utf8(run(line).stderr).unwrap();
    assert!(said("ls -v samples/lossy.pcap").contains(" packets, 4 TCP streams, "));
    assert!(said("ls -vv samples/lossy.pcap").contains("warning: samples/lossy.pcap: conn 1: "));
    assert!(said("ls --progress always samples/lossy.pcap").starts_with("4 connections"));
}

#[test]
fn a_pipe_is_as_good_as_a_file() {
    let commands = ["ls", "ls --json", "msgs --json", "frames", "stats --json", "msgs", "handshake", "check", "keys"];
    for command in commands {
        let name = if command == "keys" { "wss.pcapng" } else { "chat.pcapng" };
        let args = command.split(' ');
        let from_file = stdout(&format!("{command} samples/{name}"));
        let redirected = wspect(args.clone()).stdin(fs::File::open(sample(name)).unwrap()).output().unwrap();
        assert_eq!(String::from_utf8(redirected.stdout).unwrap(), from_file, "{command}");
        let piped = pipe_in(wspect(args.chain(["-"])), &fs::read(sample(name)).unwrap());
        assert_eq!(String::from_utf8(piped.stdout).unwrap(), from_file, "{command} -");
    }
}

#[test]
fn connections_come_last_from_a_pipe() {
    let line = ["export", "jsonl", "--records", "connection,message"];
    let piped = pipe_in(wspect(line), &fs::read(sample("chat.pcapng")).unwrap());
    let piped = String::from_utf8(piped.stdout).unwrap();
    let from_file = stdout("export jsonl --records connection,message samples/chat.pcapng");
    let (mut one, mut other): (Vec<_>, Vec<_>) = (piped.lines().collect(), from_file.lines().collect());
    assert!(one.iter().rev().take(6).all(|line| line.starts_with(r#"{"v":1,"kind":"connection""#)));
    assert!(other[0].starts_with(r#"{"v":1,"kind":"connection""#));
    one.sort_unstable();
    other.sort_unstable();
    assert_eq!(one, other);
}

/// Runs with these bytes on stdin, a few at a time.
fn pipe_in(mut command: Command, bytes: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || {
        for piece in bytes.chunks(1001) {
            if stdin.write_all(piece).is_err() {
                return;
            }
        }
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

#[test]
fn the_other_name_for_a_file() {
    assert_eq!(stdout("msgs -r samples/mix.pcap"), stdout("msgs samples/mix.pcap"));
    assert_eq!(stdout("show -r samples/mix.pcap 1:1 1:2"), stdout("show samples/mix.pcap 1:1 1:2"));
    assert_eq!(stdout("follow 1 -r samples/mix.pcap"), stdout("follow samples/mix.pcap 1"));
}

#[test]
fn raw_is_the_payload_and_nothing_else() {
    let raw = run("show --raw samples/mix.pcap 1:9");
    assert_eq!(raw.stdout.len(), 2000);
    assert!(raw.stdout.starts_with(b"ABCDEFG"));
    assert_eq!(run("show --raw samples/mix.pcap 1:9 1:10").stdout.len(), 4000);
}

#[test]
fn a_file_appears_whole_and_is_not_replaced_unasked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.jsonl");
    let export = |extra: &[&str]| {
        let line = ["export", "jsonl", "samples/mix.pcap", "-q", "-o"];
        wspect(line).arg(&path).args(extra).output().unwrap()
    };
    let first = export(&[]);
    assert!(first.status.success() && first.stdout.is_empty() && first.stderr.is_empty(), "{first:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), stdout("msgs --json samples/mix.pcap"));

    fs::write(&path, "mine").unwrap();
    let second = export(&[]);
    assert_eq!(second.status.code(), Some(5));
    assert!(String::from_utf8(second.stderr).unwrap().ends_with("rows.jsonl: exists: --force replaces it\n"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");

    assert!(export(&["--force"]).status.success());
    assert!(fs::read_to_string(&path).unwrap().starts_with("{\"v\":1,"));
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn outputs_that_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy.pcap");
    fs::copy(sample("mix.pcap"), &copy).unwrap();
    let onto_itself = wspect(["msgs", "--force", "-o"]).arg(&copy).arg(&copy).output().unwrap();
    assert_eq!(onto_itself.status.code(), Some(5));
    assert_eq!(fs::read(&copy).unwrap(), fs::read(sample("mix.pcap")).unwrap());
    assert_eq!(run("msgs samples/mix.pcap -o samples").status.code(), Some(5));
    assert_eq!(run("msgs samples/mix.pcap -o missing/rows.txt").status.code(), Some(5));
    // The input is looked at first: nothing is made for one that is not there.
    let rows = dir.path().join("rows.txt");
    assert_eq!(wspect(["msgs", "missing.pcap", "-o"]).arg(&rows).output().unwrap().status.code(), Some(3));
    assert!(!rows.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_a_device_is_written_as_it_is() {
    let full = run("msgs samples/mix.pcap -o /dev/full");
    assert_eq!(full.status.code(), Some(5));
    let text = String::from_utf8(full.stderr).unwrap();
    assert_eq!(text, "wspect: /dev/full: no space left on device\n");
    let onto_stdout =
        wspect(["msgs", "samples/mix.pcap", "--json"]).stdout(fs::File::create("/dev/full").unwrap()).output();
    assert_eq!(onto_stdout.unwrap().status.code(), Some(5));
    assert!(run("msgs samples/mix.pcap -o /dev/null").status.success());
    assert!(Path::new("/dev/null").exists());
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let dir = tempfile::tempdir().unwrap();
    let big = big_capture(dir.path());
    let mut child = wspect(["msgs", "--json"]).arg(&big).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(141), &b""[..]));
}

/// A capture whose rows do not fit into a pipe: the section of a sample, over and over.
fn big_capture(dir: &Path) -> PathBuf {
    let sample = fs::read(sample("fragments.pcapng")).unwrap();
    let path = dir.join("big.pcapng");
    fs::write(&path, sample.repeat(40)).unwrap();
    path
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::io::{BufRead as _, BufReader};
    use std::thread;
    use std::time::{Duration, Instant};

    fn fifo(dir: &Path) -> PathBuf {
        let path = dir.join("fifo");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    #[test]
    fn a_fifo_is_as_good_as_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = fifo(dir.path());
        let mut command = wspect(["msgs", "--json", "-q"]);
        let child = command.arg(&path).stdout(Stdio::piped()).spawn().unwrap();
        fs::write(&path, fs::read(sample("mix.pcap")).unwrap()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), stdout("msgs --json samples/mix.pcap"));
    }

    /// A burst that is over is shown, whether or not another one follows.
    #[test]
    fn rows_of_a_live_pipe_do_not_wait_for_the_next_packet() {
        let capture = fs::read(sample("mix.pcap")).unwrap();
        let mut child = wspect(["msgs", "--json", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut feed, rows) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, lines) = std::sync::mpsc::channel();
        thread::spawn(move || BufReader::new(rows).lines().try_for_each(|line| sender.send(line.unwrap())));
        let (mut fed, mut seen) = (0, 0);
        for packets in [20, 21, 30, 50] {
            let burst = (0..packets).fold(24, |at, _| {
                let len: [u8; 4] = capture[at + 8..at + 12].try_into().unwrap();
                at + 16 + u32::from_le_bytes(len) as usize
            });
            feed.write_all(&capture[fed..burst]).unwrap();
            fed = burst;
            let known = stdout_of(wspect(["msgs", "--json", "-"]), &capture[..burst]);
            // What is unfinished is not told before the pipe ends.
            let expected: Vec<_> = known.lines().filter(|row| row.contains(r#""complete":true"#)).collect();
            assert!(expected.len() >= seen);
            for row in &expected[seen..] {
                assert_eq!(lines.recv_timeout(Duration::from_secs(20)).as_deref(), Ok(*row), "{packets} packets");
            }
            seen = expected.len();
        }
        assert!(seen > 9, "the test must see rows");
        drop(feed);
        child.wait().unwrap();
    }

    fn stdout_of(command: Command, input: &[u8]) -> String {
        String::from_utf8(pipe_in(command, input).stdout).unwrap()
    }

    /// Sends a signal to one that is ready for it.
    fn signal(child: &Child, name: &str) {
        let until = Instant::now() + Duration::from_secs(10);
        while !catches_signals(child) && Instant::now() < until {
            thread::sleep(Duration::from_millis(20));
        }
        assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
    }

    /// Whether SIGINT would not end it, as far as the system tells.
    fn catches_signals(child: &Child) -> bool {
        let Ok(status) = fs::read_to_string(format!("/proc/{}/status", child.id())) else {
            thread::sleep(Duration::from_secs(1));
            return true;
        };
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & 1 << (2 - 1) != 0
    }

    /// Sends a signal to one that waits for more input, and returns what it printed and its code.
    fn interrupted(name: &str) -> (String, Option<i32>) {
        let mut child = wspect(["msgs"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&fs::read(sample("stomp.pcapng")).unwrap()).unwrap();
        thread::sleep(Duration::from_secs(1));
        let began = Instant::now();
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert!(began.elapsed() < Duration::from_secs(5), "it waited for input");
        drop(stdin);
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    }

    #[test]
    fn a_signal_ends_it_with_what_was_read() {
        let all = stdout("msgs samples/stomp.pcapng");
        for (name, expected) in [("-INT", 130), ("-TERM", 143)] {
            let (rows, code) = interrupted(name);
            assert_eq!(code, Some(expected));
            assert!(rows == all, "{name}: {} of {} bytes", rows.len(), all.len());
        }
    }

    #[test]
    fn a_signal_ends_the_wait_for_a_writer() {
        let dir = tempfile::tempdir().unwrap();
        let mut child = wspect(["msgs"]).arg(fifo(dir.path())).spawn().unwrap();
        signal(&child, "-INT");
        assert_eq!(child.wait().unwrap().code(), Some(130));
    }

    #[test]
    fn an_interrupted_file_does_not_appear() {
        let dir = tempfile::tempdir().unwrap();
        let rows = dir.path().join("rows.txt");
        let mut child = wspect(["msgs", "-o"]).arg(&rows).stdin(Stdio::piped()).spawn().unwrap();
        let open = child.stdin.take();
        thread::sleep(Duration::from_millis(500));
        signal(&child, "-INT");
        assert_eq!(child.wait().unwrap().code(), Some(130));
        drop(open);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
    }
}

/// A path that begins with a hyphen is no option, where a path is due.
#[test]
fn paths_may_begin_with_a_hyphen() {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(sample("mix.pcap"), dir.path().join("-weird.pcap")).unwrap();
    fs::write(dir.path().join("-k.txt"), "").unwrap();
    let rows = stdout("msgs -q samples/mix.pcap");
    for line in ["msgs -q -r -weird.pcap", "msgs -q -- -weird.pcap", "msgs -q -k -k.txt -r -weird.pcap"] {
        let output = wspect(line.split(' ')).current_dir(&dir).output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            rows,
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let written = wspect("msgs -q -r -weird.pcap -o -rows.txt".split(' ')).current_dir(&dir).status().unwrap();
    assert_eq!(written.code(), Some(0));
    assert_eq!(fs::read_to_string(dir.path().join("-rows.txt")).unwrap(), rows);
}

#[test]
fn limits_count_rows_and_change_nothing_else() {
    for command in
        ["ls", "ls --json", "msgs", "msgs --json", "frames --json", "check --json", "handshake --json", "keys --json"]
    {
        let name = if command == "keys --json" { "wss.pcapng" } else { "handshakes.pcapng" };
        let all = stdout(&format!("{command} -q samples/{name}"));
        let header = usize::from(command == "ls");
        let some = stdout(&format!("{command} -q -n 3 samples/{name}"));
        assert_eq!(some.lines().count(), 3 + header, "{command}");
        if command.ends_with("--json") {
            assert!(all.starts_with(&some), "{command}");
        }
        assert_eq!(stdout(&format!("{command} -q -n 0 samples/{name}")), "", "{command}");
    }
}

/// Why a connection was closed stands in a message, and is known whatever is kept of others.
#[test]
fn the_least_that_is_kept_of_a_message_holds_a_close_frame() {
    let rows = stdout("ls -q samples/mix.pcap");
    let without_sign: String = stdout("ls -q --max-message 0 samples/mix.pcap").replace(" !", "");
    assert_eq!(without_sign, rows);
}

#[test]
fn no_control_character_reaches_a_terminal() {
    let captures = fs::read_dir(sample("")).unwrap().map(|entry| entry.unwrap().path());
    for sample in captures.filter(|path| path.extension().is_some_and(|one| one == "pcap" || one == "pcapng")) {
        for command in [
            "ls",
            "msgs",
            "msgs --payload text",
            "frames",
            "handshake",
            "follow",
            "show",
            "stats",
            "sessions",
            "types",
            "check",
            "keys",
        ] {
            let place = if matches!(command, "follow" | "show") { Some("1") } else { None };
            let output = wspect(command.split(' ')).arg(&sample).args(place).output().unwrap();
            assert!(output.status.success(), "{command} {}: {output:?}", sample.display());
            let text = String::from_utf8(output.stdout).unwrap();
            let is_odd = |c: char| c.is_control() && c != '\n' || wspect::escape::is_hidden(c);
            assert!(!text.contains(is_odd), "{command} {}", sample.display());
        }
    }
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

/// What is said on stderr goes to a file that is asked for; why nothing came of it stays on stderr as well.
#[test]
fn a_log_has_what_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let logged = |line: &str| {
        let output = wspect(line.split(' ')).arg("--log").arg(&log).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(logged("msgs -n 1 samples/mix.pcap"), (Some(0), String::new()));
    let (code, said) = logged("ls /none/such");
    assert_eq!((code, said.lines().count()), (Some(3), 1), "{said}");
    let log = fs::read_to_string(&log).unwrap();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains("/none/such"), "{log}");
}

/// Pseudonyms are others each time.
#[test]
fn what_stands_is_redacted() {
    let shown = stdout("show --state --redact json:x samples/stomp.pcapng 1:8");
    let line = shown.lines().find(|line| line.starts_with("  subscription ")).unwrap();
    assert!(line.starts_with("  subscription redacted-") && !line.contains("queue"), "{shown}");
}
