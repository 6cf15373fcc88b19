//! Streams that wait for secrets.

use super::stream::{Env, Stream};
use super::{Leaving, Table};
use crate::model::{Limits, Mark, Sink};
use crate::proto;
use crate::proto::layer::{Cx, Flow as LayerFlow, Tools};

impl Table {
    /// Tells the streams that asked for it that secrets were added.
    pub(in super::super) fn secrets(&mut self, mark: Mark, limits: &Limits, tools: &mut Tools, sink: &mut dyn Sink) {
        for number in std::mem::take(&mut tools.waiting) {
            let Ok(at) = self.streams.binary_search_by_key(&number, |stream| stream.number) else { continue };
            let Some(stream) = self.streams.get_mut(at) else { continue };
            stream.secrets(mark, &mut Env { limits, tools, sink, budget: &mut self.budget });
            // A stream that was over stayed for them.
            if let Some(live) = &stream.live
                && live.leaving
                && !live.layer.waits()
            {
                let at = u32::try_from(at).unwrap_or(u32::MAX);
                self.leaving.push_back(Leaving { packet: mark.packet, at, life: stream.life });
            }
        }
    }
}

impl Stream {
    fn secrets(&mut self, mark: Mark, env: &mut Env<'_>) {
        let Some(live) = self.live.as_deref_mut() else { return };
        live.layer.secrets(&mut Cx {
            limits: env.limits,
            tools: &mut *env.tools,
            flow: LayerFlow {
                stream: self.number,
                first: &self.first,
                ends: &live.ends,
                one_sided: self.seen != (true, true),
                captured: live.captured(self.seen),
                waits: live.conn.waits(),
                from_start: live.from_start,
            },
            last: live.conn.last(),
            swapped: false,
            kind: &mut self.kind,
            route: &mut live.route,
            tls: &mut live.tls,
            mark,
            sink: &mut *env.sink,
            open: proto::open,
        });
    }
}
