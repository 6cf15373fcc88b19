//! How and why a connection ended: one sentence, and the packets that show it.

use super::amount::{count, duration, number};
use super::close::CloseCode;
use super::connection::Connection;
use super::event::Closed;
use super::flow::{Both, Direction};
use super::handshake::Outline;
use super::mark::{Mark, PacketNo};
use super::note::{NoteCode, clause};
use super::packet::End;
use super::version::Version;
use std::fmt;

/// How the directions of a stream ended, and which was first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ends {
    first: Option<Direction>,
    each: Both<Option<(End, Mark)>>,
}

impl Ends {
    /// A direction ended; what it did after its first end does not count.
    pub fn add(&mut self, dir: Direction, how: End, mark: Mark) {
        if self.each[dir].is_some() {
            return;
        }
        // One that bytes before it held up is told late.
        if self.each[dir.reverse()].is_none_or(|(_, known)| mark.packet < known.packet) {
            self.first = Some(dir);
        }
        self.each[dir] = Some((how, mark));
    }

    /// Turns the directions round.
    pub fn swap(&mut self) {
        self.first = self.first.map(Direction::reverse);
        self.each.swap();
    }

    /// The direction that ended first.
    pub fn first(&self) -> Option<(Direction, End, Mark)> {
        let dir = self.first?;
        self.each[dir].map(|(how, mark)| (dir, how, mark))
    }

    /// Both ends, the first first.
    pub fn in_order(&self) -> impl Iterator<Item = (Direction, End, Mark)> + '_ {
        let first = self.first.into_iter();
        let order = first.flat_map(|dir| [dir, dir.reverse()]);
        order.filter_map(|dir| self.each[dir].map(|(how, mark)| (dir, how, mark)))
    }

    /// The end of one direction.
    pub fn of(&self, dir: Direction) -> Option<(End, Mark)> {
        self.each[dir]
    }

    /// Who ended it first: by FIN or RST, or what stands for them in HTTP/2.
    pub fn by_peer(&self) -> Option<(Direction, End, Mark)> {
        self.first().filter(|(_, how, _)| how.is_by_peer())
    }

    /// The same in words: `TCP FIN from the client (frame 179)`.
    pub fn words(&self) -> Option<String> {
        let (dir, how, mark) = self.by_peer()?;
        Some(format!("{how} from the {} (frame {})", dir.sender(), mark.packet))
    }
}

/// What was heard last of a WebSocket before its stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Heard {
    /// Nothing.
    #[default]
    Nothing,
    /// The answer to the upgrade.
    Answer(Mark),
    /// The end of a frame.
    Frame(Mark),
}

impl Heard {
    /// The packet.
    pub const fn mark(self) -> Option<Mark> {
        match self {
            Self::Nothing => None,
            Self::Answer(mark) | Self::Frame(mark) => Some(mark),
        }
    }

    /// Nanoseconds from it to an end, and the same in words: `, 3.2s after the last message (frame 12)`.
    fn before(self, end: Mark) -> Option<(i64, String)> {
        let (what, heard) = match self {
            Self::Nothing => return None,
            Self::Answer(mark) => ("the upgrade", mark),
            Self::Frame(mark) => ("the last message", mark),
        };
        // What was given up as lost may have been so after the end.
        let idle = end.since(heard).filter(|&idle| idle >= 0 && heard.packet <= end.packet)?;
        Some((idle, format!(", {} after {what} (frame {})", duration(idle), heard.packet)))
    }
}

/// Why it is not known what a direction said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unseen {
    /// Bytes were lost, and no frame was found behind them.
    Lost,
    /// Nothing of it was captured.
    NotCaptured,
    /// It is encrypted, and its key is not known.
    NotDecrypted,
}

impl fmt::Display for Unseen {
    /// What is to be said of `it`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "bytes of it were lost",
            Self::NotCaptured => "it was not captured",
            Self::NotDecrypted => "it is not decrypted",
        })
    }
}

/// Pings that were not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unanswered {
    /// The direction of the pings.
    pub dir: Direction,
    /// How many.
    pub count: u64,
    /// The first of them: its packet and its message.
    pub since: Mark,
    /// See `since`.
    pub msg: u64,
    /// Nanoseconds for which it waited.
    pub waited: i64,
}

