//! Connections inside TLS: what is told of it, and keys that come when the capture is shown.

use super::*;
use crate::support::keys::secrets;
use std::sync::Arc;
use wspect::dissect::Settings;
use wspect::model::{Secrets, Sink, Stamp, TlsSum};
use wspect::tui::{Anew, Effect};

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/samples/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn keys() -> Secrets {
    secrets(&String::from_utf8(sample("tls.keys")).unwrap())
}

/// Counts TLS streams on the way to the book, as the program does.
struct Counted<'a>(&'a mut dyn Sink, TlsSum);

impl Sink for Counted<'_> {
    fn accept(&mut self, at: &Stamp, event: wspect::model::Event<'_>) -> ControlFlow<()> {
        if let wspect::model::Event::Tls(session) = event {
            self.1.count(session);
        }
        self.0.accept(at, event)
    }

    fn hears_records(&self) -> bool {
        self.0.hears_records()
    }
}

/// Lets the browser read a sample, up to its last word, which is returned.
fn batches(app: &mut App, name: &str, secrets: Secrets) -> Outcome {
    batches_of(app, sample(name), secrets)
}

fn batches_of(app: &mut App, capture: Vec<u8>, secrets: Secrets) -> Outcome {
    let mut reader = Reader::new(Box::new(std::io::Cursor::new(capture))).unwrap();
    let mut recorder = Recorder::new(|batch| {
        app.take(Loading::Batch(batch), Duration::ZERO);
        app.settle();
        ControlFlow::Continue(())
    });
    let limits = Limits { wire_bytes: 1 << 20, ..Limits::DEFAULT };
    let settings = Settings { limits, secrets: Arc::new(secrets), ..Settings::default() };
    let mut sink = Counted(&mut recorder, TlsSum::default());
    let summary = dissect::run(&mut reader, settings, &mut sink, &mut |_| ControlFlow::Continue(()));
    let tls = sink.1;
    let _ = recorder.flush();
    Outcome { tls, key_logs: summary.secrets.logs().to_vec(), ..Outcome::default() }
}

fn read(app: &mut App, name: &str, secrets: Secrets) {
    let outcome = batches(app, name, secrets);
    app.take(Loading::Done(outcome), Duration::ZERO);
    app.settle();
}

pub(super) fn browser_of_sample(name: &str, secrets: Secrets, size: (u16, u16)) -> App {
    let mut app = App::new(options(), size);
    read(&mut app, name, secrets);
    app
}

/// The browser after this capture was read with these secrets.
pub(super) fn browser_of_capture(capture: Vec<u8>, secrets: Secrets, size: (u16, u16)) -> App {
    let mut app = App::new(options(), size);
    let outcome = batches_of(&mut app, capture, secrets);
    app.take(Loading::Done(outcome), Duration::ZERO);
    app.settle();
    app
}

/// The line above the hints.
fn status(app: &App, size: (u16, u16)) -> String {
    let shown = picture(app, size);
    shown.lines().nth_back(1).unwrap().trim().to_owned()
}

#[test]
fn tls_is_told_wherever_a_connection_is() {
    for size in [WIDE, NARROW] {
        let at = format!("{}x{}", size.0, size.1);
        let mut app = browser_of_sample("tls.pcap", keys(), size);
        shot(&format!("tls_connections@{at}"), &picture(&app, size));
        press(&mut app, "3");
        shot(&format!("tls_handshake@{at}"), &picture(&app, size));
        press(&mut app, "24");
        shot(&format!("tls_bytes@{at}"), &picture(&app, size));
    }
}

/// The server's certificate is among what was negotiated.
#[test]
fn the_certificate_stands_with_the_handshake() {
    let tall = (120, 60);
    let mut app = browser_of_sample("tls.pcap", keys(), tall);
    press(&mut app, "3");
    let shown = picture(&app, tall);
    assert!(shown.contains("│ Certificate lab.test (3 names), by lab.test, "), "{shown}");
}

