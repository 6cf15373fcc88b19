//! Filters by what is selected: the row, the field, the value in the tree.

use super::app::{App, Overlay, Pane};
use super::connections::end;
use super::detail::PayloadView;
use super::menu::{Choice, Menu};
use crate::book::close_of;
use crate::decode::json::Kind;
use crate::escape::display_str;
use crate::filter::quote;
use crate::model::Opcode;

/// How a filter is joined with the one that is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    Selected,
    NotSelected,
    And,
    Or,
    AndNot,
    Prepare,
}

impl Joint {
    const ALL: [Self; 6] = [Self::Selected, Self::NotSelected, Self::And, Self::Or, Self::AndNot, Self::Prepare];

    pub(super) const fn label(self) -> (char, &'static str) {
        match self {
            Self::Selected => ('s', "selected"),
            Self::NotSelected => ('n', "not selected"),
            Self::And => ('a', "… and selected"),
            Self::Or => ('o', "… or selected"),
            Self::AndNot => ('x', "… and not selected"),
            Self::Prepare => ('p', "prepare: into the bar, to be changed"),
        }
    }

    /// Both together.
    fn join(self, old: &str, new: &str) -> String {
        match (self, old.is_empty()) {
            (Self::NotSelected, _) | (Self::AndNot, true) => format!("!({new})"),
            (Self::And, false) => format!("({old}) && {new}"),
            (Self::Or, false) => format!("({old}) || {new}"),
            (Self::AndNot, false) => format!("({old}) && !({new})"),
            _ => new.to_owned(),
        }
    }
}

/// The ways in which a filter can be joined with the one that is applied.
pub(super) fn joints(text: &str) -> Menu {
    let choices = Joint::ALL.iter().map(|&joint| Choice::Joint(joint, text.to_owned())).collect();
    Menu::new(format!("Filter: {}", display_str(text)), choices)
}

impl App {
    /// Filters by the likeliest thing that is selected.
    pub(super) fn apply_field(&mut self) {
        match self.selected_as_filters().into_iter().next() {
            Some(text) => self.apply_filter(&text),
            None => self.say("nothing here to filter by"),
        }
    }

    /// Offers everything that is selected.
    pub(super) fn filter_menu(&mut self) {
        let choices: Vec<_> = self.selected_as_filters().into_iter().map(Choice::Expression).collect();
        if choices.is_empty() {
            return self.say("nothing here to filter by");
        }
        self.overlay = Overlay::Menu(Menu::new("Filter by", choices));
    }

    pub(super) fn join_filter(&mut self, joint: Joint, text: &str) {
        let joined = joint.join(&self.filter.text, text);
        if joint == Joint::Prepare { self.type_filter(&joined) } else { self.apply_filter(&joined) }
    }

    /// What is selected, as filters, the likeliest first.
    fn selected_as_filters(&self) -> Vec<String> {
        match self.focused() {
            Pane::Connections | Pane::Summary | Pane::Request | Pane::Response | Pane::Checks => self.of_connection(),
            Pane::Detail if self.detail.tree().is_some() => {
                self.of_value().into_iter().chain(self.of_message()).collect()
            }
            Pane::Messages | Pane::Detail => self.of_message(),
            Pane::Fields | Pane::Bytes | Pane::Frames => self.of_field().into_iter().chain(self.of_message()).collect(),
            Pane::Findings | Pane::Explanation => self.of_finding(),
            Pane::Throughput | Pane::Sizes | Pane::RoundTrips | Pane::Types => self.of_connection(),
        }
    }

    fn of_connection(&self) -> Vec<String> {
        let Some(connection) = self.connection() else { return Vec::new() };
        let mut out = vec![format!("conn == {}", connection.id)];
        if let Some(url) = &connection.opened.url {
            out.push(format!("url == {}", quote(url)));
        }
        let host = connection.host().filter(|host| !host.is_empty());
        out.extend(host.map(|host| format!("host == {}", quote(host))));
        out.push(format!("wspect.client == {}", connection.client().ip));
        out.push(format!("wspect.state == {}", connection.state().name()));
        if let Some((_, close)) = &connection.close
            && let Some(code) = close.code
        {
            out.push(format!("close_code == {}", code.0));
        }
        if let Some(protocol) = connection.handshake.as_ref().and_then(|handshake| handshake.subprotocol.as_deref()) {
            out.push(format!("proto == {}", quote(protocol)));
        }
        let end = end(connection);
        if connection.handshake.as_ref().is_some_and(|handshake| handshake.is_refused()) {
            out.push(format!("http.response.code == {end}"));
        }
        out
    }

