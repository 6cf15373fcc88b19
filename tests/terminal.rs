//! The real program in a real terminal: it takes the screen, and gives it back whatever happens.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![cfg(unix)]

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// More than the slowest machine needs; nothing waits so long when all is well.
const PATIENCE: Duration = Duration::from_secs(20);

fn size(cells: u16) -> NonZero<u16> {
    NonZero::new(cells).unwrap()
}

/// Columns and rows of a usual terminal.
const USUAL: (u16, u16) = (100, 30);

/// The program in a pseudo-terminal.
struct Terminal {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// Everything that was written.
    raw: Vec<u8>,
}

impl Terminal {
    fn open(capture: &Path) -> Self {
        Self::run([capture], USUAL)
    }

    /// Runs in the directory of the project, in UTC and without colours.
    fn run<I: IntoIterator<Item: AsRef<OsStr>>>(args: I, size: (u16, u16)) -> Self {
        Self::run_beside(args, size, Path::new("/none"))
    }

    /// The same, with this place for what it keeps between two runs.
    fn run_beside<I: IntoIterator<Item: AsRef<OsStr>>>(args: I, (cols, rows): (u16, u16), state: &Path) -> Self {
        let pty_size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(pty_size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_wspect"));
        command.env("XDG_CONFIG_HOME", "/none");
        command.env("XDG_STATE_HOME", state);
        command.args(args);
        command.cwd(env!("CARGO_MANIFEST_DIR"));
        command.env("TERM", "xterm-256color");
        command.env("TZ", "UTC");
        command.env("NO_COLOR", "1");
        command.env("SSH_CONNECTION", "so that no helper program is asked for the clipboard");
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(len @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..len].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            master: pair.master,
            writer,
            child,
            output,
            screen: vt100::Parser::new(size(rows), size(cols), 0),
            raw: Vec::new(),
        }
    }

