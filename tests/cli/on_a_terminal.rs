//! On a terminal rows fit its width, have colours, and hold nothing that it would obey but those.

use super::*;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use unicode_width::UnicodeWidthStr as _;

/// What it prints on a terminal of so many columns, and its exit code.
fn on_terminal(columns: u16, line: &str) -> (String, u32) {
    let size = PtySize { rows: 24, cols: columns, pixel_width: 0, pixel_height: 0 };
    let pty = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_wspect"));
    command.env("XDG_CONFIG_HOME", "/none");
    command.args(line.split_whitespace());
    command.cwd(env!("CARGO_MANIFEST_DIR"));
    command.env("TERM", "xterm-256color");
    command.env_remove("NO_COLOR");
    command.env("PAGER", "");
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let mut printed = Vec::new();
    // On Linux the end of a terminal is an error; what came before has been kept.
    let _ = pty.master.try_clone_reader().unwrap().read_to_end(&mut printed);
    (String::from_utf8(printed).unwrap().replace("\r\n", "\n"), child.wait().unwrap().exit_code())
}

/// Without colours, and whether there were any.
fn plain(text: &str) -> (String, bool) {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap().to_owned();
    let without = parts.fold(first, |text, part| text + part.split_once('m').unwrap().1);
    (without, text.contains('\x1b'))
}

#[test]
fn rows_fit_and_are_coloured() {
    // Of these the reason is a long one.
    let keys = fs::read_to_string(sample("tls.keys")).unwrap();
    let log = tempfile::NamedTempFile::new().unwrap();
    let only: Vec<_> = keys.lines().filter(|line| line.contains("HANDSHAKE")).collect();
    fs::write(&log, only.join("\n")).unwrap();
    let only_handshakes = format!("keys -q --no-keylog -k {}", log.path().display());
    for columns in [80, 100, 120] {
        for command in [
            "ls -q",
            "msgs -q",
            "msgs -q --payload hex",
            "check -q",
            "stats -q",
            "frames -q -n 40",
            "handshake -q",
            "keys -q",
            &only_handshakes,
        ] {
            for sample in ["chat.pcapng", "handshakes.pcapng", "mix.pcap", "tls.pcap", "wss.pcapng"] {
                let (text, code) = on_terminal(columns, &format!("{command} samples/{sample}"));
                let (text, is_coloured) = plain(&text);
                assert!(code == 0 && is_coloured != text.is_empty(), "{command} {sample}");
                for line in text.lines() {
                    assert!(line.width() <= usize::from(columns), "{columns} {command} {sample}: {line}");
                    assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
                }
            }
        }
    }
}

/// Where nothing else can go, the URL gives way.
#[test]
fn connections_fit_into_half_a_screen() {
    let (text, _) = plain(&on_terminal(60, "ls -q samples/handshakes.pcapng").0);
    assert!(text.lines().all(|line| line.width() <= 60), "{text}");
    assert!(text.contains("503 Service Unavailable !"), "{text}");
}

/// No word is broken: sentences go on under their beginning, or stand below where there is little room.
#[test]
fn findings_are_wrapped_at_blanks() {
    let whole = stdout("check -q samples/lossy.pcap");
    let words: Vec<&str> = whole.split_whitespace().collect();
    for (columns, indent) in [(80, 6), (100, 53), (120, 53)] {
        let (text, _) = plain(&on_terminal(columns, "check -q samples/lossy.pcap").0);
        assert_eq!(text.split_whitespace().collect::<Vec<_>>(), words, "{columns}");
        let second = text.lines().nth(1).unwrap();
        assert_eq!(second.len() - second.trim_start().len(), indent, "{columns}: {second}");
    }
}

#[test]
fn raw_bytes_only_when_forced() {
    let (text, code) = on_terminal(80, "show --raw samples/mix.pcap 1:9");
    assert_eq!(code, 2);
    assert_eq!(text, "wspect: raw bytes can upset a terminal: use -o FILE, a pipe, or --force\n");
    let (text, code) = on_terminal(80, "show --raw --force samples/mix.pcap 1:1");
    assert_eq!((text.as_str(), code), ("the гамма βή", 0));
}

#[test]
fn no_file_is_a_question() {
    let (text, code) = on_terminal(80, "ls");
    assert_eq!((text.as_str(), code), ("wspect: no capture: name a FILE, or pipe one in (wspect --help)\n", 2));
}

/// The browser shows everything: it does not begin where something is not to be shown.
#[test]
fn the_browser_refuses_to_redact() {
    let (said, code) = on_terminal(80, "--redact cookies samples/mix.pcap");
    assert!(code == 2 && said.contains("--redact is for commands"), "{said}");
}
