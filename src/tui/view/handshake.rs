//! Screen 3: request, response, checks.

use super::draw;
use crate::escape::display_str;
use crate::model::{Head, duration};
use crate::tui::app::{App, Pane};
use crate::tui::handshake::{Look, check_lines, head_lines, push_fact, push_wrapped};
use crate::tui::list::List;
use crate::tui::sessions::session_lines;
use crate::tui::text;
use crate::tui::tls::Told;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws one of the three panes.
pub(super) fn pane(app: &App, buf: &mut Buffer, pane: Pane, area: Rect) {
    let handshake = app.handshake.whole.as_ref();
    let place = |head: &Head| format!(" · frame {}", display_str(&app.book.place(head.span.last.packet)));
    let head = |head: Option<&Head>| head.map(place).unwrap_or_default();
    let title = match pane {
        Pane::Request => format!("Request{}", head(handshake.and_then(|handshake| handshake.request.as_ref()))),
        Pane::Response => {
            let latency = handshake.and_then(|handshake| handshake.latency);
            let latency = latency.map(|nanos| format!(" · +{}", duration(nanos))).unwrap_or_default();
            format!("Response{}{latency}", head(handshake.and_then(|handshake| handshake.response.as_ref())))
        }
        _ => "Checks and negotiation".to_owned(),
    };
    let columns = usize::from(area.width.saturating_sub(2));
    let lines = lines(app, pane, columns);
    let list = list(app, pane);
    let height = usize::from(area.height.saturating_sub(2));
    let foot = draw::scrolled(list.top, height, lines.len());
    let inside = draw::pane(app, buf, pane, area, &title, &foot);
    let shown = lines.into_iter().skip(list.top).take(height);
    draw::lines(buf, inside, shown.map(|(look, line)| styled(app, look, text::cut(&line, columns))));
}

const fn list(app: &App, pane: Pane) -> &List {
    match pane {
        Pane::Request => &app.handshake.request,
        Pane::Response => &app.handshake.response,
        _ => &app.handshake.checks,
    }
}

/// The lines of a pane that is `columns` wide inside.
pub(in crate::tui) fn lines(app: &App, pane: Pane, columns: usize) -> Vec<(Look, String)> {
    let Some(connection) = app.connection() else { return Vec::new() };
    let seen = connection.seen();
    let Some(handshake) = &app.handshake.whole else {
        let why = match (&connection.handshake, app.load.is_done()) {
            _ if connection.opened.encrypted.is_some() => connection.encrypted().unwrap_or_default(),
            (Some(_), _) => "The handshake could not be kept.".to_owned(),
            (None, true) => format!("The handshake was not {seen}."),
            (None, false) => "The handshake is not complete yet.".to_owned(),
        };
        let mut lines = vec![(Look::Dim, why)];
        if let Some(tls) = Told::of(app, connection).filter(|_| pane == Pane::Checks) {
            push_fact(&mut lines, "TLS", tls.fact(), columns);
        }
        return lines;
    };
    let (head, missing) = match pane {
        Pane::Request => (&handshake.request, format!("The request was not {seen}.")),
        Pane::Response => (&handshake.response, format!("No answer was {seen}.")),
        _ => {
            let mut lines = check_lines(connection, handshake, Told::of(app, connection).as_ref(), columns);
            lines.extend(session_lines(app, connection, columns));
            return lines;
        }
    };
    match head {
        Some(head) => {
            let mut lines = head_lines(head, app.handshake.secrets, columns);
            for text in head.span.ends().flat_map(|packet| app.book.comments(packet)) {
                push_wrapped(&mut lines, Look::Dim, &format!("“{}”", display_str(text)), columns);
            }
            lines
        }
        None => vec![(Look::Dim, missing)],
    }
}

fn styled(app: &App, look: Look, line: String) -> Line<'static> {
    let theme = &app.theme;
    match look {
        Look::Plain => Line::from(draw::marked(app, line, theme.plain())),
        Look::Start => Line::from(draw::marked(app, line, theme.bold())),
        Look::Good => Line::from(draw::marked(app, line, theme.good())),
        Look::Dim => Line::from(draw::marked(app, line, theme.dim())),
        Look::Bad(severity) => Line::from(draw::marked(app, line, theme.severity(severity))),
        Look::Named(end) => {
            let (name, value) = line.split_at_checked(end).unwrap_or((&line, ""));
            let mut spans = vec![Span::styled(name.to_owned(), theme.name())];
            spans.extend(draw::marked(app, value.to_owned(), theme.plain()));
            Line::from(spans)
        }
    }
}

pub(super) fn status(app: &App) -> String {
    let Some(connection) = app.connection() else { return String::new() };
    let title = connection.title();
    format!(" conn {} of {} · {}", connection.id, app.book.connections(), display_str(&title))
}
