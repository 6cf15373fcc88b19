//! One stream that begins with words for a proxy: they are read, and what runs behind them is looked at anew.

use super::Parsed;
use super::haproxy::{self, Header};
use super::socks::{self, Asked, METHODS, Told};
use crate::carry::Carry;
use crate::model::{Both, Direction, HopKind, Input};
use crate::proto::layer::{Cx, Hint, Kind, Layer, Next, feed};

/// What is spoken with a proxy, up to where it steps aside.
///
/// ```text
/// PROXY   to server:  header ▸ inner
/// SOCKS 4 to server:  request ▸ inner                         to client:  reply ▸ inner
/// SOCKS 5 to server:  methods ▸ [password ▸] request ▸ inner  to client:  method ▸ [status ▸] reply ▸ inner
/// ```
///
/// Each direction is read by itself; what follows waits until both are through, or until the other is known not to be captured.
#[derive(Debug, Default)]
pub struct Proxy {
    carry: Both<Carry>,
    speech: Option<Speech>,
    /// What was last read of each direction.
    asked: Option<Asked>,
    told: Option<Told>,
    /// Bytes of each direction that were read.
    used: Both<usize>,
    heard: Both<bool>,
}

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speech {
    Haproxy,
    Socks4,
    Socks5,
}

/// Where the layer stands after what it read.
enum Step {
    More,
    /// Both directions are through.
    Open,
    /// It is something else, or leads nowhere.
    Leave,
}

impl Layer for Proxy {
    fn input(&mut self, input: Input<'_>, cx: &mut Cx<'_>) -> Next {
        match input {
            Input::Data { dir, offset, bytes, brought, .. } => {
                self.heard[dir] = true;
                self.carry[dir].push(bytes, offset, brought);
                match self.step(dir, cx) {
                    Step::More if self.carry[dir].bytes().len() > cx.limits.early_bytes => leave(cx),
                    Step::More => Next::Read,
                    Step::Open => self.open(Hint::Unknown, None, cx),
                    Step::Leave => leave(cx),
                }
            }
            // What is the proxy's may be among what is missing, and what came behind it is not.
            Input::Gap { .. } => self.open(Hint::Holed, Some(input), cx),
            Input::End { .. } | Input::Odd { .. } | Input::Waited { .. } | Input::Resent { .. } => Next::Read,
        }
    }

    fn over(&mut self, cx: &mut Cx<'_>) {
        // What waits for the other direction waits in vain.
        if Direction::BOTH.iter().any(|&dir| self.is_through(dir))
            && let Next::Become(mut inner) = self.open(Hint::Unknown, None, cx)
        {
            inner.over(cx);
        }
    }
}

fn leave(cx: &mut Cx<'_>) -> Next {
    *cx.kind = Kind::Other;
    Next::Nothing
}

impl Proxy {
    /// Reads what has come in a direction, as far as it is the proxy's.
    fn step(&mut self, dir: Direction, cx: &mut Cx<'_>) -> Step {
        loop {
            let bytes = self.carry[dir].bytes();
            let Some(rest) = bytes.get(self.used[dir]..).filter(|rest| !rest.is_empty()) else { return Step::More };
            let speech = *self.speech.get_or_insert(match rest.first() {
                // A server of SOCKS 4 begins with 0.
                Some(0 | 4) => Speech::Socks4,
                Some(5) => Speech::Socks5,
                _ => Speech::Haproxy,
            });
            if self.is_through(dir) {
                let other = dir.reverse();
                let alone = cx.flow.one_sided && !self.heard[other];
                return if alone || self.is_through(other) { Step::Open } else { Step::More };
            }
            let read = match (speech, dir) {
                (Speech::Haproxy, _) => match haproxy::header(rest) {
                    Parsed::Done(Header { kind, client }, used) => {
                        self.used[dir] += used;
                        let end = cx.ends().0;
                        let route = cx.route();
                        // Of two headers the second is that of who spoke to the proxy that wrote the first.
                        route.push(kind, route.client.unwrap_or(end).to_string());
                        route.client = client.or(route.client);
                        return Step::Open;
                    }
                    Parsed::More => Parsed::More,
                    Parsed::Bad => Parsed::Bad,
                },
                (Speech::Socks4, Direction::ToServer) => self.was_asked(socks::asked4(rest)),
                (Speech::Socks5, Direction::ToServer) => self.was_asked(socks::asked5(rest, self.asked.is_none())),
                (Speech::Socks4, Direction::ToClient) => self.was_told(socks::told4(rest)),
                (Speech::Socks5, Direction::ToClient) => self.was_told(socks::told5(rest, self.told)),
            };
            match read {
                Parsed::Done((), used) => self.used[dir] += used,
                Parsed::More => return Step::More,
                Parsed::Bad => return Step::Leave,
            }
            if self.leads_nowhere() {
                self.blocked(cx);
                return Step::Leave;
            }
            if Direction::BOTH.iter().all(|&dir| self.is_through(dir)) {
                return Step::Open;
            }
        }
    }