    fn sample(name: &str) -> Self {
        Self::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name))
    }

    /// Takes in what the program writes until the screen is as told.
    fn wait_until(&mut self, what: &str, fits: impl Fn(&vt100::Screen) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !fits(self.screen.screen()) {
            let left = until.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => {
                    self.screen.process(&bytes);
                    self.raw.extend(bytes);
                }
                Err(error) => panic!("{what}: {error}\n{}", self.screen.screen().contents()),
            }
        }
    }

    fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |screen| screen.contents().contains(text));
    }

    /// Takes in what the program writes until it has nothing more to show.
    fn wait_for_silence(&mut self) {
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(300)) {
            self.screen.process(&bytes);
        }
    }

    fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    fn signal(&mut self, name: &str) {
        let pid = self.child.process_id().unwrap().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Waits until the terminal is as a shell wants it.
    fn wait_for_the_shell(&mut self) {
        self.wait_until("the terminal is given back", |screen| !screen.alternate_screen() && !screen.hide_cursor());
        let screen = self.screen.screen();
        assert!(!screen.bracketed_paste());
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    }

    /// Waits until the process is stopped: to go on is nothing to a process that has not stopped yet.
    fn wait_until_stopped(&self) {
        let pid = self.child.process_id().unwrap().to_string();
        let until = Instant::now() + PATIENCE;
        while !Command::new("ps").args(["-o", "stat=", "-p", &pid]).output().unwrap().stdout.starts_with(b"T") {
            assert!(Instant::now() < until, "the process does not stop");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn exit_code(mut self) -> u32 {
        self.child.wait().unwrap().exit_code()
    }
}

/// The lines of the screen, without the blanks at their ends.
fn lines(screen: &vt100::Screen) -> Vec<String> {
    screen.rows(0, u16::MAX).map(|line| line.trim_end().to_owned()).collect()
}

/// README's picture of the browser: its place in the text, its size, and what it shows.
fn picture_of_readme(readme: &str) -> (std::ops::Range<usize>, (u16, u16)) {
    let begin = readme.find("```text\n wspect [1 ").unwrap() + "```text\n".len();
    let end = begin + readme[begin..].find("```").unwrap();
    let picture = &readme[begin..end];
    let columns = picture.lines().map(|line| line.chars().count()).max().unwrap();
    (begin..end, (u16::try_from(columns).unwrap(), u16::try_from(picture.lines().count()).unwrap()))
}

/// README shows the browser as it is. `README=write` takes the picture anew, in the size of the old one.
#[test]
fn the_picture_in_the_readme_is_what_is_drawn() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (place, size) = picture_of_readme(&readme);
    let mut terminal = Terminal::run(["samples/chat.pcapng"], size);
    terminal.wait_for("Connections 6");
    terminal.press("j");
    terminal.wait_for("2/6");
    terminal.wait_for_silence();
    let drawn = lines(terminal.screen.screen());
    if std::env::var_os("README").is_some_and(|how| how == "write") {
        let mut readme = readme;
        readme.replace_range(place, &format!("{}\n", drawn.join("\n")));
        return fs::write(path, readme).unwrap();
    }
    let shown: Vec<&str> = readme[place].lines().collect();
    assert_eq!(shown, drawn, "README=write cargo test --test terminal readme");
}

/// Wherever a capture ends, that is said on every screen.
#[test]
fn a_cut_capture_and_an_empty_one_say_so() {
    let directory = tempfile::tempdir().unwrap();
    let mix = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/mix.pcap")).unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let mut terminal = Terminal::open(&file("cut.pcap", &mix[..70_000]));
    terminal.wait_for("! Capture is cut after packet ");
    terminal.press("3");
    terminal.wait_for("[3 Hand]");
    assert!(terminal.screen.screen().contents().contains("; everything up to it is shown."));
    terminal.press("Q");
    terminal.wait_for_the_shell();
    let mut terminal = Terminal::open(&file("empty.pcap", &mix[..24]));
    terminal.wait_for("No packets in ");
    assert!(lines(terminal.screen.screen()).last().unwrap().ends_with("? help  q quit"));
    terminal.press("Q");
    terminal.wait_for_the_shell();
    // An Ethernet frame of type ARP.
    let arp = [&mix[..24], &[0; 8], &[42, 0, 0, 0, 42, 0, 0, 0], &[2; 12], &[8, 6], &[0; 28]].concat();
    let mut terminal = Terminal::open(&file("arp.pcap", &arp));
    terminal.wait_for("1 ARP packet");
    terminal.press("Q");
    terminal.wait_for_the_shell();
}

#[test]
fn opens_moves_and_quits() {
    let mut terminal = Terminal::sample("mix.pcap");
    terminal.wait_for("Connections 4");
    assert!(terminal.screen.screen().alternate_screen() && terminal.screen.screen().hide_cursor());
    terminal.press("jj");
    terminal.wait_for("3/4");
    terminal.press("\r");
    terminal.wait_for("[2 Mess]");
    terminal.press("4");
    terminal.wait_for(".opcode");
    terminal.press("qqq");
    terminal.wait_for_the_shell();
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn gives_the_terminal_back_when_it_is_killed() {
    for signal in ["-TERM", "-HUP"] {
        let mut terminal = Terminal::sample("mix.pcap");
        terminal.wait_for("Connections 4");
        terminal.signal(signal);
        terminal.wait_for_the_shell();
        assert_ne!(terminal.exit_code(), 0);
    }
}

#[test]
fn stops_and_goes_on() {
    let mut terminal = Terminal::sample("mix.pcap");
    terminal.wait_for("Connections 4");
    terminal.press("\x1a");
    terminal.wait_for_the_shell();
    terminal.wait_until_stopped();
    terminal.signal("-CONT");
    terminal.wait_until("the screen is taken again", |screen| {
        screen.alternate_screen() && screen.contents().contains("Connections 4")
    });
    terminal.press("j");
    terminal.wait_for("2/4");
    terminal.press("Q");
    terminal.wait_for_the_shell();
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn follows_the_size_of_the_terminal() {
    let mut terminal = Terminal::sample("mix.pcap");
    terminal.wait_for("Connections 4");
    let resize = |terminal: &mut Terminal, rows, cols| {
        terminal.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        terminal.screen.screen_mut().set_size(size(rows), size(cols));
    };
    resize(&mut terminal, 8, 32);
    terminal.wait_for("needs 40x10, have 32x8");
    resize(&mut terminal, 36, 120);
    terminal.wait_for("[1 Connections]");
    terminal.press("Q");
    terminal.wait_for_the_shell();
}

#[test]
fn copies_through_the_terminal() {
    let mut terminal = Terminal::sample("mix.pcap");
    terminal.wait_for("Connections 4");
    terminal.press("yw");
    terminal.wait_for("copied 15 B");
    let osc52 = b"\x1b]52;c;dGNwLnN0cmVhbSA9PSAw\x1b\\";
    assert!(terminal.raw.windows(osc52.len()).any(|bytes| bytes == osc52), "tcp.stream == 0 in base64");
    terminal.press("Q");
    terminal.wait_for_the_shell();
}

/// A filter that was entered comes back in the next run, and so do marks; nobody else can read them.
#[test]
fn a_filter_is_kept_for_the_next_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let state = tempfile::tempdir().unwrap();
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/chat.pcapng");
    let open = || {
        let mut terminal = Terminal::run_beside([&capture], USUAL, state.path());
        terminal.wait_for("6 connections");
        terminal
    };
    let mut terminal = open();
    terminal.press("fclose_code == 4321\r");
    terminal.wait_for("Connections 1 of 6 shown");
    terminal.press("m");
    terminal.wait_for("*  2");
    terminal.press("Q");
    assert_eq!(terminal.exit_code(), 0);
    let kept = state.path().join("wspect/filters");
    assert_eq!(fs::read_to_string(&kept).unwrap(), "close_code == 4321\n");
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    let mut terminal = open();
    terminal.wait_for("*  2");
    terminal.press("f\x1b[A");
    terminal.wait_for("Filter: close_code == 4321");
    terminal.press("\r");
    terminal.wait_for("Connections 1 of 6 shown");
    terminal.press("Q");
    assert_eq!(terminal.exit_code(), 0);
}

/// What is shown is exported to where the dialog says, beside the browser; what is there is not replaced.
#[test]
fn exports_beside_the_browser() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("some.jsonl");
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/chat.pcapng");
    let mut terminal = Terminal::open(&capture);
    terminal.wait_for("6 connections");
    let export = format!("x\t\t\x15{}\r", place.display());
    terminal.press("fclose_code == 4321 && type == close\r");
    terminal.wait_for("Connections 1 of 6 shown");
    terminal.press(&export);
    terminal.wait_for("written: ");
    let rows = fs::read_to_string(&place).unwrap();
    assert_eq!(rows.matches("\"close_code\":4321").count(), rows.lines().count());
    assert!(!rows.is_empty());
    terminal.press(&export);
    terminal.wait_for("exists");
    terminal.press("Q");
    assert_eq!(terminal.exit_code(), 0);
}

/// `:decode RULE` reads a file again; a rule that is none is told of, and changes nothing.
#[test]
fn streams_are_decoded_as_a_rule_says() {
    let mut terminal = Terminal::sample("chat.pcapng");
    terminal.wait_for("6 connections");
    terminal.press(":decode tcp.prt==1,none\r");
    terminal.wait_for("unknown selector tcp.prt");
    terminal.press(":decode tcp.stream==3,none\r");
    terminal.wait_for("tcp.stream==3,none: now 5 connections");
    terminal.press(":decode tcp.stream==4,none\r");
    terminal.wait_for("tcp.stream==4,none: now 4 connections");
    terminal.press("Q");
    assert_eq!(terminal.exit_code(), 0);
}

/// Columns that were chosen are kept in the configuration file, and what else stands there stays.
#[test]
fn columns_are_kept_in_the_configuration() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config.toml");
    fs::write(&config, "# mine\ntime = \"utc\"\n").unwrap();
    let open = || {
        let mut terminal = Terminal::run(["--config", config.to_str().unwrap(), "samples/chat.pcapng"], USUAL);
        terminal.wait_for("6 connections");
        terminal
    };
    let mut terminal = open();
    terminal.press("Cjahttp.request.uri.path\r\r:save\r");
    terminal.wait_for("the columns are kept in ");
    terminal.press("Q");
    assert_eq!(terminal.exit_code(), 0);
    let written = fs::read_to_string(&config).unwrap();
    assert!(
        written.starts_with("# mine\ntime = \"utc\"\n\n[columns]\nconnections = [\"no\", \"http.request.uri.path\", "),
        "{written}"
    );
    let mut terminal = open();
    terminal.wait_for("/srvclose ");
    terminal.press("Q");
    assert_eq!(terminal.exit_code(), 0);
}

