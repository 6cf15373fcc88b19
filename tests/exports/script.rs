//! Scripts say again what was said, to each other as well, and nothing that somebody sent becomes code.

use super::support::craft::*;
use super::support::run::{Input, conversations, wspect, wspect_with};
use super::{capture, hostile, in_file, quiet, some_captures, text};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// The lines of data, with the numbers of their connections. All else is the player, the same in all.
fn lines(script: &str) -> Vec<(u64, Value)> {
    let (player, data) = script.split_once("What was said:\n").unwrap();
    assert!(player.starts_with("#!/usr/bin/env python3\n") && !player.contains("\n#: "));
    let line = |line: &str| {
        let (number, json) = line.strip_prefix("#: ").expect("a comment").split_once(' ').unwrap();
        assert!(!json.contains(|c: char| c.is_control() || wspect::escape::is_hidden(c)), "{json}");
        (number.parse().unwrap(), serde_json::from_str(json).unwrap())
    };
    data.lines().map(line).collect()
}

/// What a line says, if it is a data message's.
fn data(line: &Value) -> Option<Vec<u8>> {
    let text = line["text"].as_str().map(|text| text.as_bytes().to_vec());
    text.or_else(|| Some(BASE64_STANDARD.decode(line["bytes"].as_str()?).unwrap()))
}

fn side(dir: &str) -> &'static str {
    if dir == "c2s" { "client" } else { "server" }
}

/// Each data message of `msgs`, whose truth has tests of its own, in its place; behind the handshake of its connection.
#[test]
fn every_message_is_a_line() {
    let mut seen = 0;
    for path in some_captures() {
        let lines = lines(&text(&["export", "script", "-q"], Input::File(&path)));
        for row in conversations(Input::File(&path)) {
            let what = format!("{} conn {}", path.display(), row.conn);
            let of_row: Vec<&Value> =
                lines.iter().filter(|(conn, _)| *conn == row.conn).map(|(_, line)| line).collect();
            let Some((begin, rest)) = of_row.split_first() else {
                assert!(row.messages.is_empty(), "{what}");
                continue;
            };
            assert!(begin["path"].as_str().unwrap().starts_with('/'), "{what}: {begin}");
            let said: Vec<_> = rest.iter().filter(|line| data(line).is_some()).collect();
            let messages: Vec<_> = row.messages.iter().filter(|message| [1, 2].contains(&message.opcode)).collect();
            assert_eq!(said.len(), messages.len(), "{what}");
            for (line, message) in said.iter().zip(messages) {
                let brief = format!("{what}: {}", message.brief());
                assert_eq!((&line["from"], &line["type"]), (&side(&message.dir).into(), &message.kind.as_str().into()));
                assert!(!message.missing.is_empty() || data(line).unwrap() == message.payload, "{brief}");
                seen += 1;
            }
        }
    }
    assert!(seen > 400, "{seen}");
}

/// What is hostile stands in comments, as JSON.
/// What was accepted over HTTP/2 is played as HTTP/1.1 accepts it; a refusal as it was.
#[test]
fn http2_is_played_as_http1() {
    let mut h2 = H2::new(1);
    h2.open(1).say(Client, 1, TEXT, "one").ask(3, &[]).head(Server, 3, END_STREAM, &[(":status", "403")]);
    let file = capture_of(&h2.session.segments());
    let begun: Vec<Value> =
        lines(&text(&["export", "script", "-q"], Input::Bytes(&file))).into_iter().map(|(_, line)| line).collect();
    let status: Vec<&Value> = begun.iter().filter_map(|line| line.get("status")).collect();
    assert_eq!(status, [101, 403]);
}

#[test]
fn hostile_text_is_data() {
    let sessions = hostile();
    let lines = lines(&text(&["export", "script", "-q"], Input::Bytes(&capture(&sessions))));
    for (nth, session) in sessions.iter().enumerate() {
        let shown = lines.iter().filter(|(conn, _)| *conn == nth as u64 + 1).filter_map(|(_, line)| data(line));
        let said = session.said.iter().filter(|said| said.opcode < 8).map(|said| said.payload.clone());
        assert_eq!(shown.collect::<Vec<_>>(), said.collect::<Vec<_>>());
    }
}

