//! What the tests share: captures and their truth, the program under test, and a maker of captures.
#![allow(dead_code, reason = "each test file uses its part")]
pub(crate) mod craft;
pub(crate) mod keys;
pub(crate) mod run;
pub(crate) mod truth;

use std::path::PathBuf;

/// Where a capture of the collection is: copied into the repository, or in the collection that `WSPECT_CAPTURES` names.
///
/// Says so on stderr and is `None` when it is in neither: its test has nothing to do then.
pub(crate) fn capture(set: &str, name: &str) -> Option<PathBuf> {
    let found = find(set, name);
    if found.is_none() {
        eprintln!("skipped: {set}/{name} (set WSPECT_CAPTURES to the collection of captures)");
    }
    found
}

/// The same, without a word.
pub(crate) fn find(set: &str, name: &str) -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let sample = SAMPLES.iter().find(|row| set == "lab" && row.0 == name).map(|row| root.join("samples").join(row.1));
    [sample, Some(root.join("tests/data").join(name)), in_collection(set, name)]
        .into_iter()
        .flatten()
        .find(|path| path.is_file())
}

/// Where a capture is in the collection, if there is one.
pub(crate) fn in_collection(set: &str, name: &str) -> Option<PathBuf> {
    std::env::var_os("WSPECT_CAPTURES").map(|dir| PathBuf::from(dir).join(set).join(name))
}

/// Captures of the lab that are samples: their names there and here.
pub(crate) const SAMPLES: &[(&str, &str)] = &[
    ("app_mqtt.pcap", "mqtt.pcap"),
    ("app_stomp.pcapng", "stomp.pcapng"),
    ("base_mix.pcap", "mix.pcap"),
    ("chromium_ws.pcapng", "chat.pcapng"),
    ("handshakes.pcapng", "handshakes.pcapng"),
    ("srv_wsnode.pcapng", "fragments.pcapng"),
    ("tls_tls13_dsb.pcapng", "wss.pcapng"),
];

/// SHA-256 in hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Numbers that look random and are the same in every run (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// The next 64 bits.
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.roll() % n.max(1) as u64) as usize
    }

    /// `len` bytes.
    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.roll() as u8).collect()
    }
}
