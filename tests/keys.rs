//! Key logs as users have them: where they are found, what is said of bad ones, and that no secret is ever told.

#![allow(
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that goes wrong here fails, as it should, and one that is skipped says so"
)]

mod support;

use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use support::craft::{
    Client, Ng, Packet, Pcap, Server, Session, Tls, Wire, capture_of, packets, pcapng as pcapng_of, read,
};
use support::truth::Truth;
use tempfile::TempDir;

/// A capture of two TLS streams, without the key log that stands beside it among the samples.
fn capture(dir: &TempDir) -> PathBuf {
    let place = dir.path().join("cap.pcap");
    fs::copy(sample("tls.pcap"), &place).unwrap();
    place
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

fn key_log() -> String {
    fs::read_to_string(sample("tls.keys")).unwrap()
}

fn wspect(dir: &TempDir, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wspect"));
    command.env("XDG_CONFIG_HOME", "/none");
    command.args(line.split_whitespace()).current_dir(dir.path()).stdin(Stdio::null());
    command.env("TZ", "UTC").env_remove("SSLKEYLOGFILE").env_remove("CLICOLOR_FORCE");
    command
}

fn piped(dir: &TempDir, line: &str, input: &[u8]) -> Output {
    let mut command = wspect(dir, line);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

/// The `tls` records of a run.
fn records(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Where the key of each stream stands, by the records.
fn sources(output: &Output) -> Vec<Option<String>> {
    records(output).iter().map(|record| record["source"].as_str().map(str::to_owned)).collect()
}

/// What stderr says before the sum of the streams.
fn complaints(output: &Output) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    stderr.lines().filter(|line| line.starts_with("wspect: ")).map(|line| format!("{line}\n")).collect()
}

/// Adds a decryption secrets block with that key log; of none no block.
fn add_secrets(file: &mut Ng, text: &str) {
    if !text.is_empty() {
        let mut body = file.out();
        body.u32(0x544c_534b).u32(text.len() as u32).raw(text.as_bytes());
        file.block(10, &body.bytes);
    }
}

/// A pcapng of the capture's packets, with a comment on its section and blocks before and behind them.
fn pcapng_in_blocks<'a>(comment: &str, before: &str, behind: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut file = Ng::commented(false, comment);
    let packets = read(&fs::read(sample("tls.pcap")).unwrap());
    file.interface(packets[0].link, None, None);
    add_secrets(&mut file, before);
    for packet in &packets {
        file.enhanced(0, packet.time as u64 / 1000, packet);
    }
    for text in behind {
        add_secrets(&mut file, text);
    }
    file.bytes
}

/// The same with at most one block behind the packets.
fn pcapng(comment: &str, before: &str, behind: &str) -> Vec<u8> {
    pcapng_in_blocks(comment, before, [behind])
}

/// Log, and what is said of it.
#[test]
fn a_bad_key_log_is_one_clear_line() {
    let dir = TempDir::new().unwrap();
    capture(&dir);
    let (random, secret) = ("5a".repeat(32), "a5".repeat(47));
    let bent = format!("EXPORTER_SECRET {random} {secret}\nCLIENT_TRAFFIC_SECRET_0 {random} {secret}\n");
    let lone = format!("CLIENT_RANDOM {random} {secret}\n");
    let logs: [(&str, &[u8]); 12] = [
        ("empty", b""),
        ("capture", b"\xd4\xc3\xb2\xa1\x02\0\x04\0"),
        ("pcapng", b"\x0a\x0d\x0d\x0a\x1c\0\0\0"),
        ("pem", b"-----BEGIN PRIVATE KEY-----\nMIIE\n"),
        ("utf16", b"\xff\xfeC\0L\0I\0E\0N\0T\0\n\0"),
        ("binary", b"\x7fELF\x02\x01\x01\0\0\0\n\0\0"),
        ("text", b"hello\nCLIENT_RANDOM 00 00\n"),
        ("comments", b"# nothing yet\n\n"),
        ("others", b"EXPORTER_SECRET 00112233 44556677\n"),
        ("begun", b"# opened\nCLIENT_RANDOM 0011"),
        ("bent", bent.as_bytes()),
        ("lone", lone.as_bytes()),
    ];
    let mut told = String::new();
    for (name, bytes) in logs {
        fs::write(dir.path().join(name), bytes).unwrap();
        told += &complaints(&wspect(&dir, &format!("keys cap.pcap -k {name}")).output().unwrap());
    }
    let mixed = format!("garbage\n{}secret of mine\n{}\n", key_log(), "x".repeat(2000));
    fs::write(dir.path().join("mixed"), mixed).unwrap();
    let cut = key_log();
    fs::write(dir.path().join("cut"), &cut[..cut.len() - 9]).unwrap();
    for name in ["mixed", "cut", "missing", "."] {
        let output = wspect(&dir, &format!("keys cap.pcap -k {name}")).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        told += &complaints(&output);
    }
    insta::assert_snapshot!(told);
}

#[test]
fn key_logs_are_found_where_tools_put_them() {
    let dir = TempDir::new().unwrap();
    capture(&dir);
    let run = |line: &str| sources(&wspect(&dir, line).output().unwrap());
    let all_from = |name: &str| [Some(format!("{name}:1")), Some(format!("{name}:6"))];
    assert_eq!(run("keys --json cap.pcap"), [None, None]);
    for name in ["cap.keys", "cap.keylog", "cap.pcap.keys", "cap.pcap.keylog", "elsewhere"] {
        fs::write(dir.path().join(name), key_log()).unwrap();
        if name != "elsewhere" {
            assert_eq!(run("keys --json cap.pcap"), all_from(name));
            assert_eq!(run("keys --json --no-keylog cap.pcap"), [None, None]);
            fs::remove_file(dir.path().join(name)).unwrap();
        }
    }
    // Who compresses the capture leaves them where they are.
    let packed = ["cap.pcap.gz", "old.cap.gz", "new.pcapng.zst"];
    for (packed, logs) in packed.iter().zip(["cap.keys cap.pcap.keylog cap.pcap.gz.keys", "old.keys", "new.keylog"]) {
        fs::copy(dir.path().join("cap.pcap"), dir.path().join(packed)).unwrap();
        for name in logs.split(' ') {
            fs::write(dir.path().join(name), key_log()).unwrap();
            assert_eq!(run(&format!("keys --json {packed}")), all_from(name));
            fs::remove_file(dir.path().join(name)).unwrap();
        }
    }
    fs::write(dir.path().join("b.keys"), key_log()).unwrap();
    fs::copy(dir.path().join("cap.pcap"), dir.path().join("b.day1.gz")).unwrap();
    assert_eq!(run("keys --json b.day1.gz"), [None, None]);
    assert_eq!(run("keys --json cap.pcap -k elsewhere"), all_from("elsewhere"));
    assert_eq!(run("keys --json --no-keylog cap.pcap -k elsewhere -k elsewhere"), all_from("elsewhere"));
    let mut command = wspect(&dir, "keys --json cap.pcap");
    assert_eq!(sources(&command.env("SSLKEYLOGFILE", "elsewhere").output().unwrap()), all_from("elsewhere"));
    let mut command = wspect(&dir, "keys --json cap.pcap");
    let output = command.env("SSLKEYLOGFILE", "not there yet").output().unwrap();
    assert_eq!((sources(&output), complaints(&output)), (vec![None, None], String::new()));
    // Who asks for more is told; who set it may have meant another program.
    let mut command = wspect(&dir, "keys -v --json cap.pcap");
    let output = command.env("SSLKEYLOGFILE", "not there yet").output().unwrap();
    let line = "wspect: not there yet, named by SSLKEYLOGFILE: no such file or directory\n";
    assert_eq!(complaints(&output).matches(line).count(), 1, "{output:?}");
}

#[test]
fn key_logs_in_the_capture_count_wherever_they_stand_in_a_file() {
    let dir = TempDir::new().unwrap();
    let log = key_log();
    let both = |word: &str| [Some(word.to_owned()), Some(word.to_owned())];
    for (comment, before, behind, word) in
        [("", &*log, "", "dsb"), ("", "", &*log, "dsb"), (&*log, "", "", "comment"), ("mine", "", &*log, "dsb")]
    {
        let file = pcapng(comment, before, behind);
        fs::write(dir.path().join("cap.pcapng"), &file).unwrap();
        assert_eq!(sources(&wspect(&dir, "keys --json cap.pcapng").output().unwrap()), both(word));
        assert_eq!(sources(&wspect(&dir, "keys --json --no-keylog cap.pcapng").output().unwrap()), [None, None]);
        assert_eq!(sources(&piped(&dir, "keys --json", &file)), both(word));
        assert_eq!(sources(&piped(&dir, "keys --json --no-keylog", &file)), [None, None]);
    }
}

/// The lab's captures with a key log, and what their endpoints logged of each session.
#[test]
fn every_session_of_the_lab_is_told_as_its_endpoint_knew_it() {
    let dir = TempDir::new().unwrap();
    let captures = ["tls_hrr.pcap", "tls_resume12id.pcap", "tls_resume12ticket.pcap", "tls_resume13.pcap"];
    for name in captures.into_iter().chain(["tls_tls12.pcap", "tls_tls13.pcap", "tls_tls13_dsb.pcapng"]) {
        let Some(path) = support::capture("lab", name) else { continue };
        let told = records(&wspect(&dir, "keys --json").arg(&path).output().unwrap());
        let (stem, _) = name.split_once('.').unwrap();
        let truth = Truth::read(&support::find("lab", &format!("{stem}.truth.jsonl")).unwrap());
        let logged: Vec<&Value> = truth.of("tls").filter(|line| line["side"] == "client").collect();
        assert!(!logged.is_empty(), "{name}");
        for line in logged {
            let port = format!(":{}", line["id"].as_str().unwrap());
            let session = told.iter().find(|session| session["client"].as_str().unwrap().ends_with(&port)).unwrap();
            assert_eq!(session["cipher"], line["cipher"], "{name} {line}");
            assert_eq!(session["keys"], "matched", "{name} {line}");
            assert!(session["decrypted_bytes"].as_u64() > Some(0) && session["why_not"].is_null(), "{name} {session}");
            let source = session["source"].as_str().unwrap();
            let is_there = if name.ends_with("ng") { source == "dsb" } else { at_line(source, session) };
            assert!(is_there, "{name} {session}");
        }
    }
    let Some(path) = support::capture("lab", "d_tls_partial_keys.pcap") else { return };
    let told = records(&wspect(&dir, "keys --json").arg(&path).output().unwrap());
    let states = told.iter().map(|session| (session["keys"].as_str().unwrap(), session["why_not"].as_str()));
    let states: Vec<_> = states.collect();
    assert_eq!(states, [("none", Some("no key for this client random")), ("matched", None)]);
}

/// Whether the line that a record names begins the session's lines.
fn at_line(source: &str, session: &Value) -> bool {
    let (file, line) = source.rsplit_once(':').unwrap();
    let log = fs::read_to_string(file).unwrap();
    let random = session["client_random"].as_str().unwrap();
    log.lines().position(|line| line.contains(random)) == Some(line.parse::<usize>().unwrap() - 1)
}

/// Of a log that is larger than what is read before the capture, only what the capture needs is kept.
#[test]
fn a_large_key_log_is_searched_for_what_is_needed() {
    let dir = TempDir::new().unwrap();
    capture(&dir);
    let mut log = String::new();
    for number in 0..100_000_u32 {
        log += &format!("CLIENT_RANDOM {number:064x} {number:096x}\r\n");
    }
    log += &key_log().to_ascii_uppercase().replace("\n", "\r\n");
    assert!(log.len() > 16 << 20);
    fs::write(dir.path().join("cap.keys"), &log).unwrap();
    let output = wspect(&dir, "keys --json cap.pcap").output().unwrap();
    assert_eq!(sources(&output), [100_001, 100_006].map(|line| Some(format!("cap.keys:{line}"))));
    let sum = String::from_utf8(output.stderr).unwrap();
    assert!(sum.contains("100 008 keys") && sum.contains("100 000 of no stream"), "{sum}");
}

/// A line of any length is passed over; what has none but bad lines is not read to its end.
#[test]
fn keys_are_found_behind_a_line_without_end() {
    let dir = TempDir::new().unwrap();
    capture(&dir);
    let found_behind = |bad: &str| {
        let mut file = fs::File::create(dir.path().join("log")).unwrap();
        file.write_all(bad.as_bytes()).unwrap();
        file.set_len(65 << 20).unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        file.write_all(format!("\n{}", key_log()).as_bytes()).unwrap();
        sources(&wspect(&dir, "keys --json cap.pcap -k log").output().unwrap())
    };
    assert_eq!(found_behind(""), [Some("log:2".to_owned()), Some("log:7".to_owned())]);
    assert_eq!(found_behind(&"bad\n".repeat(1000)), [None, None]);
}

#[cfg(unix)]
#[test]
fn a_silent_pipe_is_not_waited_for() {
    let dir = TempDir::new().unwrap();
    capture(&dir);
    assert!(Command::new("mkfifo").arg(dir.path().join("fifo")).status().unwrap().success());
    let output = wspect(&dir, "keys cap.pcap -k fifo").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(complaints(&output), "wspect: warning: fifo: a pipe that is silent; read so far: 0 lines\n");
}

/// What is encrypted otherwise is named, and not decoded.
#[test]
fn dtls_and_quic_are_named() {
    let dir = TempDir::new().unwrap();
    let udp = |payload: &[u8]| {
        let len = 28 + payload.len() as u8;
        let ip =
            [0x45, 0, 0, len, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1, 1, 187, 1, 187, 0, len - 20, 0, 0];
        [&[2; 12][..], b"\x08\0", &ip, payload].concat()
    };
    let mut packets = read(&fs::read(sample("tls.pcap")).unwrap());
    let last = packets.last().unwrap().clone();
    for payload in
        [&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 9, 1][..], &[0xc3, 0, 0, 0, 1, 1, 9], &[0xe3, 0, 0, 0, 1, 1, 9]]
    {
        let bytes = udp(payload);
        packets.push(Packet { orig_len: bytes.len() as u32, bytes, ..last.clone() });
    }
    fs::write(dir.path().join("cap.pcap"), Pcap::default().file(&packets)).unwrap();
    fs::write(dir.path().join("cap.keys"), key_log()).unwrap();
    for command in ["keys", "ls", "ls --no-keylog"] {
        let output = wspect(&dir, &format!("{command} cap.pcap")).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("1 packet of DTLS: not decoded") && said.contains("2 packets of QUIC: not decoded"),
            "{said}"
        );
    }
}

