//! Streams that wait for secrets.

use super::live::{Env, Parts};
use super::stream::Stream;
use super::{Leaving, Table};
use crate::model::{Limits, Mark, Sink};
use crate::proto::layer::Tools;

impl Table {
    /// Tells the streams that asked for it that secrets were added.
    pub(in super::super) fn secrets(&mut self, mark: Mark, limits: &Limits, tools: &mut Tools, sink: &mut dyn Sink) {
        for began in std::mem::take(&mut tools.waiting) {
            let Ok(at) = self.streams.binary_search_by_key(&began, |stream| stream.began) else { continue };
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
        let Some(Parts { conn, layer, mut cx, .. }) = self.parts(mark, env) else { return };
        cx.last = conn.last();
        layer.secrets(&mut cx);
    }
}
