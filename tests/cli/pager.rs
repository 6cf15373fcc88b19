//! Where rows do not fit on the screen a pager shows them; what is printed and how it ends are as without it.

use super::*;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;
use std::time::Duration;

/// A screen of 24 lines on which the program runs, with this `PAGER`, if any.
struct Screen {
    pager: Option<String>,
    /// Keys that are typed once that was printed.
    typed: Option<(&'static str, &'static [u8])>,
}

impl Screen {
    fn with(pager: impl Into<String>) -> Self {
        Self { pager: Some(pager.into()), typed: None }
    }

    /// What is printed, and the exit code.
    fn run(&self, line: &[&str]) -> (String, u32) {
        let size = PtySize { rows: 24, cols: 100, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_wspect"));
        command.env("XDG_CONFIG_HOME", "/none");
        command.args(line);
        command.cwd(env!("CARGO_MANIFEST_DIR"));
        command.env("TERM", "xterm-256color");
        for variable in ["NO_COLOR", "LESS", "PAGER"] {
            command.env_remove(variable);
        }
        if let Some(pager) = &self.pager {
            command.env("PAGER", pager);
        }
        let mut child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let (mut reader, mut writer) = (pty.master.try_clone_reader().unwrap(), pty.master.take_writer().unwrap());
        let (mut printed, mut typed, mut piece) = (Vec::new(), self.typed, [0; 4096]);
        // On Linux the end of a terminal is an error.
        while let Ok(read @ 1..) = reader.read(&mut piece) {
            printed.extend_from_slice(&piece[..read]);
            if let Some((at, keys)) = typed
                && String::from_utf8_lossy(&printed).contains(at)
            {
                // Time to come to rest: who is asked reads keys from then on.
                thread::sleep(Duration::from_millis(300));
                writer.write_all(keys).unwrap();
                typed = None;
            }
        }
        (String::from_utf8(printed).unwrap().replace("\r\n", "\n"), child.wait().unwrap().exit_code())
    }
}

/// A pager that keeps what it is given in a file, and then runs this.
struct Kept(tempfile::TempDir);

impl Kept {
    fn then(end: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("pager");
        fs::write(&script, format!("#!/bin/sh\ncat > '{}/seen'\n{end}\n", dir.path().display())).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        Self(dir)
    }

    fn screen(&self) -> Screen {
        Screen::with(self.0.path().join("pager").display().to_string())
    }

    fn seen(&self) -> Option<String> {
        fs::read_to_string(self.0.path().join("seen")).ok()
    }
}

#[test]
fn rows_that_do_not_fit_are_paged_whole() {
    for line in [&["msgs", "samples/mix.pcap"][..], &["explain"], &["schema"]] {
        let kept = Kept::then("echo AFTER");
        let (printed, code) = kept.screen().run(line);
        let (bare, bare_code) = Screen::with("").run(line);
        assert_eq!((code, bare_code), (0, 0));
        assert!(bare.lines().count() > 24, "{line:?}");
        // What goes to stderr comes when the terminal is free again.
        let rows = kept.seen().unwrap();
        assert_eq!(bare.strip_prefix(&rows), printed.strip_prefix("AFTER\n"), "{line:?}");
        assert!(rows.len() > 500);
    }
}

#[test]
fn what_fits_is_not_paged_unless_always() {
    let short = ["ls", "-q", "samples/mix.pcap"];
    let kept = Kept::then("");
    let (printed, code) = kept.screen().run(&short);
    assert_eq!((printed.lines().count(), code, kept.seen()), (5, 0, None));
    kept.screen().run(&[&short[..], &["--pager", "always"]].concat());
    assert_eq!(kept.seen(), Some(printed));
}

#[test]
fn nothing_is_paged_that_should_not_be() {
    let kept = Kept::then("");
    let long = ["msgs", "-q", "samples/mix.pcap"];
    let (rows, _) = kept.screen().run(&[&long[..], &["--pager", "never"]].concat());
    for pager in ["", "cat", "no-such-pager-anywhere"] {
        assert!(Screen::with(pager).run(&long) == (rows.clone(), 0), "{pager}");
    }
    // A file, a pipe, and bytes that are no rows.
    let file = kept.0.path().join("rows.txt");
    kept.screen().run(&["msgs", "-q", "samples/mix.pcap", "--pager", "always", "-o", file.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(&file).unwrap(), stdout("msgs -q samples/mix.pcap"));
    let mut piped = wspect(["msgs", "-q", "samples/mix.pcap", "--pager", "always"]);
    let piped = piped.env("PAGER", kept.0.path().join("pager")).output().unwrap();
    assert_eq!(String::from_utf8(piped.stdout).unwrap(), stdout("msgs -q samples/mix.pcap"));
    kept.screen().run(&["show", "--raw", "--force", "samples/mix.pcap", "1:9"]);
    assert_eq!(kept.seen(), None);
}

#[test]
fn exit_codes_are_those_without_a_pager() {
    let kept = Kept::then("exit 9");
    let (_, code) = kept.screen().run(&["check", "--fail-on", "error", "samples/handshakes.pcapng"]);
    assert_eq!(code, 1);
    assert!(kept.seen().is_some());
    assert_eq!(kept.screen().run(&["msgs", "--strict", "samples/lossy.pcap"]).1, 4);
    assert_eq!(kept.screen().run(&["show", "samples/mix.pcap", "1", "99:1"]).1, 1);
}

/// Who leaves the pager before all is shown has closed a pipe.
#[test]
fn leaving_early_is_a_closed_pipe() {
    let dir = tempfile::tempdir().unwrap();
    let big = big_capture(dir.path());
    let (printed, code) = Screen::with("head -n 1").run(&["msgs", "--json", big.to_str().unwrap()]);
    assert_eq!((printed.lines().count(), code), (1, 141), "{printed}");
}

/// ^C is for the pager while its user looks at rows; it neither ends us first nor changes the code.
#[test]
fn an_interrupt_belongs_to_the_pager() {
    let kept = Kept::then("trap 'echo CAUGHT; exit 0' INT\necho READY\nsleep 20 & wait");
    let screen = Screen { typed: Some(("READY", b"\x03")), ..kept.screen() };
    let (printed, code) = screen.run(&["msgs", "samples/mix.pcap"]);
    assert!(printed.contains("CAUGHT") && printed.contains("4 connections, "), "{printed}");
    assert_eq!(code, 0);
}

#[test]
fn less_is_the_pager_where_nobody_names_one() {
    if Command::new("less").arg("--version").output().is_err() {
        return eprintln!("skipped: there is no less");
    }
    // It shows the first screen in colours, waits for a key, and leaves the screen as it is.
    let screen = Screen { pager: None, typed: Some(("1:20", b"q")) };
    let (printed, code) = screen.run(&["msgs", "samples/mix.pcap"]);
    assert_eq!(code, 0);
    assert!(printed.contains("\x1b[36m→\x1b[0m") && !printed.contains("1:26"), "{printed:?}");
    assert!(printed.trim_end().ends_with("(wspect check)") || printed.contains("4 connections, "), "{printed:?}");
    // What fits is printed, and no key is waited for.
    let (printed, code) = Screen { pager: None, typed: None }.run(&["ls", "samples/mix.pcap", "--pager", "auto"]);
    assert_eq!((printed.lines().count(), code), (6, 0));
}