#[test]
fn strict_fails_without_keys() {
    let dir = TempDir::new().unwrap();
    capture(&dir);
    fs::write(dir.path().join("keys"), key_log()).unwrap();
    let half: String = key_log().lines().take(5).map(|line| format!("{line}\n")).collect();
    fs::write(dir.path().join("half"), half).unwrap();
    let code = |line: &str| wspect(&dir, line).output().unwrap().status.code();
    assert_eq!(code("ls --strict cap.pcap"), Some(4));
    assert_eq!(code("keys --strict cap.pcap"), Some(4));
    assert_eq!(code("ls --strict cap.pcap -k half"), Some(4));
    assert_eq!(code("ls --strict cap.pcap -k keys"), Some(0));
    assert_eq!(code("ls cap.pcap"), Some(0));
}

#[test]
fn without_keys_it_says_how_to_give_them() {
    let dir = TempDir::new().unwrap();
    capture(&dir);
    let output = wspect(&dir, "ls cap.pcap").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("2 TLS streams: encrypted; with their key log: wspect -k keys.txt cap.pcap"), "{stderr}");
}

/// Also one so large that none of it is kept.
#[test]
fn a_wrong_key_log_is_said_to_be_wrong() {
    let dir = TempDir::new().unwrap();
    capture(&dir);
    for number in [100_u32, 100_000] {
        let log: String = (0..number).map(|n| format!("CLIENT_RANDOM {n:064x} {n:096x}\n")).collect();
        fs::write(dir.path().join("wrong"), log).unwrap();
        let output = wspect(&dir, "ls cap.pcap -k wrong").output().unwrap();
        let (stderr, thousands) = (String::from_utf8(output.stderr).unwrap(), number / 1000);
        let keys = if thousands > 0 { format!("{thousands} 000") } else { number.to_string() };
        let expected = format!("2 TLS streams: none decrypted with {keys} keys; wspect keys tells why");
        assert!(stderr.contains(&expected), "{stderr}");
        let output = wspect(&dir, "check cap.pcap -k wrong").output().unwrap();
        let found = String::from_utf8(output.stdout).unwrap();
        assert_eq!(found.matches("NO-KEYS").count(), 2, "{found}");
    }
}

