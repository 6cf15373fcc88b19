//! Captures that are still written: `--follow`.

use super::*;
use std::io::{BufRead as _, BufReader};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Lines as they come; ten minutes are longer than any of them takes.
fn lines(child: &mut Child) -> Receiver<String> {
    let (sender, lines) = channel();
    let rows = child.stdout.take().unwrap();
    std::thread::spawn(move || BufReader::new(rows).lines().try_for_each(|line| sender.send(line.unwrap())));
    lines
}

fn follow(path: &Path) -> Command {
    let mut command = wspect(["msgs", "-q", "--follow"]);
    command.arg(path).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn append(path: &Path, bytes: &[u8]) {
    fs::OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

#[test]
fn rows_come_as_the_file_grows() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cap.pcap");
    let mix = fs::read(sample("mix.pcap")).unwrap();
    fs::write(&path, &mix[..30_000]).unwrap();
    let mut child = follow(&path).spawn().unwrap();
    let rows = lines(&mut child);
    let next = || rows.recv_timeout(Duration::from_secs(600)).unwrap();
    let whole = stdout("msgs samples/mix.pcap");
    let expected: Vec<&str> = whole.lines().collect();
    let before = stdout_of(&mix[..30_000]).lines().count();
    assert!(before > 3 && before < expected.len());
    for row in &expected[..before] {
        assert_eq!(next(), *row);
    }
    append(&path, &mix[30_000..]);
    for row in &expected[before..] {
        assert_eq!(next(), *row);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Of a directory the capture is read that was written last, and then each that appears.
#[test]
fn captures_that_appear_in_a_directory_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    let mix = fs::read(sample("mix.pcap")).unwrap();
    write("cap_9.pcap", &fs::read(sample("mqtt.pcap")).unwrap());
    std::thread::sleep(Duration::from_millis(20));
    write("cap_1.pcap", &mix[..30_000]);
    let mut child = follow(dir.path()).spawn().unwrap();
    let rows = lines(&mut child);
    let next = || rows.recv_timeout(Duration::from_secs(600)).unwrap();
    let whole = stdout("msgs samples/mix.pcap");
    let expected: Vec<&str> = whole.lines().collect();
    assert_eq!(next(), expected[0], "the one that was written last");
    write("notes.txt", b"no capture");
    append(&dir.path().join("cap_1.pcap"), &mix[30_000..]);
    for row in &expected[1..] {
        assert_eq!(next(), *row);
    }
    std::thread::sleep(Duration::from_millis(20));
    write("cap_0.pcapng", &fs::read(sample("stomp.pcapng")).unwrap());
    assert!(next().contains("CONNECT"));
    child.kill().unwrap();
    child.wait().unwrap();
}

fn stdout_of(capture: &[u8]) -> String {
    String::from_utf8(pipe_in(wspect(["msgs", "-q", "-"]), capture).stdout).unwrap()
}

/// Whatever wrote each: tcpdump, dumpcap, or what compresses.
#[test]
fn rows_of_a_compressed_capture_come_as_it_does() {
    let packed = include_bytes!("../data/mqtt.pcap.zst");
    let whole = stdout("msgs samples/mqtt.pcap");
    let expected: Vec<&str> = whole.lines().collect();
    // Four blocks of nine; the message that the last of them cuts is not there yet.
    let before = stdout_of(&packed[..8000]).lines().zip(&expected).take_while(|(row, whole)| row == *whole).count();
    assert!(before > 3 && before < expected.len() - 3, "{before}");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cap.zst");
    fs::write(&path, &packed[..8000]).unwrap();
    let mut followed = follow(&path).spawn().unwrap();
    let mut piped = wspect(["msgs", "-q", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut pipe = piped.stdin.take().unwrap();
    pipe.write_all(&packed[..8000]).unwrap();
    let rows = [lines(&mut followed), lines(&mut piped)];
    let compare = |expected: &[&str]| {
        for (rows, row) in rows.iter().flat_map(|rows| expected.iter().map(move |row| (rows, row))) {
            assert_eq!(rows.recv_timeout(Duration::from_secs(600)).unwrap(), *row);
        }
    };
    compare(&expected[..before]);
    append(&path, &packed[8000..]);
    pipe.write_all(&packed[8000..]).unwrap();
    compare(&expected[before..]);
    followed.kill().unwrap();
    followed.wait().unwrap();
    drop(pipe);
    assert!(piped.wait().unwrap().success());
}

#[test]
fn a_capture_that_takes_the_name_is_read_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cap");
    fs::copy(sample("mix.pcap"), &path).unwrap();
    let mut child = follow(&path).spawn().unwrap();
    let rows = lines(&mut child);
    let next = || rows.recv_timeout(Duration::from_secs(600)).unwrap();
    let first = stdout("msgs samples/mix.pcap").lines().count();
    (0..first).for_each(|_| _ = next());
    // Numbers and times go on: what was said is the same.
    let said = |row: &str| row.split_whitespace().skip(2).collect::<Vec<_>>().join(" ");
    for (turn, name) in ["stomp.pcapng", "mqtt.pcap", "chat.pcapng"].into_iter().enumerate() {
        fs::rename(&path, dir.path().join(format!("cap.{turn}"))).unwrap();
        fs::copy(sample(name), &path).unwrap();
        for row in stdout(&format!("msgs samples/{name}")).lines() {
            assert_eq!(said(&next()), said(row));
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[cfg(unix)]
#[test]
fn it_ends_when_nobody_reads_any_more() {
    let mut child = follow(&sample("mix.pcap")).spawn().unwrap();
    drop(child.stdout.take().unwrap());
    assert_eq!(child.wait().unwrap().code(), Some(141), "no row is to come, and yet it ends");
}

#[test]
fn one_file_grows() {
    let said = |line: &str| {
        let output = run(line);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let expected = "wspect: 2 captures: --follow reads one file as it grows, or those of one directory; a pipe is read as it comes\n";
    assert_eq!(said("msgs --follow samples/mix.pcap samples/mqtt.pcap"), expected);
    assert!(said("msgs --follow -").starts_with("wspect: stdin: --follow reads one file"));
    assert!(said("export pcapng --follow samples/mix.pcap").contains("export pcapng reads twice"));
}

/// A capture of two TLS streams and a place for its key log, which is not there.
fn without_keys() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (path, keys) = (dir.path().join("cap.pcap"), dir.path().join("cap.keys"));
    fs::copy(sample("tls.pcap"), &path).unwrap();
    (dir, path, keys)
}

/// Where the log stands, whether it is there, and how it is named: the capture brings nothing more, and yet it is read.
#[test]
fn keys_are_found_while_nothing_comes() {
    let whole = stdout("msgs -q samples/tls.pcap");
    let expected: Vec<&str> = whole.lines().collect();
    let log = fs::read(sample("tls.keys")).unwrap();
    for (named, is_there) in [(false, true), (false, false), (true, true), (true, false)] {
        let (dir, path, beside) = without_keys();
        let keys = if named { dir.path().join("later.txt") } else { beside };
        if is_there {
            fs::write(&keys, "").unwrap();
        }
        let mut command = follow(&path);
        if named {
            command.arg("-k").arg(&keys);
        }
        let mut child = command.spawn().unwrap();
        let rows = lines(&mut child);
        // It has read all there is, or most of that: what comes first would be told by now.
        assert!(rows.recv_timeout(Duration::from_millis(1500)).is_err());
        // Line by line: streams are told of each.
        for line in log.split_inclusive(|&byte| byte == b'\n') {
            fs::OpenOptions::new().append(true).create(true).open(&keys).unwrap().write_all(line).unwrap();
        }
        let mut said: Vec<String> =
            expected.iter().map(|_| rows.recv_timeout(Duration::from_secs(600)).unwrap()).collect();
        said.sort();
        assert_eq!(said.len(), expected.len(), "{named} {is_there}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// What is known when the user ends it is told as at the end of a file.
#[cfg(unix)]
#[test]
fn at_an_interrupt_every_stream_is_told_of() {
    let (_dir, path, keys) = without_keys();
    fs::copy(sample("tls.keys"), &keys).unwrap();
    let whole = |command: &[&str]| {
        let output = wspect(command.iter().copied()).arg(&path).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for command in [&["keys"][..], &["keys", "--json"], &["stats", "--capture"], &["ls"]] {
        let expected = whole(command);
        // However long it takes to read what is there.
        let said = (1..8).map(|seconds: u64| {
            let mut follow = wspect(command.iter().copied());
            let child =
                follow.arg("--follow").arg(&path).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            std::thread::sleep(Duration::from_secs(1 << (seconds - 1)));
            Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
            let output = child.wait_with_output().unwrap();
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
        });
        let last = said.take(6).find(|said| *said == expected);
        assert_eq!(last, Some(expected), "{command:?}");
    }
}
