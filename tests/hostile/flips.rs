//! Captures with flipped, dropped and doubled bytes: nothing panics, hangs or grows.

use super::support::Dice;
use super::support::craft::*;
use super::support::run::{Input, wspect};
use std::ops::ControlFlow;
use std::path::Path;
use wspect::capture::Reader;
use wspect::model::{Event, Limits, Sink, Stamp};

/// Small captures of every kind.
fn captures() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all: Vec<Vec<u8>> =
        ["samples/stomp.pcapng", "samples/mqtt.pcap", "tests/data/srv_tornado.pcap", "samples/lossy.pcap"]
            .iter()
            .map(|name| std::fs::read(root.join(name)).unwrap())
            .collect();
    let segments = interleave((0..3).map(|n| Session::sample(n).segments()).collect());
    let six = packets(&v6(&segments), &Wire { extensions: vec![(0, vec![0; 6])], ..Wire::over(Link::Sll) });
    all.push(pcapng(&six, true));
    all.push(
        Pcap { magic: Magic::Modified, big: true, ..Pcap::default() }
            .file(&packets(&segments, &Wire::over(Link::Loop))),
    );
    all
}

/// Changes a capture: single bits or whole stretches, anywhere or in its first kilobyte.
fn mutate(file: &mut Vec<u8>, dice: &mut Dice) {
    let reach = if dice.below(3) == 0 { 1000.min(file.len()) } else { file.len() };
    let spread = if dice.below(2) == 0 { 1 + dice.below(8) } else { file.len() / 200 + dice.below(file.len() / 20) };
    for _ in 0..spread {
        let at = dice.below(reach);
        match dice.below(6) {
            0..=2 => file[at] ^= 1 << dice.below(8),
            3 => file[at] = [0, 0xff, 0x7f, 0x80][dice.below(4)],
            4 => file[at] = dice.roll() as u8,
            _ => {
                let other = dice.below(file.len());
                file[at] = file[other];
            }
        }
    }
    match dice.below(12) {
        0 => file.truncate(dice.below(file.len())),
        1 => drop(file.drain(..dice.below(100)).count()),
        2 => {
            let (at, len) = (dice.below(file.len()), dice.below(300));
            let copy = file[at..(at + len).min(file.len())].to_vec();
            file.splice(at..at, copy);
        }
        _ => {}
    }
}

/// Takes everything and counts: messages, their frames, and frames told by themselves.
#[derive(Default)]
struct Listener {
    messages: u64,
    frames: u64,
    told: u64,
}

impl Sink for Listener {
    fn accept(&mut self, _: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        if let Event::Message(message) = event {
            assert!(message.body.kept.len() as u64 <= message.body.len, "more is kept than there was");
            self.messages += 1;
            self.frames += message.frames;
        }
        self.told += u64::from(matches!(event, Event::Frame(_)));
        ControlFlow::Continue(())
    }
}

/// Captures to mutate: few in every run, as many as one likes with `WSPECT_FLIPS`.
pub(super) fn rounds(usual: u64) -> u64 {
    std::env::var("WSPECT_FLIPS").map_or(usual, |rounds| rounds.parse().expect("WSPECT_FLIPS is a number"))
}

/// Through the library: many.
#[test]
fn mutated_captures_are_dissected() {
    let captures = captures();
    let mut said = 0;
    for seed in 0..rounds(6000) {
        let mut dice = Dice(seed);
        let mut file = captures[seed as usize % captures.len()].clone();
        mutate(&mut file, &mut dice);
        let Ok(mut reader) = Reader::new(Box::new(std::io::Cursor::new(file))) else { continue };
        let mut listener = Listener::default();
        wspect::dissect::run(&mut reader, Limits::DEFAULT, &mut listener, &mut |_| ControlFlow::Continue(()));
        assert_eq!(listener.frames, listener.told, "seed {seed}: each frame is of one message");
        said += listener.messages;
    }
    assert!(said > 10_000, "most of what is there is still found: {said} messages");
}

/// Through the program: every command, as text and as records.
#[test]
fn mutated_captures_are_shown() {
    let captures = captures();
    let commands: [&[&str]; 9] = [
        &["msgs", "--json"],
        &["msgs"],
        &["ls"],
        &["ls", "--json"],
        &["frames", "--json"],
        &["handshake"],
        &["check"],
        &["stats"],
        &["export", "jsonl"],
    ];
    for seed in 0..rounds(240) {
        let mut dice = Dice(10_000 + seed);
        let mut file = captures[seed as usize % captures.len()].clone();
        mutate(&mut file, &mut dice);
        let command = commands[seed as usize % commands.len()];
        let done = wspect(command, Input::Bytes(&file));
        done.unharmed(&format!("{command:?}, seed {seed}"));
        assert!(done.peak_kib >> 10 < 128, "{command:?}, seed {seed}: {} MiB", done.peak_kib >> 10);
    }
}