#[test]
fn tells_of_every_stream() {
    let dir = TempDir::new().unwrap();
    capture(&dir);
    let half: String = key_log().lines().take(5).map(|line| format!("{line}\n")).collect();
    let other = "CLIENT_RANDOM ".to_owned() + &"ab".repeat(32) + " " + &"cd".repeat(48);
    fs::write(dir.path().join("cap.keys"), half + &other).unwrap();
    let shown = |line: &str| {
        let output = wspect(&dir, line).output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let text = shown("keys cap.pcap");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    fs::copy(sample("mix.pcap"), dir.path().join("clear.pcap")).unwrap();
    let others =
        ["keys --json cap.pcap", "keys --no-keylog -n 1 cap.pcap", "keys clear.pcap", "keys clear.pcap -k cap.keys"];
    insta::assert_snapshot!(format!("{text}\n{}", others.map(shown).join("\n")));
}

/// From a pipe what is said is the same, wherever the secrets stand; behind the packets it is known with the last of them.
#[test]
fn records_in_a_pipe_wait_for_their_keys() {
    let dir = TempDir::new().unwrap();
    let log = key_log();
    let said = |command: &str, file: &[u8]| {
        let mut said = records(&piped(&dir, command, file));
        for record in &mut said {
            let record = record.as_object_mut().unwrap();
            for key in ["packet", "time", "request", "response"] {
                record.remove(key);
            }
        }
        said
    };
    for command in ["msgs --json", "frames --json", "keys --json", "handshake --json"] {
        let before = said(command, &pcapng("", &log, ""));
        assert!(before.len() >= 2, "{command}");
        assert_eq!(said(command, &pcapng("", "", &log)), before, "{command}");
    }
    // Line by line, in blocks of their own, each stream's last line first.
    let lines: Vec<&str> = log.lines().collect();
    let file = pcapng_in_blocks("", "", lines.chunks(5).flat_map(|lines| lines.iter().rev().copied()));
    assert_eq!(said("msgs --json", &file), said("msgs --json", &pcapng("", &log, "")));
    let packets = records(&piped(&dir, "msgs --json", &file));
    let last = packets.iter().map(|record| record["packet"].as_u64().unwrap()).min();
    assert_eq!(last, packets.iter().map(|record| record["packet"].as_u64().unwrap()).max());
    // Without the key of one stream the other is whole.
    let half: String = log.lines().take(5).map(|line| format!("{line}\n")).collect();
    assert_eq!(sources(&piped(&dir, "keys --json", &pcapng("", "", &half))), [Some("dsb".to_owned()), None]);
}

/// A browser writes its key log while the capture is taken: what is appended is read, also of a log that nobody began yet.
#[test]
fn a_key_log_is_read_on_while_the_capture_is_waited_for() {
    let dir = TempDir::new().unwrap();
    let (bytes, log) = (fs::read(capture(&dir)).unwrap(), key_log());
    fs::remove_file(dir.path().join("cap.keys")).ok();
    fs::write(dir.path().join("whole"), &log).unwrap();
    let whole = records(&wspect(&dir, "msgs --json cap.pcap -k whole").output().unwrap());
    let half: String = log.lines().take(5).map(|line| format!("{line}\n")).collect();
    let rest = &log[half.len()..];
    for (named, text) in [("early", format!("{half}{rest}")), ("later", rest.to_owned())] {
        fs::write(dir.path().join("early"), &half).unwrap();
        let mut command = wspect(&dir, "msgs --json - -k early");
        command.env("SSLKEYLOGFILE", "later").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let (first, last) = bytes.split_at(bytes.len() - 20);
        input.write_all(first).unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut lines = String::new();
        // The logs were read, as far as they go.
        said.read_line(&mut lines).unwrap();
        fs::write(dir.path().join(named), text).unwrap();
        input.write_all(last).unwrap();
        drop(input);
        said.read_to_string(&mut lines).unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(lines.lines().count(), whole.len(), "{named}");
    }
}

/// A capture that begins behind the handshakes: keys are tried when the user says so, also those of a log that is searched
/// otherwise.
#[test]
fn keys_are_tried_where_no_hello_names_them() {
    let dir = TempDir::new().unwrap();
    let mut session = Session::new(1);
    for n in 0..20 {
        session.text(Client, &format!("message {n}")).text(Server, "yes");
    }
    session.close();
    let tls = Tls::around(1, &session);
    fs::write(dir.path().join("cap.pcap"), capture_of(&tls.session.segments()[30..])).unwrap();
    let others: String = (0..180_000_u32).map(|n| format!("# {n:090}\n")).collect();
    fs::write(dir.path().join("cap.keys"), others + &tls.log()).unwrap();
    let why = |line: &str| records(&wspect(&dir, line).output().unwrap())[0]["why_not"].clone();
    assert_eq!(why("keys --json cap.pcap"), "the ClientHello was not captured: the key cannot be looked up");
    assert_eq!(why("keys --json --try-keys cap.pcap"), Value::Null);
    assert!(records(&wspect(&dir, "msgs --json --try-keys cap.pcap").output().unwrap()).len() > 20);
    // From a pipe they may stand behind the packets: also of a stream that has ended before, with few records.
    let segments = tls.session.segments();
    let payloads = |said: &[Value]| said.iter().map(|said| said["payload"].clone()).collect::<Vec<_>>();
    for from in [30, segments.len() - 11] {
        let mut file = Ng::new(false);
        file.bytes = pcapng_of(&packets(&segments[from..], &Wire::default()), false);
        add_secrets(&mut file, &tls.log());
        fs::write(dir.path().join("late.pcapng"), &file.bytes).unwrap();
        let said = records(&wspect(&dir, "msgs --json --try-keys late.pcapng").output().unwrap());
        assert!(said.len() > 2, "{said:?}");
        assert_eq!(payloads(&records(&piped(&dir, "msgs --json --try-keys", &file.bytes))), payloads(&said));
    }
}

/// What was captured and cannot be read is not said to be missing, nor that it was not sent.
#[test]
fn what_is_not_decrypted_is_not_called_missing() {
    let dir = TempDir::new().unwrap();
    let mut session = Session::new(1);
    for n in 0..5 {
        session.text(Client, &format!("message {n}")).text(Server, "yes");
    }
    session.close();
    let tls = Tls::around(1, &session);
    fs::write(dir.path().join("cap.pcap"), capture_of(&tls.session.segments())).unwrap();
    let mut told = String::new();
    for side in ["CLIENT_", "SERVER_"] {
        let of_side = |line: &&str| line.starts_with(side) && line.contains("TRAFFIC");
        let lines: Vec<String> = tls.log().lines().filter(of_side).map(str::to_owned).collect();
        fs::write(dir.path().join("half"), lines.join("\n")).unwrap();
        let output = |line: &str| wspect(&dir, line).output().unwrap();
        told += &format!("{side}\n{}\n", records(&output("ls --json cap.pcap -k half"))[0]["verdict"]);
        for command in ["check", "ls"] {
            told += &String::from_utf8(output(&format!("{command} cap.pcap -k half")).stdout).unwrap();
        }
    }
    assert!(!["captured", "did not answer"].iter().any(|words| told.contains(words)), "{told}");
    insta::assert_snapshot!(told);
}

#[test]
fn a_private_key_is_named_where_it_opens_a_stream() {
    let dir = TempDir::new().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for name in ["tls_rsa.pcap", "tls_rsa.pem", "tls_rsa.premasters"] {
        fs::copy(data.join(name), dir.path().join(name)).unwrap();
    }
    let output = wspect(&dir, "keys --json tls_rsa.pcap --rsa-key tls_rsa.pem").output().unwrap();
    assert_eq!(sources(&output), [const { "tls_rsa.pem" }; 5].map(|name| Some(name.to_owned())));
    let output = wspect(&dir, "keys tls_rsa.pcap -k tls_rsa.premasters").output().unwrap();
    let sum = String::from_utf8(output.stderr).unwrap();
    assert!(sum.contains("5 keys") && !sum.contains("of no stream"), "{sum}");
    // Lines of both kinds, as OpenSSL writes them, are of the same streams.
    fs::copy(data.join("tls_rsa.keys"), dir.path().join("both")).unwrap();
    let output = wspect(&dir, "keys tls_rsa.pcap -k both").output().unwrap();
    let sum = String::from_utf8(output.stderr).unwrap();
    assert!(sum.contains("10 keys from key logs, each of a stream here"), "{sum}");
    fs::write(dir.path().join("encrypted"), "-----BEGIN ENCRYPTED PRIVATE KEY-----\n-----END").unwrap();
    for (name, why) in [
        ("encrypted", "the key is encrypted: decrypt it first, as with openssl pkey"),
        ("tls_rsa.premasters", "no private key (PEM)"),
        ("missing", "no such file or directory; its key is not used"),
    ] {
        let output = wspect(&dir, &format!("keys tls_rsa.pcap --rsa-key {name}")).output().unwrap();
        assert_eq!((output.status.code(), complaints(&output)), (Some(0), format!("wspect: warning: {name}: {why}\n")));
    }
}

/// Every command, in text and as records, with good keys and with garbage: no secret in any of it.
#[test]
fn no_secret_is_told() {
    let dir = TempDir::new().unwrap();
    let log = key_log();
    let secrets: Vec<&str> = log.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    assert_eq!(secrets.len(), 10);
    fs::write(dir.path().join("a.pcapng"), pcapng(&log, "", &log)).unwrap();
    fs::copy(sample("tls.pcap"), dir.path().join("b.pcap")).unwrap();
    fs::write(dir.path().join("b.keys"), &log).unwrap();
    // Lines that are broken in every way, of which complaints are made.
    let broken: String = log.lines().map(|line| format!("{line}0 {line}\nX{line}\n{}\n", &line[20..])).collect();
    fs::write(dir.path().join("broken"), broken).unwrap();
    fs::write(dir.path().join("keys"), &log).unwrap();
    let commands = [
        "ls",
        "ls --json",
        "msgs",
        "msgs --json",
        "frames",
        "frames --json",
        "handshake",
        "handshake --json",
        "stats",
        "stats --json",
        "types",
        "types --json",
        "check",
        "check --json",
        "keys",
        "keys --json",
        "export jsonl --records connection,handshake,message,frame,finding",
    ];
    for file in ["a.pcapng", "b.pcap", "b.pcap -k broken", "keys", "b.pcap -k b.pcap"] {
        for command in commands {
            let output = wspect(&dir, &format!("{command} -vv {file}")).output().unwrap();
            let is_capture = file != "keys";
            assert_eq!(output.status.code(), Some(if is_capture { 0 } else { 3 }), "{command} {file}: {output:?}");
            let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).to_ascii_lowercase();
            for secret in &secrets {
                assert!(!text.contains(&secret[..16]), "{command} {file}");
                assert!(!text.contains(&secret[secret.len() - 16..]), "{command} {file}");
            }
        }
    }
}

