//! What a capture is: how it is written, where it was captured, what it holds.

mod record;
mod text;

pub(super) use record::write as write_record;
pub(super) use text::write as write_text;

use super::{Exporter, Form, Out, Totals};
use crate::model::{Event, Fact, Facts, LinkType, Stamp, TlsSum};
use std::ops::ControlFlow;

/// The facts about a capture.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// The input's name; not escaped.
    pub name: String,
    /// Packets, streams, connections, first and last time.
    pub totals: Totals,
    /// What the files told of themselves.
    pub facts: Facts,
    /// TLS streams.
    pub tls: TlsSum,
    /// Names the link type of packets.
    pub link_name: Option<fn(LinkType) -> String>,
}

impl About {
    fn link(&self, link: LinkType) -> String {
        self.link_name.map_or_else(|| link.0.to_string(), |name| name(link))
    }
}

/// Gathers the facts about a capture and writes them at the end.
pub struct Capture {
    form: Box<dyn Form>,
    about: About,
}

impl Capture {
    /// The facts about the input of that name, in this form.
    pub fn new(name: &str, link_name: fn(LinkType) -> String, form: Box<dyn Form>) -> Self {
        Self { form, about: About { name: name.to_owned(), link_name: Some(link_name), ..About::default() } }
    }
}

impl Exporter for Capture {
    fn event(&mut self, _: &Stamp, event: Event<'_>, _: &mut Out<'_>) -> ControlFlow<()> {
        if let Event::Tls(session) = event {
            self.about.tls.count(session);
        }
        ControlFlow::Continue(())
    }

    fn fact(&mut self, file: usize, fact: &Fact<'_>) {
        self.about.facts.add(file, fact);
    }

    fn finish(&mut self, totals: &Totals, out: &mut Out<'_>) {
        self.about.totals = totals.clone();
        self.form.capture(&self.about, out);
        let _ = out.end_row();
    }
}