impl Unanswered {
    /// `3 pings of the server went unanswered for 30.0s`.
    pub fn words(&self) -> String {
        let Self { dir, count, waited, .. } = self;
        let pings = if *count == 1 { "a ping".to_owned() } else { format!("{} pings", number(*count)) };
        format!("{pings} of the {} went unanswered for {}", dir.sender(), duration(*waited))
    }
}

/// The kinds of endings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// The server answered the upgrade otherwise, or switched to another protocol.
    Refused,
    /// The upgrade was never answered.
    NoAnswer,
    /// Both ends sent a Close frame.
    Clean,
    /// One end sent a Close frame, the other none.
    NoReply,
    /// One end sent a Close frame, and whether the other did is not known.
    ReplyUnseen,
    /// TCP FIN, or END_STREAM, without a Close frame.
    Fin,
    /// TCP RST, or RST_STREAM or GOAWAY, without a Close frame.
    Rst,
    /// TCP ended without a Close frame after pings went unanswered.
    Timeout,
    /// Another connection took over its addresses and ports.
    Replaced,
    /// It was open when the capture ended.
    Open,
}

impl Ending {
    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::NoAnswer => "no-answer",
            Self::Clean => "clean",
            Self::NoReply => "no-reply",
            Self::ReplyUnseen => "reply-unseen",
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::Timeout => "timeout",
            Self::Replaced => "replaced",
            Self::Open => "open",
        }
    }
}

/// How and why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The kind.
    pub ending: Ending,
    /// One sentence, without its full stop; Close reasons, status lines and protocols are in it as they were sent.
    pub text: String,
    /// The packets that show it, in order.
    pub evidence: Vec<PacketNo>,
}

/// A Close frame as the row of its connection keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goodbye {
    /// Its code; none when it was empty.
    pub code: Option<CloseCode>,
    /// Its reason.
    pub reason: Box<str>,
    /// Bytes of its body.
    pub len: u64,
    /// Whether all of it was captured.
    pub complete: bool,
    /// The packet with its last byte.
    pub at: Mark,
}

impl Goodbye {
    /// `1000 (normal closure) "bye"`, `an empty Close frame`, `a Close frame with a body of 1 byte`.
    fn words(&self) -> String {
        match self.code {
            Some(code) if self.reason.is_empty() => format!("{code} ({})", code.meaning()),
            Some(code) => format!("{code} ({}) \"{}\"", code.meaning(), self.reason),
            None if !self.complete => "a Close frame that is not whole".to_owned(),
            None if self.len == 0 => "an empty Close frame".to_owned(),
            None => format!("a Close frame with a body of {}", count(self.len, "byte")),
        }
    }

    /// Whether it says the same as another, its reason aside.
    fn repeats(&self, other: &Self) -> bool {
        self.code == other.code && (self.code.is_some() || self.len == other.len)
    }
}

/// TCP ended and no Close frame was seen: by whom, how long after what, and what that suggests.
pub fn abrupt(closed: &Closed, version: Version) -> Option<String> {
    let (.., mark) = closed.ends.by_peer()?;
    // The first draft has no Close frame.
    let without = if version == Version::Hixie75 { "" } else { " without a Close frame" };
    let mut text = closed.ends.words()? + without;
    let idle = closed.heard.before(mark);
    text += idle.as_ref().map_or("", |(_, words)| words);
    match (&closed.unanswered, idle.and_then(|(idle, _)| idle_limit(idle))) {
        (Some(pings), _) => text += &format!("; {}", pings.words()),
        (None, Some(limit)) => {
            text += &format!("; suspect a proxy or server that cuts what is idle for {limit} seconds");
        }
        (None, None) => {}
    }
    for dir in Direction::BOTH {
        let who = dir.sender();
        text += &match closed.unseen[dir] {
            Some(Unseen::Lost) => format!("; bytes of the {who} were lost, and a Close frame may be among them"),
            Some(Unseen::NotCaptured) => format!("; the {who} was not captured, and may have sent one"),
            Some(Unseen::NotDecrypted) => format!("; what the {who} sent is not decrypted, and may hold one"),
            None => String::new(),
        };
    }
    Some(text)
}