/// The records that carry a frame say more than that: what stands beside it is shown, each frame as it was sent.
#[test]
fn what_the_records_of_a_frame_say_is_shown() {
    use crate::support::craft::*;
    let mut session = Session::new(1);
    session.text(Client, "first of one").text(Client, "second of it").text(Client, "third of them");
    session.text(Client, &"cut over records ".repeat(3)).text(Client, "the last");
    let (head, frames) = session.turns.split_at(2);
    let sent: Vec<u8> = frames.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    let mut tls = Tls::new(1);
    for (side, bytes) in head {
        tls.data(*side, bytes);
    }
    for record in [&sent[..70], &sent[70..90], &sent[90..]] {
        tls.data(Client, record);
    }
    let mut app = browser_of_capture(capture_of(&tls.session.segments()), secrets(&tls.log()), WIDE);
    // The hex digits of the dump.
    let dumped = |app: &App| -> String {
        let digits = |line: &str| {
            let row: String =
                line.chars().skip_while(|c| *c != '┃').skip(1).skip_while(|c| *c != '┃').skip(6).collect();
            row.chars().take(16 * 3 + 2).filter(char::is_ascii_hexdigit).collect::<String>()
        };
        picture(app, WIDE).lines().skip(9).take(16).map(digits).collect()
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    press(&mut app, "24[");
    shot("tls_plaintext@120x36", &picture(&app, WIDE));
    for (message, records) in [(1, 0..70), (2, 0..70), (3, 0..70), (4, 0..sent.len()), (5, 90..sent.len())] {
        assert_eq!(dumped(&app), hex(&sent[records]), "message {message}: {}", picture(&app, WIDE));
        press(&mut app, "J");
    }
}

/// What the server sent was captured, so it is not said to be missing.
#[test]
fn what_is_not_decrypted_is_not_called_lost() {
    let keys = String::from_utf8(sample("tls.keys")).unwrap();
    let one_way: String =
        keys.lines().filter(|line| !line.contains("SERVER_TRAFFIC")).map(|l| format!("{l}\n")).collect();
    for size in [WIDE, NARROW] {
        let mut app = browser_of_sample("tls.pcap", secrets(&one_way), size);
        let shown = picture(&app, size);
        assert!(shown.lines().nth(4).unwrap().contains(" T key? "), "{shown}");
        assert!(shown.contains("no answer to the upgrade request was decrypted"), "{shown}");
        assert!(shown.contains("keys partial (test.keys:1): the secret of what the server sent") || size == NARROW);
        press(&mut app, "3");
        let shown = picture(&app, size);
        assert!(shown.contains("No answer was decrypted.") && !shown.contains("not captured"), "{shown}");
    }
}

/// Where nothing can be read for want of keys, the way to give them is told.
#[test]
fn keys_are_asked_for_where_there_are_none() {
    let advice = ":keys FILE to decode again with a key log";
    let mut app = browser_of_sample("tls.pcap", Secrets::default(), NARROW);
    assert!(picture(&app, NARROW).contains(advice));
    app = App::new(Options { can_reread: false, ..options() }, NARROW);
    read(&mut app, "tls.pcap", Secrets::default());
    assert!(!picture(&app, NARROW).contains(advice));
    app = browser_of_sample("mqtt.pcap", Secrets::default(), NARROW);
    assert!(!picture(&app, NARROW).contains(advice));
}

/// Every TLS stream is told of, also where no connection is known inside.
#[test]
fn tls_streams_are_listed() {
    let half: String = String::from_utf8(sample("tls.keys")).unwrap().lines().take(5).flat_map(|l| [l, "\n"]).collect();
    for (size, what) in [(WIDE, "wide"), (NARROW, "narrow")] {
        let mut app = browser_of_sample("tls.pcap", Secrets::default(), size);
        assert!(picture(&app, size).contains(":tls to list TLS streams"));
        press(&mut app, ":tls<Enter>");
        let none = picture(&app, size);
        assert!(none.contains("no key") && none.contains("random 9825445a1d08"), "{none}");
        app = browser_of_sample("tls.pcap", secrets(&half), size);
        press(&mut app, ":tls<Enter>");
        insta::assert_snapshot!(format!("tls_streams_{what}"), picture(&app, size));
        press(&mut app, "G<Esc>");
        assert!(!picture(&app, size).contains("random "));
    }
    let mut app = browser_of_sample("mqtt.pcap", Secrets::default(), NARROW);
    press(&mut app, ":tls<Enter>");
    assert_eq!(status(&app, NARROW), "no TLS stream");
}

#[test]
fn a_finding_about_a_stream_without_a_connection_names_it() {
    let all = String::from_utf8(sample("tls.keys")).unwrap();
    let handshakes: String =
        all.lines().filter(|line| line.contains("HANDSHAKE")).map(|line| format!("{line}\n")).collect();
    let mut app = browser_of_sample("tls.pcap", secrets(&handshakes), NARROW);
    press(&mut app, "6");
    let shown = picture(&app, NARROW);
    assert!(shown.contains("NO-KEYS             — stream 0") && shown.contains("— stream 1"), "{shown}");
}

#[test]
fn a_key_log_is_asked_for_by_its_name() {
    let mut app = browser_of_sample("tls.pcap", Secrets::default(), NARROW);
    press(&mut app, ":keys  ~/my keys.txt");
    assert_eq!(status(&app, NARROW), ":keys  ~/my keys.txt");
    press(&mut app, "<Enter>");
    assert_eq!(app.take_effects(), [Effect::Again(Anew::Keys("~/my keys.txt".into()))]);
    assert_eq!(status(&app, NARROW), "reading ~/my keys.txt");
    press(&mut app, ":keys other<Enter>");
    assert!(app.take_effects().is_empty() && status(&app, NARROW).contains("still being read"));
    app.take(Loading::Refused("my\x1b keys.txt: no such file".to_owned()), Duration::ZERO);
    assert_eq!(status(&app, NARROW), "my\\x1b keys.txt: no such file");
    for (keys, said) in [
        (":keys<Enter>", "keys FILE to decode again with a key log"),
        (":kyes x<Enter>", "no command kyes: did you mean keys?"),
    ] {
        press(&mut app, keys);
        assert_eq!(status(&app, NARROW), said);
    }
    press(&mut app, ":<Enter>:ke<Esc>:<C-c>");
    assert!(app.take_effects().is_empty() && !status(&app, NARROW).starts_with(':'));
    app.event(&Event::Paste("keys pasted\n".to_owned()));
    press(&mut app, ":");
    app.event(&Event::Paste("keys pasted\nQ".to_owned()));
    press(&mut app, "<Enter>");
    assert_eq!(app.take_effects(), [Effect::Again(Anew::Keys("pasted".into()))]);
}

#[test]
fn what_came_through_a_pipe_is_not_read_again() {
    let mut app = App::new(Options { can_reread: false, ..options() }, NARROW);
    press(&mut app, ":keys keys.txt<Enter>");
    assert!(app.take_effects().is_empty() && status(&app, NARROW).contains("pipe cannot be read again"));
    // A file is not read twice at once.
    let mut app = App::new(options(), NARROW);
    press(&mut app, ":keys keys.txt<Enter>");
    assert!(app.take_effects().is_empty() && status(&app, NARROW).contains("still being read"));
}

/// One that is waited for is read on, and the log is asked for at once; at its end it is as any other.
#[test]
fn a_key_log_is_asked_for_while_a_capture_is_waited_for() {
    let mut app = App::new(Options { can_reread: false, is_live: true, ..options() }, NARROW);
    for name in ["one", "two"] {
        press(&mut app, &format!(":keys {name}<Enter>"));
        assert_eq!(app.take_effects(), [Effect::Again(Anew::Keys(name.into()))]);
    }
    app.take(Loading::Done(Outcome::default()), Duration::ZERO);
    press(&mut app, ":keys three<Enter>");
    assert!(app.take_effects().is_empty() && status(&app, NARROW).contains("pipe cannot be read again"));
}

/// A log that does not fit says so, in the line that tells what it brought.
#[test]
fn a_key_log_that_does_not_fit_says_so() {
    let log = String::from_utf8(sample("tls.keys")).unwrap();
    let wrong: String = log.lines().map(|line| format!("{}0bad\n", &line[..line.len() - 4])).collect();
    let mut app = browser_of_sample("tls.pcap", Secrets::default(), WIDE);
    press(&mut app, ":keys x<Enter>");
    app.take(Loading::Again, Duration::ZERO);
    app.settle();
    read(&mut app, "tls.pcap", secrets(&wrong));
    let said = status(&app, WIDE);
    assert!(said.starts_with("x: now 0 of 2 TLS streams decrypted: the key does not fit: record 0"), "{said}");
    press(&mut app, "<Esc>:tls<Enter>");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("keys none (") && !shown.contains("keys matched"), "{shown}");
}

