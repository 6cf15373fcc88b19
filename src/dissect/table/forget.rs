//! What a flood of streams costs: the oldest that carry nothing are forgotten.

use super::stream::Older;
use super::{Table, row};
use crate::model::{FileNote, Limits, Mark, NoteCode, Tally, count};

impl Table {
    /// Makes way for more streams. To be called while nobody holds the place of a row.
    pub(super) fn make_way(&mut self, mark: Mark) {
        if self.streams.len() >= self.full_at {
            self.forget(mark);
        }
    }

    /// Forgets the oldest streams that are not read, where there are more than half of what may be kept; the others move up.
    ///
    /// Each call is paid for by the streams that began since the one before: they are at least half of what may be kept.
    #[cold]
    fn forget(&mut self, mark: Mark) {
        let idle = self.streams.iter().filter(|stream| stream.live.is_none()).count();
        let most = self.streams_max / 2;
        let mut excess = idle.saturating_sub(most);
        self.forgotten.add(excess as u64, mark);
        let (mut moved, mut kept) = (Vec::with_capacity(self.streams.len()), 0);
        self.streams.retain(|stream| {
            let stays = stream.live.is_some() || excess == 0;
            moved.push(stays.then_some(kept));
            if stays {
                kept += 1;
            } else {
                excess -= 1;
                super::super::count(&mut self.forgotten_kinds, stream.kind);
            }
            stays
        });
        let place = |at: u32| moved.get(at as usize).copied().flatten();
        for stream in &mut self.streams {
            stream.older = match stream.older {
                Older::Rival(at) => place(at).map_or(Older::None, Older::Rival),
                Older::Same(at) => place(at).map_or(Older::None, Older::Same),
                Older::None => Older::None,
            };
        }
        self.leaving.retain_mut(|leaving| place(leaving.at).map(|at| leaving.at = at).is_some());
        self.undecided.retain_mut(|(at, _)| place(*at).map(|now| *at = now).is_some());
        self.latest.fill(u32::MAX);
        self.index();
        self.forget_echoes(|_| true);
        self.full_at = self.streams.len() + most.max(1);
    }

    /// Finds the newest stream of each pair of endpoints anew: the last row with its key.
    fn index(&mut self) {
        self.newest.clear();
        self.wrapped.clear();
        for at in 0..self.streams.len() {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            let key = row(&mut self.streams, at).key;
            self.set_newest(key, at);
            if self.wrapped.is_any {
                _ = self.set_twin(key, at);
            }
        }
    }

    /// What is to be said of packets that came twice, and of streams that were not kept.
    pub(in super::super) fn notes(&self, limits: &Limits) -> Vec<FileNote> {
        let idle = "forgotten while nothing was read of them: what goes on counts as a new one (limit streams)";
        let undecided = format!(
            "given up without knowing what they carry, when {} had begun behind (limit undecided-streams)",
            count(limits.undecided_streams as u64, "other")
        );
        let note = |tally: &Tally, what: &str| {
            let streams =
                |streams, first| format!("{} {what}; the first at packet {first}", count(streams, "TCP stream"));
            tally.note(NoteCode::TcpLimit, streams)
        };
        let crowded = "not compared with all of the same ends in other tags and tunnels: copies of them may be told twice (limits \
                       twins, copies and echoes)";
        let twice = self.twice.note(NoteCode::PacketTwice, |packets, first| {
            let what = "TCP packets were captured before; what they bring is shown once";
            format!("{what}: {}, first packet {first}", count(packets, "packet"))
        });
        let crowded = note(&self.wrapped.crowded, crowded);
        [twice, note(&self.forgotten, idle), note(&self.given_up, &undecided), crowded].into_iter().flatten().collect()
    }
}
