//! WebSockets over HTTP/2: the flag, the handshake, and the frames of HTTP/2 that carry those of WebSocket.

use super::tls::browser_of_sample;
use super::*;
use wspect::model::Secrets;

fn sample() -> App {
    browser_of_sample("h2.pcap", Secrets::default(), WIDE)
}

#[test]
fn connections_and_their_handshakes_are_shown() {
    let mut app = sample();
    let list = picture(&app, WIDE);
    assert!(list.contains("/chat?room=lobby") && list.contains("H2"), "{list}");
    assert!(list.contains("tcp.stream 0 · http2.streamid 3"), "{list}");
    press(&mut app, "3");
    let handshake = picture(&app, WIDE);
    for words in
        ["CONNECT /chat?room=lobby HTTP/2", ":protocol: websocket", "CONNECT allowed by SETTINGS", "http2.streamid"]
    {
        assert!(handshake.contains(words), "{words}: {handshake}");
    }
}

/// The first message of the feed is one whose frame lies in several DATA frames.
#[test]
fn data_frames_stand_between_the_packet_and_the_frame() {
    let mut app = sample();
    press(&mut app, "j<Enter><Enter>4");
    let frame = picture(&app, WIDE);
    for words in ["HTTP/2 DATA [Frame] Unmasked", "http2.streamid", "http2.data", "http2.head"] {
        assert!(frame.contains(words), "{words}: {frame}");
    }
}