/// Seconds after which proxies, load balancers and servers cut idle connections by default.
const IDLE_LIMITS: [i64; 15] = [10, 20, 30, 50, 55, 60, 90, 100, 120, 180, 240, 300, 350, 600, 3600];

/// The idle limit that such a pause suggests: it is as long, or little longer.
fn idle_limit(idle: i64) -> Option<i64> {
    const SECOND: i64 = 1_000_000_000;
    IDLE_LIMITS.into_iter().find(|limit| (-SECOND / 20..SECOND * 6 / 5).contains(&(idle - limit * SECOND)))
}

/// The verdict on a connection; what is still read counts as open.
pub(super) fn of(connection: &Connection) -> Verdict {
    let mut evidence = Vec::new();
    let (ending, text) = sentence(connection, &mut evidence);
    evidence.retain(|packet| packet.0 > 0);
    evidence.sort_unstable();
    evidence.dedup();
    Verdict { ending, text, evidence }
}

fn sentence(connection: &Connection, evidence: &mut Vec<PacketNo>) -> (Ending, String) {
    let handshake = connection.handshake.as_ref();
    if let Some(handshake) = handshake
        && let Some(text) = refused(handshake, evidence)
    {
        return text;
    }
    if let Some(text) = connection.encrypted() {
        let ending = match connection.closed.and_then(|closed| closed.ends.first()) {
            Some((_, End::Fin, _)) => Ending::Fin,
            Some((_, end, _)) if end.is_reset() => Ending::Rst,
            Some((_, End::Replaced, _)) => Ending::Replaced,
            _ => Ending::Open,
        };
        return (ending, text);
    }
    let Some(closed) = &connection.closed else { return (Ending::Open, "open so far".to_owned()) };
    if connection.is_unanswered() {
        return no_answer(handshake.and_then(|handshake| handshake.asked), closed, evidence);
    }
    if let Some(text) = said_goodbye(connection, closed, evidence) {
        return text;
    }
    evidence.extend(closed.heard.mark().map(|heard| heard.packet));
    if let Some(text) = abrupt(closed, connection.opened.version) {
        evidence.extend(Direction::BOTH.iter().filter_map(|&dir| tcp_end(closed, dir)));
        evidence.extend(closed.unanswered.map(|pings| pings.since.packet));
        let ending = match (closed.unanswered, closed.ends.by_peer()) {
            (Some(_), _) => Ending::Timeout,
            (None, Some((_, end, _))) if end.is_reset() => Ending::Rst,
            (None, _) => Ending::Fin,
        };
        return (ending, text);
    }
    let end = closed.ends.first();
    let mut idle = end.and_then(|(.., mark)| closed.heard.before(mark)).map(|(_, words)| words).unwrap_or_default();
    if let Some(pings) = &closed.unanswered {
        idle += &format!("; {}", pings.words());
    }
    match end {
        Some((_, End::Replaced, mark)) => {
            evidence.push(mark.packet);
            (Ending::Replaced, format!("its addresses and ports were used again without an end{idle}"))
        }
        _ => (Ending::Open, format!("open when the capture ended{idle}")),
    }
}

fn tcp_end(closed: &Closed, dir: Direction) -> Option<PacketNo> {
    closed.ends.of(dir).filter(|(how, _)| how.is_by_peer()).map(|(_, mark)| mark.packet)
}

fn refused(handshake: &Outline, evidence: &mut Vec<PacketNo>) -> Option<(Ending, String)> {
    if !handshake.is_refused() {
        return None;
    }
    evidence.extend([handshake.asked, handshake.answered].into_iter().flatten().map(|mark| mark.packet));
    if let Some(protocol) = &handshake.elsewhere {
        return Some((Ending::Refused, format!("the server switched to {protocol}, not to WebSocket")));
    }
    let cause = handshake.refusal.filter(|&code| code != NoteCode::HsNoAnswer);
    let status = handshake.status.map(|status| format!(" with {status} {}", handshake.reason)).unwrap_or_default();
    let cause = cause.map(|code| format!(": {}", clause(code.row().text))).unwrap_or_default();
    Some((Ending::Refused, format!("the upgrade was refused{}{cause}", status.trim_end())))
}