    fn of_message(&self) -> Vec<String> {
        let Some(row) = self.messages.selected().and_then(|id| self.book.message(id)) else { return Vec::new() };
        let mut out = vec![format!("type == {}", row.opcode.name()), format!("dir == {}", row.dir.name())];
        if row.opcode == Opcode::CLOSE
            && let Some(close) = self.book.payload(&row, 0, 2).as_deref().and_then(close_of)
        {
            out.push(format!("close_code == {}", close.code.0));
        }
        out.extend(row.findings.iter().map(|code| format!("finding == {}", code.name())));
        if let Some(connection) = self.book.connection(row.conn) {
            out.push(format!("conn == {}", connection.id));
        }
        out.extend([format!("len == {}", row.len), format!("frame.number == {}", row.last.packet)]);
        out
    }

    /// Has a filter typed that begins with the place of the value under the cursor.
    pub(super) fn type_path(&mut self) {
        match self.path_of_value() {
            Some(path) => self.type_filter(&path),
            None => self.say("no value of a tree here"),
        }
    }

    /// Where the value under the cursor of the tree stands, as filters have it.
    fn path_of_value(&self) -> Option<String> {
        let tree = self.detail.tree()?;
        let body = tree.source(self.detail.bytes());
        let root = match self.detail.view() {
            PayloadView::Decoded => "decoded.data",
            // What stands is no field of a message.
            PayloadView::State => return None,
            _ => "json",
        };
        let (at, _) = tree.node(tree.list.cursor)?;
        let mut steps = Vec::new();
        let mut next = Some(at);
        while let Some(node) = next {
            let of = tree.document.nodes.get(node)?;
            match (of.key(), of.index()) {
                (Some(key), _) => steps.push(format!(".\"{}\"", std::str::from_utf8(body.get(key)?).ok()?)),
                (None, Some(index)) => steps.push(format!("[{index}]")),
                (None, None) => {}
            }
            next = tree.document.parent(node);
        }
        steps.reverse();
        Some(format!("{root}{}", steps.concat()))
    }

    /// The value under the cursor of the tree.
    fn of_value(&self) -> Option<String> {
        let (path, tree) = (self.path_of_value()?, self.detail.tree()?);
        let body = tree.source(self.detail.bytes());
        let (_, node) = tree.node(tree.list.cursor)?;
        let value = || Some(std::str::from_utf8(body.get(node.span())?).ok()?.to_owned());
        Some(match node.kind {
            Kind::Object | Kind::Array if node.depth == 0 => return None,
            Kind::Object | Kind::Array => path,
            _ => format!("{path} == {}", value()?),
        })
    }

    /// The field of the frame under the cursor, where Wireshark has it and its value is one of a filter.
    fn of_field(&self) -> Option<String> {
        let field = self.bytes.field(self.bytes.fields.cursor)?;
        let column = crate::filter::Column::new(field.name).ok()?;
        let value = match column.kind() {
            crate::filter::Kind::Flag => field.value.to_lowercase(),
            crate::filter::Kind::Number => {
                let inside = field.value.rsplit_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
                let first = field.value.split(" · ").next().unwrap_or_default();
                let digits: String = inside.unwrap_or(first).chars().filter(|c| !c.is_whitespace()).collect();
                digits
            }
            crate::filter::Kind::Bytes => field.value.replace(' ', ":"),
            _ => return None,
        };
        let text = format!("{} == {value}", field.name);
        crate::filter::Filter::new(&text).is_ok().then_some(text)
    }

    fn of_finding(&self) -> Vec<String> {
        let Some(finding) = self.findings.selected(&self.book) else { return Vec::new() };
        let mut out = vec![
            format!("finding == {}", finding.code.name()),
            format!("severity == {}", finding.code.severity().name()),
        ];
        out.extend(finding.conn.map(|conn| format!("conn == {conn}")));
        out
    }
}