/// Cookies and credentials are left out, unless they are asked for: then only the owner can read the file.
#[test]
fn secrets_are_left_out() {
    let mut session = Session::bare(1);
    session.turn(
        Client,
        request(
            "/a?token=t0ken",
            "Origin: http://x.example\r\nCookie: sid=s3ssion\r\nAuthorization: Basic cr3dential\r\n",
        ),
    );
    session.turn(Server, response("Set-Cookie: sid=s3ssion\r\nServer: s/1\r\n")).text(Client, "hi").close();
    let file = in_file("secret", &capture(&[session]));
    let dir = tempfile::tempdir().unwrap();
    for language in ["python", "shell"] {
        let export = |more: &[&str]| {
            text(&[&["export", "script", "-q", "--language", language], more].concat(), Input::File(file.path()))
        };
        let script = export(&[]);
        assert!(
            script.contains("http://x.example") && !script.contains("s3ssion") && !script.contains("cr3dential"),
            "{script}"
        );
        let with = export(&["--secrets"]);
        assert!(with.contains("sid=s3ssion") && with.contains("Basic cr3dential"));
        let redacted = export(&["--secrets", "--redact", "cookies,authorization,query:token"]);
        assert!(
            !["s3ssion", "cr3dential", "t0ken"].iter().any(|secret| redacted.contains(secret))
                && redacted.contains("redacted-")
        );
        let path = dir.path().join(language);
        quiet(&wspect_with(&["export", "script", "-q", "--secrets"], file.path(), &["-o", path.to_str().unwrap()]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}

#[test]
fn connections_are_chosen() {
    let file = in_file("chosen", &capture(&[Session::sample(1), Session::sample(2), Session::sample(3)]));
    let conns = |more: &[&str]| {
        let script = text(&[&["export", "script", "-q"], more].concat(), Input::File(file.path()));
        let mut conns: Vec<u64> = lines(&script).iter().map(|(conn, _)| *conn).collect();
        conns.sort_unstable();
        conns.dedup();
        conns
    };
    assert_eq!(conns(&[]), [1, 2, 3]);
    assert_eq!(conns(&["--conn", "1,3"]), [1, 3]);
    assert_eq!(conns(&["-Y", "wspect.conn == 2"]), [2]);
    assert_eq!(conns(&["-Y", "wspect.conn >= 2", "--conn", "1,3"]), [3]);
    let done = wspect(&["export", "script", "--conn", "7"], Input::File(file.path()));
    assert!(done.code == Some(1) && done.stderr.contains("no connection 7 (wspect ls lists them)"), "{}", done.stderr);
    assert!(done.stdout.is_empty());
    let piped = wspect(&["export", "script", "--conn", "1"], Input::Bytes(b""));
    assert!(piped.code == Some(2) && piped.stderr.contains("must be a file"), "{}", piped.stderr);
}

/// Python with what the player needs; the test that asks says that it is skipped.
fn python() -> Option<&'static str> {
    let import = "from websockets.asyncio.client import connect; from websockets.version import version as v; assert int(v.split('.')[0]) >= 15";
    let found = Command::new("python3").args(["-c", import]).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Some("python3");
    }
    eprintln!("skipped: python3 with websockets 15 or newer is not here");
    None
}

/// A script in a directory of its own.
fn script(dir: &Path, file: &[u8], more: &[&str]) -> PathBuf {
    let path = dir.join("replay.py");
    let capture = in_file("played", file);
    let arguments = [&["export", "script", "-q", "-o", path.to_str().unwrap()], more].concat();
    quiet(&wspect(&arguments, Input::File(capture.path())));
    path
}

/// A server that plays, and the address that it tells.
struct Playing {
    server: Child,
    address: String,
}

impl Playing {
    fn start(python: &str, script: &Path, more: &[&str]) -> Self {
        let mut command = Command::new(python);
        command.arg(script).args(["server", "--port", "0"]).args(more).stdout(Stdio::piped());
        let mut server = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { server, address }
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// What the client says of each connection, in order of their numbers.
fn client(python: &str, script: &Path, address: &str, more: &[&str]) -> Vec<String> {
    let output = Command::new(python).arg(script).args(["client", address]).args(more).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let mut rows: Vec<String> = said.lines().map(str::to_owned).collect();
    rows.sort_by_key(|row| row.split(':').next().and_then(|number| number.parse::<u32>().ok()));
    rows
}

/// The client of a capture and its server, played against each other, hear what was said, byte for byte.
#[test]
fn both_sides_play_against_each_other() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut odd = Session::bare(9);
    odd.turn(Client, request("/odd?a=1&b=%20", "Sec-WebSocket-Protocol: a, b\r\nOrigin: http://x.example\r\n"));
    odd.turn(Server, response("Sec-WebSocket-Protocol: b\r\n"));
    odd.text(Client, "'\"\\\n#: 9 {}\n${x}").say(Client, TEXT, b"caf\xe9".as_slice()).say(Server, PONG, "unasked");
    odd.text(Server, &"long ".repeat(9_000));
    odd.say(Server, CLOSE, Frame::close(4001, "\u{fc}ber").payload).say(Client, CLOSE, Frame::close(4001, "").payload);
    let mut cut = Session::new(10);
    cut.text(Client, "and then").text(Server, "nothing");
    let path = script(dir.path(), &capture(&[Session::sample(1), Session::sample(2), odd, cut]), &[]);
    let playing = Playing::start(python, &path, &["--in-step"]);
    let expected = [
        "1: said 4 of 4, heard 4 of 4, 0 differ",
        "2: said 4 of 4, heard 4 of 4, 0 differ",
        "3: said 2 of 2, heard 1 of 1, 0 differ",
        "4: said 1 of 1, heard 1 of 1, 0 differ",
    ];
    assert_eq!(client(python, &path, &playing.address, &["--in-step"]), expected);
    // What a message is not, is told: the other connection of a path that is asked for once more.
    assert_eq!(client(python, &path, &playing.address, &["--in-step", "--conn", "2"]), expected[1..2]);
}

/// Who closes waits for what the other had said by then: a client that is late is not cut off.
#[test]
fn a_late_client_is_heard() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut session = Session::new(1);
    session.text(Client, "one").text(Client, "two").say(Server, CLOSE, Frame::close(1000, "done").payload);
    session.say(Client, CLOSE, Frame::close(1000, "").payload);
    let path = script(dir.path(), &capture(&[session]), &[]);
    let playing = Playing::start(python, &path, &["--speed", "1000"]);
    let expected = ["1: said 2 of 2, heard 0 of 0, 0 differ"];
    assert_eq!(client(python, &path, &playing.address, &["--speed", "0.01"]), expected);
}

/// Pauses are those of the capture, or so many times shorter.
#[test]
fn pauses_are_kept() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut session = Session::new(1);
    session.text(Client, "one").text(Server, "two").text(Client, "three").close();
    let segments = session.segments();
    let mut packets = packets(&segments, &Wire::default());
    let three = segments.iter().position(|segment| segment.payload == session.turns[4].1).unwrap();
    for packet in &mut packets[three..] {
        packet.time += 1_200_000_000;
    }
    let path = script(dir.path(), &Pcap::default().file(&packets), &[]);
    let playing = Playing::start(python, &path, &[]);
    let took = |more: &[&str]| {
        let began = Instant::now();
        client(python, &path, &playing.address, more);
        began.elapsed().as_secs_f64()
    };
    assert!(took(&[]) > 1.2);
    let fast = Playing::start(python, &path, &["--speed", "100"]);
    let began = Instant::now();
    let rows = client(python, &path, &fast.address, &["--speed", "100"]);
    assert!(rows[0].starts_with("1: said 2 of 2, heard 1 of 1"), "{rows:?}");
    assert!(began.elapsed().as_secs_f64() < 10.0);
}