fn no_answer(asked: Option<Mark>, closed: &Closed, evidence: &mut Vec<PacketNo>) -> (Ending, String) {
    evidence.extend(asked.map(|asked| asked.packet));
    let text = match (closed.ends.by_peer(), closed.ends.first()) {
        (Some((.., mark)), _) => {
            evidence.push(mark.packet);
            let end = closed.ends.words().unwrap_or_default();
            format!("the upgrade was not answered; {end}{}", later(mark, asked))
        }
        (None, Some((_, End::Capture, mark))) => {
            format!("the upgrade was not answered when the capture ended{}", later(mark, asked))
        }
        (None, _) => "the upgrade was not answered".to_owned(),
    };
    (Ending::NoAnswer, text)
}

/// `, 3.2s later`, `, 3.2s before that`, where both have a time.
fn later(mark: Mark, other: Option<Mark>) -> String {
    let Some(nanos) = other.and_then(|other| mark.since(other)) else { return String::new() };
    let is_before = other.is_some_and(|other| mark.packet < other.packet);
    match (nanos, is_before) {
        (..=0, true) => format!(", {} before that", duration(nanos.saturating_neg())),
        (0.., false) => format!(", {} later", duration(nanos)),
        // The clock was set in between.
        _ => String::new(),
    }
}

fn said_goodbye(connection: &Connection, closed: &Closed, evidence: &mut Vec<PacketNo>) -> Option<(Ending, String)> {
    let (dir, first) = connection.close.as_ref()?;
    evidence.push(first.at.packet);
    let (who, other) = (dir.sender(), dir.reverse().sender());
    let mut text = format!("closed by the {who} with {}", first.words());
    let (ending, last) = match &connection.reply {
        Some(reply) => {
            evidence.push(reply.at.packet);
            let after = reply
                .at
                .since(first.at)
                .filter(|&nanos| nanos >= 0)
                .map(|nanos| format!(" after {}", duration(nanos)))
                .unwrap_or_default();
            // RFC 6455 §5.5.1: an answer typically repeats the code.
            let with = if reply.repeats(first) { String::new() } else { format!(" with {}", reply.words()) };
            text += &format!("; the {other} answered{with}{after}");
            (Ending::Clean, reply.at)
        }
        None => match closed.unseen[dir.reverse()] {
            Some(why) => {
                text = format!(
                    "the {who} closed with {}; whether the {other} did before it, or answered, is not known: {why}",
                    first.words()
                );
                (Ending::ReplyUnseen, first.at)
            }
            None => {
                text += &format!("; the {other} did not answer");
                (Ending::NoReply, first.at)
            }
        },
    };
    match closed.ends.first() {
        Some((dir, how, mark)) if how.is_by_peer() => {
            // An end that does not wait for the answer may come before it.
            let when = if mark.packet < last.packet { " before that".to_owned() } else { later(mark, Some(last)) };
            text += &format!("; {how} from the {}{when}", dir.sender());
            evidence.extend(Direction::BOTH.iter().filter_map(|&dir| tcp_end(closed, dir)));
        }
        Some((_, End::Capture, mark)) => {
            text += &format!("; TCP was open when the capture ended{}", later(mark, Some(last)));
        }
        _ => {}
    }
    if let Some(pings) = &closed.unanswered {
        text += &format!("; {}", pings.words());
        evidence.push(pings.since.packet);
    }
    Some((ending, text))
}

#[cfg(test)]
mod tests {
    use super::idle_limit;

    #[test]
    fn idle_limits_are_met_and_nearly_met() {
        let at = |millis: i64| idle_limit(millis * 1_000_000);
        assert_eq!([at(60_000), at(59_960), at(61_100)], [Some(60); 3]);
        assert_eq!([at(59_900), at(61_300), at(45_000), at(1000), at(0)], [None; 5]);
        assert_eq!([at(30_000), at(100_200)], [Some(30), Some(100)]);
    }
}