/// A right log and a wrong one, whichever is read first: the records tell which of them is right.
#[test]
fn a_wrong_key_log_takes_nothing_from_a_right_one() {
    let dir = TempDir::new().unwrap();
    capture(&dir);
    let log = key_log();
    let wrong: String = log.lines().map(|line| format!("{}{}\n", &line[..line.len() - 4], "0bad")).collect();
    fs::write(dir.path().join("right"), &log).unwrap();
    fs::write(dir.path().join("wrong"), &wrong).unwrap();
    fs::write(dir.path().join("both"), format!("{wrong}{log}")).unwrap();
    fs::write(dir.path().join("dsb.pcapng"), pcapng("", &log, "")).unwrap();
    let from = |name: &str, lines: [u32; 2]| lines.map(|line| Some(format!("{name}:{line}")));
    for (line, expected) in [
        ("cap.pcap -k wrong -k right", from("right", [1, 6])),
        ("cap.pcap -k right -k wrong", from("right", [1, 6])),
        ("cap.pcap -k both", from("both", [11, 16])),
        ("dsb.pcapng -k wrong", [const { "dsb" }; 2].map(|dsb| Some(dsb.to_owned()))),
    ] {
        let output = wspect(&dir, &format!("keys --json {line}")).output().unwrap();
        assert_eq!(sources(&output), expected, "{line}");
        assert!(records(&output).iter().all(|record| record["why_not"].is_null()), "{line}");
    }
}