/// A refusal is played as well.
#[test]
fn refusals_are_played() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/handshakes.pcapng");
    let file = fs::read(&sample).unwrap();
    let path = script(dir.path(), &file, &["-Y", "wspect.state == rejected"]);
    let playing = Playing::start(python, &path, &[]);
    let rows = client(python, &path, &playing.address, &["--speed", "1000"]);
    let refused: Vec<&String> = rows.iter().filter(|row| row.contains("not opened")).collect();
    assert!(refused.len() > 10 && refused.iter().all(|row| row.ends_with(", as before")), "{rows:#?}");
}

/// The shell hands websocat the very bytes, whatever they are: a program in its place writes down what it gets.
#[cfg(unix)]
#[test]
fn the_shell_says_it_to_websocat() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let sessions = [hostile(), vec![Session::sample(10)]].concat();
    let path = dir.path().join("replay.sh");
    let file = in_file("shell", &capture(&sessions));
    quiet(&wspect(
        &["export", "script", "-q", "--language", "shell", "-o", path.to_str().unwrap()],
        Input::File(file.path()),
    ));
    let tool = dir.path().join("websocat");
    // The last word names the connection: its path is its own.
    fs::write(&tool, "#!/bin/sh\ncat >\"$OUT/$$.in\"\nprintf '%s\\n' \"$@\" >\"$OUT/$$.args\"\n").unwrap();
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    let out = dir.path().join("out");
    fs::create_dir(&out).unwrap();
    let paths = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command.arg(&path).arg("ws://h:1/").env("PATH", paths).env("OUT", &out).current_dir(dir.path());
    let output = command.output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut heard: Vec<Vec<u8>> = Vec::new();
    let mut urls = Vec::new();
    for entry in fs::read_dir(&out).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().unwrap() == "in" {
            heard.push(fs::read(&path).unwrap());
            let words = fs::read_to_string(path.with_extension("args")).unwrap();
            urls.push(words.lines().last().unwrap().to_owned());
        }
    }
    let packed = |session: &Session| {
        let mut bytes = Vec::new();
        for said in session.said.iter().filter(|said| said.dir == "c2s" && said.opcode < 8) {
            bytes.extend((said.payload.len() as u32 + 1).to_be_bytes());
            bytes.push(if said.opcode == TEXT { b'T' } else { b'B' });
            bytes.extend(&said.payload);
        }
        bytes
    };
    let mut said: Vec<Vec<u8>> = sessions.iter().map(packed).collect();
    said.sort();
    heard.sort();
    assert_eq!(heard, said);
    assert!(
        urls.iter().all(|url| url.starts_with("ws://h:1/")) && urls.contains(&"ws://h:1/10".to_owned()),
        "{urls:?}"
    );
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "nothing else was made: {names:?}");
    let script = fs::read_to_string(&path).unwrap();
    assert!(!script.contains(|c: char| c != '\n' && (c.is_control() || wspect::escape::is_hidden(c))));
}
