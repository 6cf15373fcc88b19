//! Makes WebSocket captures that are real to a dissector, the same for the same settings, and says what is in them.
//!
//! ```text
//! Settings ─▶ Scene ─▶ turns of Session (WebSocket) and Flow (noise) ─▶ Tcp ─▶ Wire ─▶ .pcap
//!                               └▶ Connection, one each                        └▶ Totals
//! ```
//!
//! Whoever is live takes turns by lot, so that connections mix as on a busy link. Memory depends on the connections that
//! are open at a time, not on the size of the file.

#![allow(dead_code, unused_imports, reason = "the benchmark and the tests include this module, and each uses its part")]

mod body;
mod both;
mod frame;
mod noise;
mod pack;
mod profile;
mod rng;
mod session;
mod tcp;
mod truth;
mod wire;
mod world;

use std::io::{self, Write};

use noise::Noise;
use session::Session;
use world::World;

pub(crate) use profile::Profile;
pub(crate) use truth::{Connection, Tally, Totals};

/// What to make.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) profile: Profile,
    /// About how many bytes the file will have. Where connections are short, it decides how many there are.
    pub(crate) size: u64,
    pub(crate) seed: u64,
    /// Connections open at a time; for [`Profile::ManyConns`] connections altogether. `None`: as suits profile and size.
    pub(crate) conns: Option<u32>,
    /// Of 1 000 segments with frames, how many the capture lacks.
    pub(crate) loss: u32,
    /// IPv6 instead of IPv4.
    pub(crate) v6: bool,
}

impl Settings {
    /// `size` bytes of `profile`, everything else as usual.
    pub(crate) fn new(profile: Profile, size: u64, seed: u64) -> Self {
        Self { profile, size, seed, conns: None, loss: 0, v6: false }
    }

    /// How many connections there are in the capture, and how many of them at most at a time.
    fn conns(&self) -> (u64, u64) {
        let figures = self.profile.figures();
        let room = self.size / figures.bytes_per_conn;
        let most = u64::from(figures.conns);
        if figures.messages_per_conn.is_some() {
            let all = self.conns.map_or(room, u64::from).max(1);
            (all, all.min(most))
        } else {
            let all = self.conns.map_or(room.min(most), u64::from).max(1);
            (all, all)
        }
    }
}

/// Writes a capture to `out`. Hands over the truth about each connection when it ends, and returns that about the whole.
///
/// # Errors
/// Those of `out` and of `each`.
pub(crate) fn write(
    settings: &Settings,
    out: &mut dyn Write,
    each: &mut dyn FnMut(Connection) -> io::Result<()>,
) -> io::Result<Totals> {
    let mut scene = Scene::new(settings, out)?;
    while !scene.is_over() {
        if let Some(connection) = scene.turn()? {
            scene.count(&connection);
            each(connection)?;
        }
    }
    scene.finish()
}

/// Everything that happens in one capture.
struct Scene<'a> {
    world: World<'a>,
    live: Vec<Session>,
    /// Connections that are yet to be opened.
    to_open: u64,
    most: u64,
    noise: Noise,
    /// Bytes of file that noise has written.
    noise_bytes: u64,
    totals: Totals,
}

impl<'a> Scene<'a> {
    fn new(settings: &Settings, out: &'a mut dyn Write) -> io::Result<Self> {
        let (to_open, most) = settings.conns();
        Ok(Self {
            world: World::new(settings, out)?,
            live: Vec::new(),
            to_open,
            most,
            noise: Noise::default(),
            noise_bytes: 0,
            totals: Totals {
                profile: settings.profile.name(),
                seed: settings.seed,
                size: 0,
                packets: 0,
                tcp_streams: 0,
                connections: 0,
                said: Default::default(),
            },
        })
    }

    fn is_over(&self) -> bool {
        self.to_open == 0 && self.live.is_empty() && self.is_quiet()
    }

    /// True when no more noise is to come.
    fn is_quiet(&self) -> bool {
        self.world.figures.noise == 0 || self.noise.is_over(&self.world)
    }

    /// One turn of noise or of a connection; that connection, if it was its last.
    fn turn(&mut self) -> io::Result<Option<Connection>> {
        self.world.pause();
        if self.is_noise_due() {
            let before = self.world.wire.bytes();
            self.noise.turn(&mut self.world)?;
            self.noise_bytes += self.world.wire.bytes() - before;
            return Ok(None);
        }
        self.open();
        self.session_turn()
    }

    fn is_noise_due(&self) -> bool {
        let due = self.world.wire.bytes() * u64::from(self.world.figures.noise) / 10_000;
        let is_alone = self.to_open == 0 && self.live.is_empty();
        !self.is_quiet() && (is_alone || self.noise_bytes < due)
    }

    /// Opens the next connection, if there is one; the first ones over some turns, as they would come.
    fn open(&mut self) {
        let room = (self.live.len() as u64) < self.most;
        if self.to_open > 0 && room && (self.live.is_empty() || self.world.rng.chance(5_000)) {
            self.to_open -= 1;
            let session = Session::new(&mut self.world);
            self.live.push(session);
        }
    }

    fn session_turn(&mut self) -> io::Result<Option<Connection>> {
        let place = self.world.rng.below(self.live.len() as u64) as usize;
        let Some(session) = self.live.get_mut(place) else {
            return Ok(None);
        };
        if session.turn(&mut self.world)? {
            return Ok(None);
        }
        Ok(Some(self.live.swap_remove(place).into_truth()))
    }

    fn count(&mut self, connection: &Connection) {
        self.totals.connections += 1;
        for dir in both::Direction::BOTH {
            self.totals.said[dir].add(&connection.said[dir]);
        }
    }

    fn finish(mut self) -> io::Result<Totals> {
        self.world.wire.finish()?;
        self.totals.size = self.world.wire.bytes();
        self.totals.packets = self.world.wire.packets();
        self.totals.tcp_streams = self.world.tcp_streams();
        Ok(self.totals)
    }
}
