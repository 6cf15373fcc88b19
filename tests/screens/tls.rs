//! Connections inside TLS: what is told of it.

use super::*;
use crate::support::keys::secrets;
use std::sync::Arc;
use wspect::dissect::Settings;
use wspect::model::Secrets;

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/samples/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn keys() -> Secrets {
    secrets(&String::from_utf8(sample("tls.keys")).unwrap())
}

/// Lets the browser read a sample, up to its last word, which is returned.
fn batches(app: &mut App, name: &str, secrets: Secrets) -> Outcome {
    let mut reader = Reader::new(Box::new(std::io::Cursor::new(sample(name)))).unwrap();
    let mut recorder = Recorder::new(|batch| {
        app.take(Loading::Batch(batch), Duration::ZERO);
        app.settle();
        ControlFlow::Continue(())
    });
    let limits = Limits { wire_bytes: 1 << 20, ..Limits::DEFAULT };
    let settings = Settings { limits, secrets: Arc::new(secrets), ..Settings::default() };
    let summary = dissect::run(&mut reader, settings, &mut recorder, &mut |_| ControlFlow::Continue(()));
    let _ = recorder.flush();
    Outcome { key_logs: summary.secrets.logs().to_vec(), ..Outcome::default() }
}

fn read(app: &mut App, name: &str, secrets: Secrets) {
    let outcome = batches(app, name, secrets);
    app.take(Loading::Done(outcome), Duration::ZERO);
    app.settle();
}

fn browser_of_sample(name: &str, secrets: Secrets, size: (u16, u16)) -> App {
    let mut app = App::new(options(), size);
    read(&mut app, name, secrets);
    app
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
