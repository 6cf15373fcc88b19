//! Captures in which there is little or nothing to see, or of which a part is missing.

use super::*;
use wspect::model::{PacketNo, Secrets};

/// The browser after a capture without a connection was read.
fn without_connection(seen: &[&str], size: (u16, u16)) -> App {
    let mut app = App::new(options(), size);
    let seen = seen.iter().map(|&line| line.to_owned()).collect();
    app.take(Loading::Done(Outcome { seen, ..Outcome::default() }), Duration::ZERO);
    app.settle();
    app
}

#[test]
fn says_what_was_seen_when_there_is_no_websocket() {
    let seen = [
        "No WebSocket connection in cap.pcapng (18 204 packets, 41 TCP streams).",
        "  3 TLS streams: encrypted, so what they carry is not known",
        "  38 HTTP/1 streams without a WebSocket handshake",
    ];
    shot("nothing", &picture(&without_connection(&seen, NARROW), NARROW));
    shot("nothing_small", &picture(&without_connection(&seen, SMALL), SMALL));
}

/// No key is offered that does nothing.
#[test]
fn offers_no_key_that_does_nothing() {
    let hints = |app: &App| picture(app, NARROW).lines().last().unwrap_or_default().trim().to_owned();
    let mut app = without_connection(&["No packets in cap.pcapng."], NARROW);
    for (screen, said) in [
        ("1", ": command  D decode as  ? help  q quit"),
        ("2", ": command  D decode as  ? help  q back"),
        ("4", ": command  D decode as  ? help  q back"),
    ] {
        press(&mut app, screen);
        assert_eq!(hints(&app), said);
    }
    let (story, _) = one_connection();
    let mut app = browser(&story, NARROW);
    press(&mut app, "2");
    assert_eq!(hints(&app), "Tab pane  d direction  p pings  f filter  { } connection  ? help  q back");
    press(&mut app, "6");
    assert_eq!(hints(&app), "Tab pane  s severity  f filter  { } connection  : command  ? help  q back");
    press(&mut app, "1");
    assert!(hints(&app).starts_with("Enter messages"));
}

/// That a capture is cut is said on every screen, at every size.
#[test]
fn a_cut_capture_says_so_everywhere() {
    for (size, line, said) in [
        (WIDE, 2, " ! Capture is cut after packet 19802; everything up to it is shown."),
        (SMALL, 1, " ! Capture is cut after packet 19802."),
    ] {
        let story = story::everything();
        let mut app = browser(&story, size);
        let progress = progress(&story, 9);
        let outcome = Outcome { progress, cut_after: Some(PacketNo(19802)), ..Outcome::default() };
        app.take(Loading::Done(outcome), Duration::ZERO);
        app.settle();
        for screen in ["1", "2", "3", "4", "5", "6", "?"] {
            press(&mut app, screen);
            let shown = picture(&app, size);
            assert_eq!(shown.lines().nth(line), Some(said), "{shown}");
        }
        press(&mut app, "<Esc>2");
        shot(&format!("cut@{}x{}", size.0, size.1), &picture(&app, size));
    }
    let mut app = without_connection(&["No packets in cap.pcapng."], NARROW);
    let seen = vec!["No packets in cap.pcapng.".to_owned()];
    app.take(Loading::Done(Outcome { seen, cut_after: Some(PacketNo(0)), ..Outcome::default() }), Duration::ZERO);
    app.settle();
    assert!(picture(&app, NARROW).contains("\n ! Capture is cut before its first packet.\n"));
}

/// What cannot be read stays in the list, and each screen says which key is missing.
#[test]
fn a_connection_without_its_key_says_which() {
    let mut story = Story::new();
    story.open_encrypted(story::endpoint(9, 33991), story::endpoint(2, 443), 12);
    for size in [WIDE, NARROW] {
        let mut app = browser(&story, size);
        press(&mut app, "1");
        let list = picture(&app, size);
        assert!(list.contains("wss://feed.example/…") && list.contains("T key?"), "{list}");
        for screen in ["2", "3"] {
            press(&mut app, screen);
            let shown = picture(&app, size);
            assert!(shown.contains("Encrypted: no secret for client random 7a7a7a7a"), "{shown}");
        }
    }
}

/// Where the handshake tells why there is no message, so does the list.
#[test]
fn an_empty_list_says_why_it_is_empty() {
    let mut app = tls::browser_of_sample("handshakes.pcapng", Secrets::default(), WIDE);
    let mut said = |conn: &str| {
        press(&mut app, "1g");
        press(&mut app, &"j".repeat(conn.parse::<usize>().unwrap() - 1));
        press(&mut app, "2");
        let shown = picture(&app, WIDE);
        let lines = shown.lines().skip(4).take(2).map(|line| line.split(['┃', '│']).nth(1).unwrap().trim());
        lines.collect::<Vec<_>>().join(" ").trim_end().to_owned()
    };
    assert_eq!(said("1"), "No message: the upgrade was refused with 401. 3 shows the handshake.");
    assert_eq!(said("22"), "No message: the upgrade was not answered. 3 shows the handshake.");
    assert_eq!(said("28"), "No message: the server switched to h2c. 3 shows the handshake.");
}

#[test]
fn an_explanation_does_not_say_its_headline_again() {
    let mut app = tls::browser_of_sample("handshakes.pcapng", Secrets::default(), WIDE);
    press(&mut app, "6");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("│HS-KEY  Sec-WebSocket-Key is missing, repeated or not 16 bytes in base64."), "{shown}");
    assert!(shown.contains("│Sec-WebSocket-Key: short  "), "{shown}");
}

#[test]
fn what_was_not_chosen_is_not_called_offered() {
    let mut app = tls::browser_of_sample("chat.pcapng", Secrets::default(), WIDE);
    press(&mut app, "3");
    assert!(picture(&app, WIDE).contains("✓ extensions were offered"));
    press(&mut app, "}");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("✓ no subprotocol chosen") && shown.contains("✓ no extension chosen"), "{shown}");
    assert!(!shown.contains("offered  "), "{shown}");
}
