//! Where the keys of a direction change.

use super::super::half::Cover;
use super::super::keys::{Keys, Past};
use super::super::premaster;
use super::Tls;
use crate::model::{Direction, SecretLabel, WhyNot};
use crate::proto::layer::Cx;
use std::sync::Arc;

impl Tls {
    /// A message says that a direction is done with what its keys were for. Those that follow may have come to be known since it
    /// changed its keys; or they are waited for.
    pub(super) fn pass(&mut self, dir: Direction, past: Past, cx: &mut Cx<'_>) {
        self.halves[dir].past = past;
        if (dir, past) == (Direction::ToServer, Past::Handshake) {
            self.shape.finished();
        }
        if let Cover::Sealed(keys) = &mut self.halves[dir].cover
            && !keys.leave(past)
        {
            self.change_keys(dir, cx);
        }
    }

    pub(super) fn with_keys(&mut self, dir: Direction, change: impl FnOnce(&mut Keys)) {
        if let Cover::Sealed(keys) = &mut self.halves[dir].cover {
            change(keys);
        }
    }

    /// From here on a direction is protected by the keys that the hellos agree on.
    pub(super) fn change_keys(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        self.make_master(cx);
        self.session.look_up(&self.hello, cx);
        let secrets = &cx.tools.secrets;
        self.halves[dir].renegotiates = false;
        let half = &self.halves[dir];
        let keys = self.hello.keys(dir, secrets).and_then(|mut keys| {
            let is_known = keys.leave(half.past);
            if is_known { Ok(keys) } else { Err(self.hello.lacking(dir, secrets)) }
        });
        match keys {
            Ok(mut keys) => {
                if half.holed {
                    keys.lose(0);
                }
                self.halves[dir].cover = Cover::Sealed(keys);
                if dir == Direction::ToClient {
                    premaster::remember(&self.hello, &cx.tools.secrets, &mut cx.tools.resumable, cx.limits.key_secrets);
                }
                if matches!(self.halves[dir.reverse()].cover, Cover::Sealed(_)) {
                    self.hello.transcript.forget();
                }
                // In doubt they count as taken: either way they cannot be read.
                if dir == Direction::ToServer && self.hello.hides_answer(&cx.tools.secrets) {
                    self.answer_early_data(true, cx);
                }
            }
            Err(WhyNot::NoClientHello | WhyNot::NoServerHello) if self.is_tried(dir, cx) => {}
            Err(why) => {
                let why = match why {
                    WhyNot::NoClientHello if half.tried.any() => WhyNot::NoneFits,
                    WhyNot::NoKey if self.hello.has_any(secrets) => self.hello.lacking(dir, secrets),
                    why => why,
                };
                self.lack(dir, why, cx);
            }
        }
    }

    /// Something of a direction was lost, in which it may have changed its keys.
    pub(super) fn may_change_keys(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        let half = &self.halves[dir];
        if !half.renegotiates || !matches!(&half.cover, Cover::Sealed(keys) if !keys.awaits_change()) {
            return;
        }
        self.make_master(cx);
        if let (Cover::Sealed(keys), Ok(next)) = (&mut self.halves[dir].cover, self.hello.keys(dir, &cx.tools.secrets))
        {
            keys.may_change_to(next);
        }
    }

    /// Adds the master secret to those that are known, if it can be made; who calls looks them up then.
    pub(super) fn make_master(&mut self, cx: &mut Cx<'_>) {
        let (secrets, resumable) = (&mut cx.tools.secrets, &cx.tools.resumable);
        if let Some(&random) = self.hello.random()
            && secrets.len() < cx.limits.key_secrets
            && secrets.find(&random, SecretLabel::Master).is_none()
            && self.hello.seeks_master(secrets.len(), resumable.len())
        {
            let made = premaster::master(&self.hello, secrets);
            let masters = made.map_or_else(|| premaster::resumed(&self.hello, secrets, resumable), |made| vec![made]);
            for master in &masters {
                Arc::make_mut(secrets).add(&random, *master);
            }
        }
    }
}
