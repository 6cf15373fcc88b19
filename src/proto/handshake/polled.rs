//! Requests of the other transports of a session, and their answers: the beginnings of few bodies are read, of others the bytes counted.

use crate::model::{Endpoint, Exchange, Head, Mark, SessionId, Span, StartLine, Step, Tie};
use crate::proto::layer::Cx;

/// Characters of a URL that are kept.
const URL_MAX: usize = 2048;

/// Such a request, and what came of its answer so far.
pub(in crate::proto) struct Polled {
    exchange: Exchange,
    /// The beginning of the answer's body, where that tells of the session.
    beginning: Option<Vec<u8>>,
}

impl Polled {
    /// What a request's head tells, if it is one of these.
    pub(in crate::proto) fn of(head: &Head, cx: &Cx<'_>) -> Option<Self> {
        let StartLine::Request { method, target, .. } = &head.start else { return None };
        // Most requests are others: they cost no URL.
        Tie::of(method, target).filter(|tie| tie.step != Step::WebSocket)?;
        let (client, server) = cx.ends();
        let exchange = Exchange {
            session: SessionId::default(),
            reconnect_of: None,
            client: cx.route.as_ref().and_then(|route| route.client).unwrap_or(client),
            server,
            method: method.clone(),
            url: url(head, target, server, cx.tls.is_some()),
            status: None,
            gives: None,
            asked: head.span,
            answered: None,
            sent: 0,
            received: 0,
        };
        // What is cut may say something else.
        exchange.tie()?;
        Some(Self { exchange, beginning: None })
    }

    /// Content of the request came.
    pub(in crate::proto) fn sent(&mut self, content: &[u8], brought: Mark) {
        self.exchange.sent = self.exchange.sent.saturating_add(content.len() as u64);
        self.exchange.asked.last = brought;
    }

    /// The head of its answer came.
    pub(in crate::proto) fn answered(&mut self, head: &Head) {
        self.exchange.status = head.status();
        self.exchange.answered = Some(head.span);
        let is_plain = head.list("content-encoding").all(|coding| coding.eq_ignore_ascii_case("identity"));
        let tells = self.exchange.tie().is_some_and(|tie| tie.step.is_told_by_body());
        self.beginning = (is_plain && tells).then(Vec::new);
    }

    /// Content of its answer came, of which at most so many bytes are kept.
    pub(in crate::proto) fn received(&mut self, content: &[u8], brought: Mark, most: usize) {
        let exchange = &mut self.exchange;
        exchange.received = exchange.received.saturating_add(content.len() as u64);
        exchange.answered.get_or_insert(Span { first: brought, last: brought }).last = brought;
        if let Some(beginning) = &mut self.beginning {
            let room = most.saturating_sub(beginning.len());
            beginning.extend_from_slice(content.get(..room).unwrap_or(content));
        }
    }

    /// All that comes of it is there: tells of it, if it is of a session.
    pub(in crate::proto) fn tell(self, cx: &mut Cx<'_>) {
        let Self { mut exchange, beginning } = self;
        let Some(tie) = exchange.tie() else { return };
        let beginning = beginning.unwrap_or_default();
        if tie.is_answered_by(&beginning) {
            exchange.gives = tie.named_by(&beginning);
            cx.exchanged(exchange);
        }
    }
}

fn url(head: &Head, target: &str, server: Endpoint, is_tls: bool) -> String {
    let scheme = if is_tls { "https" } else { "http" };
    let mut url = match head.authority() {
        _ if target.contains("://") => target.to_owned(),
        Some(authority) => format!("{scheme}://{authority}{target}"),
        None => format!("{scheme}://{server}{target}"),
    };
    if let Some((end, _)) = url.char_indices().nth(URL_MAX) {
        url.truncate(end);
    }
    url
}