/// The mouse is taken, or left to the terminal where the configuration says so; F9 takes it.
#[test]
fn the_mouse_is_taken_as_the_configuration_says() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config.toml");
    for (mouse, is_taken) in [("", true), ("mouse = false\n", false)] {
        fs::write(&config, mouse).unwrap();
        let mut terminal = Terminal::run(["--config", config.to_str().unwrap(), "samples/chat.pcapng"], USUAL);
        terminal.wait_for("6 connections");
        let has_mouse = |screen: &vt100::Screen| screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None;
        terminal.wait_until("the mouse", |screen| has_mouse(screen) == is_taken);
        terminal.press("\x1b[20~");
        terminal.wait_until("F9", |screen| has_mouse(screen) != is_taken);
        terminal.press("Q");
        assert_eq!(terminal.exit_code(), 0);
    }
}

/// All payloads are searched while keys are taken, and a hit leads to its message; also in ASCII.
#[test]
fn all_payloads_are_searched() {
    let mut terminal = Terminal::run(["--ascii", "samples/chat.pcapng"], USUAL);
    terminal.wait_for("+- Connections 6");
    terminal.press("&last words\r");
    terminal.wait_for("found in 1 message");
    terminal.press("\r");
    terminal.wait_for("[2 Mess]");
    terminal.wait_for("conn 5/6");
    terminal.press("Q");
    assert_eq!(terminal.exit_code(), 0);
}