#[test]
fn a_key_that_does_not_fit_is_none() {
    let dir = TempDir::new().unwrap();
    capture(&dir);
    let wrong: String = key_log().lines().map(|line| format!("{}0bad\n", &line[..line.len() - 4])).collect();
    fs::write(dir.path().join("wrong"), wrong).unwrap();
    let output = wspect(&dir, "keys --json cap.pcap -k wrong").output().unwrap();
    for record in records(&output) {
        let why = record["why_not"].as_str().unwrap();
        assert!(record["keys"] == "none" && why.starts_with("the key does not fit"), "{record}");
    }
    assert!(!String::from_utf8(output.stderr).unwrap().contains("all fit"));
}

/// Where records with data are missing not all is decrypted, and that is said.
#[test]
fn a_gap_is_a_reason() {
    let dir = TempDir::new().unwrap();
    let mut session = Session::new(1);
    for n in 0..5 {
        session.text(Client, &format!("message {n}")).text(Server, "yes");
    }
    session.close();
    let tls = Tls::around(1, &session);
    fs::write(dir.path().join("cap.keys"), tls.log()).unwrap();
    let mut segments = tls.session.segments();
    let why = |segments: &[_]| {
        fs::write(dir.path().join("cap.pcap"), capture_of(segments)).unwrap();
        records(&wspect(&dir, "keys --json cap.pcap").output().unwrap())[0]["why_not"].clone()
    };
    assert_eq!(why(&segments), Value::Null);
    let lost = segments.len() - 12;
    segments.remove((lost..).find(|&at| segments[at].payload.len() > 5).unwrap());
    assert!(why(&segments).as_str().is_some_and(|why| why.starts_with("gap: ")), "{}", why(&segments));
}

/// A capture that begins without a place for keys is not read ahead, and yet those of another behind it are used.
#[test]
fn keys_of_a_capture_behind_another_are_used() {
    let dir = tempfile::tempdir().unwrap();
    let [plain, sealed] = ["mix.pcap", "wss.pcapng"].map(|name| fs::read(sample(name)).unwrap());
    let messages = |names: &str| {
        let output = wspect(&dir, &format!("msgs -q {names}")).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().count()
    };
    fs::write(dir.path().join("plain"), &plain).unwrap();
    fs::write(dir.path().join("sealed"), &sealed).unwrap();
    fs::write(dir.path().join("behind"), [&plain[..], &sealed].concat()).unwrap();
    fs::write(dir.path().join("before"), [&sealed[..], &plain, &sealed].concat()).unwrap();
    let all = messages("plain") + messages("sealed");
    assert!(messages("sealed") > 10);
    assert_eq!([messages("behind"), messages("before")], [all, all]);
}