    fn was_asked(&mut self, parsed: Parsed<Asked>) -> Parsed<()> {
        match parsed {
            Parsed::Done(asked, used) => {
                self.asked = Some(asked);
                Parsed::Done((), used)
            }
            Parsed::More => Parsed::More,
            Parsed::Bad => Parsed::Bad,
        }
    }

    fn was_told(&mut self, parsed: Parsed<Told>) -> Parsed<()> {
        match parsed {
            Parsed::Done(told, used) => {
                self.told = Some(told);
                Parsed::Done((), used)
            }
            Parsed::More => Parsed::More,
            Parsed::Bad => Parsed::Bad,
        }
    }

    /// Whether all that is the proxy's in a direction was read.
    fn is_through(&self, dir: Direction) -> bool {
        match dir {
            Direction::ToServer => matches!(self.asked, Some(Asked::Connect(_))),
            Direction::ToClient => matches!(self.told, Some(Told::Open)),
        }
    }

    /// Something else was asked for than a connection, it was refused, or the authentication is one that wraps what follows.
    fn leads_nowhere(&self) -> bool {
        matches!(self.asked, Some(Asked::Other))
            || self.told.is_some_and(|told| told.refusal().is_some())
            || matches!(self.told, Some(Told::Method(method)) if !METHODS.contains(&method))
    }

    /// Tells that the proxy does not let the client through.
    fn blocked(&self, cx: &mut Cx<'_>) {
        let Some(why) = self.told.and_then(Told::refusal) else { return };
        let name = if self.speech == Some(Speech::Socks4) { "SOCKS 4" } else { "SOCKS 5" };
        let to = match &self.asked {
            Some(Asked::Connect(to)) => format!(" to {to}"),
            _ => String::new(),
        };
        cx.proxy_refused(&format!("{name}{to} at {}; {why}", cx.ends().1));
    }

    /// Looks at what runs behind the proxy's words: what came of it, and what is at hand.
    fn open(&mut self, hint: Hint<'_>, input: Option<Input<'_>>, cx: &mut Cx<'_>) -> Next {
        if let Some(Asked::Connect(address)) = self.asked.take() {
            let kind = if self.speech == Some(Speech::Socks4) { HopKind::Socks4 } else { HopKind::Socks5 };
            cx.route().push(kind, address);
        }
        let (carry, mark) = (std::mem::take(&mut self.carry), cx.mark);
        let rest = Direction::BOTH.into_iter().filter_map(|dir| {
            let ((offset, brought), used) = (carry[dir].start()?, self.used[dir]);
            let bytes = carry[dir].bytes().get(used..).filter(|rest| !rest.is_empty())?;
            Some(Input::Data { dir, offset: offset + used as u64, bytes, brought, mark })
        });
        match cx.inside(hint) {
            Some(inner) => feed(inner, cx.swapped, rest.chain(input), cx),
            None => Next::Nothing,
        }
    }
}