/// Without a capture one is chosen: from a directory, or of those that were shown before.
#[test]
fn a_capture_is_chosen_where_none_is_named() {
    let state = tempfile::tempdir().unwrap();
    let nothing: [&str; 0] = [];
    let mut terminal = Terminal::run_beside(nothing, USUAL, state.path());
    terminal.wait_for("capture:");
    terminal.press("sampl\r");
    terminal.wait_for("chat.pcapng");
    terminal.press("chat\r");
    terminal.wait_for("Connections 6");
    terminal.press("Q");
    assert_eq!(terminal.exit_code(), 0);
    let mut terminal = Terminal::run_beside(nothing, USUAL, state.path());
    terminal.wait_for("samples/chat.pcapng");
    terminal.press("\r");
    terminal.wait_for("Connections 6");
    terminal.press("Q");
    assert_eq!(terminal.exit_code(), 0);
    let mut terminal = Terminal::run_beside(nothing, USUAL, state.path());
    terminal.wait_for("capture:");
    terminal.press("\x1b");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn a_paste_runs_no_keys() {
    let mut terminal = Terminal::sample("mix.pcap");
    terminal.wait_for("Connections 4");
    terminal.press("\x1b[200~QQ\x1b[201~j");
    terminal.wait_for("2/4");
    terminal.press("Q");
    terminal.wait_for_the_shell();
}

/// The last message of a burst is shown while the pipe is silent.
#[test]
fn shows_all_of_a_burst_while_a_pipe_is_silent() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("capture");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut terminal = Terminal::open(&pipe);
    let capture = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/mix.pcap")).unwrap();
    let mut feed = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    let (mut at, mut fed, mut seen) = (24, 0, 0);
    let mut key = "2";
    while seen < 5 {
        let len: [u8; 4] = capture[at + 8..at + 12].try_into().unwrap();
        at += 16 + u32::from_le_bytes(len) as usize;
        let file = directory.path().join("so-far.pcap");
        fs::write(&file, &capture[..at]).unwrap();
        let rows = Command::new(env!("CARGO_BIN_EXE_wspect"))
            .env("XDG_CONFIG_HOME", "/none")
            .args(["msgs", "--json"])
            .arg(&file)
            .output()
            .unwrap();
        let rows = String::from_utf8(rows.stdout).unwrap();
        let complete = rows.lines().filter(|row| row.contains(r#""conn":1,"#) && row.contains(r#""complete":true"#));
        let complete = complete.count();
        if complete > seen {
            feed.write_all(&capture[fed..at]).unwrap();
            (fed, seen) = (at, complete);
            terminal.wait_until("the burst is shown", |screen| screen.contents().contains("ws://127.0.0.1"));
            terminal.press(std::mem::take(&mut key));
            terminal.wait_for(&format!("/{seen} ━┛"));
        }
    }
    terminal.press("Q");
    terminal.wait_for_the_shell();
}

#[test]
fn shows_rows_while_a_pipe_is_open_and_stops_reading() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("capture");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut terminal = Terminal::open(&pipe);
    let capture = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/mix.pcap")).unwrap();
    let mut feed = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    feed.write_all(&capture[..70_000]).unwrap();
    terminal.wait_until("rows are shown", |screen| {
        let contents = screen.contents();
        contents.contains("(so far)") && contents.contains("ws://127.0.0.1")
    });
    terminal.press("\x03");
    terminal.wait_for(" packets so far");
    // The capture goes on inside a packet: who stopped was the user, and nothing is wrong with the file.
    assert!(terminal.screen.screen().contents().contains("stopped: "));
    terminal.press("6");
    terminal.wait_for("[6 Find");
    let contents = terminal.screen.screen().contents();
    assert!(!contents.contains("cut after") && !contents.contains("FILE-CUT"), "{contents}");
    terminal.press("\x03\x03");
    terminal.wait_for_the_shell();
    drop(feed);
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn stopping_twice_quits_while_a_pipe_is_silent() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("capture");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut terminal = Terminal::open(&pipe);
    let feed = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    terminal.wait_for("^C stop loading");
    terminal.press("\x03");
    thread::sleep(Duration::from_millis(200));
    terminal.press("\x03");
    terminal.wait_for_the_shell();
    assert_eq!(terminal.exit_code(), 0);
    drop(feed);
}

/// `:keys FILE` decodes a file again; what cannot be used is one line, and leaves all as it was.
#[test]
fn a_key_log_is_read_while_the_capture_is_shown() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        fs::write(directory.path().join(name), bytes).unwrap();
        directory.path().join(name)
    };
    let capture = file("cap.pcap", &fs::read(samples.join("tls.pcap")).unwrap());
    let keys = fs::read_to_string(samples.join("tls.keys")).unwrap();
    let other = format!("CLIENT_RANDOM {} {}\n", "ab".repeat(32), "cd".repeat(48));
    let mut terminal = Terminal::run([&capture], (140, 30));
    terminal.wait_for("2 TLS streams");
    terminal.wait_for(": command");
    for (name, content, said) in [
        ("missing", None, "no such file or directory; its keys are not used"),
        ("empty", Some(""), "a key log of 0 bytes: no keys in it"),
        ("notes", Some("not a key log\n"), "not a key log"),
        ("other", Some(other.as_str()), "other: 1 key, for no TLS stream of this capture"),
    ] {
        let place = content.map_or_else(|| directory.path().join(name), |content| file(name, content.as_bytes()));
        terminal.press(&format!(":keys {}\r", place.display()));
        terminal.wait_for(said);
        assert!(terminal.screen.screen().contents().contains("2 TLS streams"), "what was read stays");
    }
    terminal.press(&format!(":keys {}\r", file("good", keys.as_bytes()).display()));
    terminal.wait_for("good: now 2 of 2 TLS streams decrypted");
    terminal.wait_for("wss://");
    terminal.press("j");
    terminal.wait_for("keys matched (");
    terminal.press("Q");
    terminal.wait_for_the_shell();
    assert_eq!(terminal.exit_code(), 0);
}