/// A key log that brings nothing leaves all as it was, one that does leads back to where the user was.
#[test]
fn the_user_stays_in_place_when_the_capture_is_read_again() {
    for place in ["}2jjjjj", "}2jjjjj4", "}3", "}2jjF", "}"] {
        let mut app = browser_of_sample("tls.pcap", keys(), WIDE);
        press(&mut app, place);
        let before = picture(&app, WIDE);
        press(&mut app, ":keys x<Enter>");
        app.take(Loading::Again, Duration::ZERO);
        app.settle();
        assert!(!app.is_busy() && app.is_loading());
        read(&mut app, "tls.pcap", keys());
        assert_eq!(status(&app, WIDE), "x: now 2 of 2 TLS streams decrypted");
        // Any key takes the line away.
        press(&mut app, "<Esc>");
        while app.is_busy() {
            app.work();
            app.settle();
        }
        let after = picture(&app, WIDE);
        assert_eq!(before, after, "{place}");
    }
}

/// Connections that are read now come before the one that the user looks at.
#[test]
fn a_connection_is_found_again_by_its_stream() {
    let all = String::from_utf8(sample("tls.keys")).unwrap();
    let randoms: Vec<&str> = all.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    let last = *randoms.last().unwrap();
    let some: String = all.lines().filter(|line| line.contains(last)).map(|line| format!("{line}\n")).collect();
    let mut app = browser_of_sample("tls.pcap", secrets(&some), WIDE);
    let streams = |app: &App| picture(app, WIDE).lines().find(|line| line.contains("tcp.stream")).map(str::to_owned);
    press(&mut app, "1");
    let before = streams(&app).unwrap();
    assert!(picture(&app, WIDE).contains("1 of 2 TLS streams decrypted"));
    press(&mut app, ":keys x<Enter>");
    app.take(Loading::Again, Duration::ZERO);
    read(&mut app, "tls.pcap", keys());
    assert_eq!(streams(&app).unwrap(), before);
    assert!(picture(&app, WIDE).contains("Connections 2"));
}

/// Who goes elsewhere while the capture is read again is not called back.
#[test]
fn who_goes_elsewhere_meanwhile_stays_there() {
    let mut app = browser_of_sample("tls.pcap", keys(), WIDE);
    press(&mut app, "}2jjjjj:keys x<Enter>");
    app.take(Loading::Again, Duration::ZERO);
    app.settle();
    press(&mut app, "1");
    read(&mut app, "tls.pcap", keys());
    assert!(picture(&app, WIDE).contains("┌─ Connection 1 ─"));
}

#[test]
fn a_reader_that_is_gone_leaves_what_was_read() {
    let mut app = browser_of_sample("tls.pcap", keys(), WIDE);
    press(&mut app, ":keys x<Enter>");
    assert_eq!(app.take_effects().len(), 1);
    press(&mut app, "<C-c>");
    assert_eq!(app.take_effects(), [Effect::StopLoading]);
    app.take(Loading::Refused("x: not read to its end; the keys are as before".to_owned()), Duration::ZERO);
    assert!(picture(&app, WIDE).contains("Connections 2"));
}