/// The packets of a frame are read once more; where the file has been cut meanwhile, that is told.
#[test]
fn packets_are_read_once_more() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("capture");
    let sample = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/tls.pcap")).unwrap();
    fs::write(&path, &sample).unwrap();
    let mut terminal = Terminal::run(["-k".as_ref(), "samples/tls.keys".as_ref(), path.as_os_str()], (120, 36));
    terminal.wait_for("wss://");
    terminal.press("24[[[");
    terminal.wait_for("[Packet]");
    terminal.wait_for("file offset 0x");
    let shown = terminal.screen.screen().contents();
    let offset = shown.split("file offset 0x").nth(1).unwrap().split(|c: char| !c.is_ascii_hexdigit()).next().unwrap();
    let offset = usize::from_str_radix(offset, 16).unwrap();
    assert_eq!(sample[offset..offset + 3], [0x17, 3, 3], "{shown}");
    fs::write(&path, &sample[..offset]).unwrap();
    terminal.press("J");
    terminal.wait_for("is not there any more: the file has changed since it was read");
    terminal.press("Q");
    terminal.wait_for_the_shell();
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn a_pipe_is_not_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("capture");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut terminal = Terminal::open(&pipe);
    let capture = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/tls.pcap")).unwrap();
    fs::OpenOptions::new().write(true).open(&pipe).unwrap().write_all(&capture).unwrap();
    terminal.wait_for("2 TLS streams");
    terminal.press(":keys samples/tls.keys\r");
    terminal.wait_for("what came through a pipe cannot be read again: start wspect with -k FILE");
    terminal.press("Q");
    terminal.wait_for_the_shell();
}

/// What has no key yet of a capture that is waited for is read when a log is named that has it, without leaving.
#[test]
fn a_key_log_is_read_while_the_capture_is_waited_for() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let capture = fs::read(samples.join("tls.pcap")).unwrap();
    for follows in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("capture");
        let (mut terminal, feed) = if follows {
            fs::write(&path, &capture).unwrap();
            (Terminal::run([Path::new("--follow"), &path], (140, 30)), None)
        } else {
            assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
            let terminal = Terminal::run([&path], (140, 30));
            let mut feed = fs::OpenOptions::new().write(true).open(&path).unwrap();
            feed.write_all(&capture).unwrap();
            (terminal, Some(feed))
        };
        terminal.wait_for(": command");
        for (name, said) in [("samples/no.keys", "no such file"), ("samples/README.md", "not a key log")] {
            terminal.press(&format!(":keys {name}\r"));
            terminal.wait_for(said);
        }
        terminal.press(":keys samples/tls.keys\r");
        terminal.wait_for("tls.keys: 8 keys, for what comes and what waits for its key");
        terminal.wait_for("wss://");
        terminal.press("Q");
        terminal.wait_for_the_shell();
        drop(feed);
    }
}
