//! XML 1.0, an element: names as they stand there, the five entities and characters by number resolved, none declared.

use crate::decode::{Confidence, Decode, Hints, NESTED, Said, VALUES, map};
use crate::model::{Node, Unit, Value};
use std::borrow::Cow;
use std::ops::Range;

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    Confidence::Likely.when(said.text.and_then(read).is_some())
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Xml)
}

#[derive(Clone)]
struct Xml;

impl Decode for Xml {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let text = said.text?;
        let root = read(text)?;
        let shown = Value::text(text.get(root.bytes.clone())?);
        Some(vec![Unit { event: Some(root.name.into()), said: Some(shown), ..Unit::new("", root.node()) }])
    }
}

/// An element, and where it stands in the message.
#[derive(Debug)]
pub(in crate::decode) struct Element<'a> {
    /// With its prefix, if it has one.
    pub(in crate::decode) name: &'a str,
    attributes: Vec<(&'a str, Cow<'a, str>, Range<usize>)>,
    content: Vec<Content<'a>>,
    bytes: Range<usize>,
}

#[derive(Debug)]
enum Content<'a> {
    Element(Element<'a>),
    Text(Cow<'a, str>, Range<usize>),
}

impl<'a> Element<'a> {
    /// What an attribute says.
    pub(in crate::decode) fn get(&self, name: &str) -> Option<&Cow<'a, str>> {
        self.attributes.iter().find(|(known, ..)| *known == name).map(|(_, value, _)| value)
    }

    /// The elements in it.
    pub(in crate::decode) fn children(&self) -> impl Iterator<Item = &Self> {
        self.content.iter().filter_map(|one| if let Content::Element(element) = one { Some(element) } else { None })
    }

    /// The first element in it of this name.
    pub(in crate::decode) fn child(&self, name: &str) -> Option<&Self> {
        self.children().find(|child| child.name == name)
    }

    /// The first text in it.
    pub(in crate::decode) fn text(&self) -> Option<&Cow<'a, str>> {
        self.content.iter().find_map(|one| if let Content::Text(text, _) = one { Some(text) } else { None })
    }

    /// As `{name, attributes, content}`, the last two where there are any.
    pub(in crate::decode) fn node(self) -> Node<'a> {
        let mut members = vec![("name", Value::text(self.name).into())];
        if !self.attributes.is_empty() {
            let all = self.attributes.into_iter();
            let all = all.map(|(name, value, bytes)| (name.into(), Node::at(Value::Text(value), bytes)));
            members.push(("attributes", Value::Map(all.collect()).into()));
        }
        if !self.content.is_empty() {
            let all = self.content.into_iter().map(|one| match one {
                Content::Element(element) => element.node(),
                Content::Text(text, bytes) => Node::at(Value::Text(text), bytes),
            });
            members.push(("content", Value::List(all.collect()).into()));
        }
        Node { bytes: Some(self.bytes), ..map(members) }
    }
}

/// The element that a text is, but for what may stand before and behind it (XML 1.0 §2.1).
pub(in crate::decode) fn read(text: &str) -> Option<Element<'_>> {
    // Cheaply told from all else.
    if !text.trim_ascii_start().starts_with('<') || !text.trim_ascii_end().ends_with('>') {
        return None;
    }
    let mut reader = Reader { text, at: 0, left: VALUES };
    let mut open: Vec<Element<'_>> = Vec::new();
    let mut root = None;
    while let Some(found) = memchr::memchr(b'<', reader.rest().as_bytes()) {
        let begin = reader.at;
        let before = reader.take(found)?;
        match open.last_mut() {
            _ if before.trim_ascii().is_empty() => {}
            Some(element) => {
                reader.count()?;
                element.content.push(Content::Text(unescaped(before), begin..reader.at));
            }
            None => return None,
        }
        let begin = reader.at;
        if let Some(data) = reader.between("<![CDATA[", "]]>") {
            reader.count()?;
            open.last_mut()?.content.push(Content::Text(data.into(), begin..reader.at));
        } else if reader.between("<!--", "-->").or_else(|| reader.between("<?", "?>")).is_some() {
        } else if open.is_empty() && root.is_none() && reader.rest().starts_with("<!DOCTYPE") {
            // One that declares something is not followed.
            reader.between("<!DOCTYPE", ">").filter(|inside| !inside.contains('['))?;
        } else if let Some(name) = reader.between("</", ">") {
            let mut element = open.pop().filter(|element| element.name == name.trim_ascii_end())?;
            element.bytes.end = reader.at;
            put(element, &mut open, &mut root)?;
        } else {
            let (element, is_empty) = reader.tag()?;
            if is_empty {
                put(element, &mut open, &mut root)?;
            } else if open.len() < NESTED {
                open.push(element);
            } else {
                return None;
            }
        }
    }
    root.filter(|_| open.is_empty() && reader.rest().trim_ascii().is_empty())
}

/// Puts an element that ended where it belongs; there is one root.
fn put<'a>(element: Element<'a>, open: &mut [Element<'a>], root: &mut Option<Element<'a>>) -> Option<()> {
    match open.last_mut() {
        Some(parent) => parent.content.push(Content::Element(element)),
        None if root.is_none() => *root = Some(element),
        None => return None,
    }
    Some(())
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Elements, attributes and texts that may still come.
    left: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, len: usize) -> Option<&'a str> {
        let piece = self.rest().get(..len)?;
        self.at += len;
        Some(piece)
    }

    /// What stands between the two, where the first is here.
    fn between(&mut self, begin: &str, end: &str) -> Option<&'a str> {
        let inside = self.rest().strip_prefix(begin)?;
        let len = memchr::memmem::find(inside.as_bytes(), end.as_bytes())?;
        self.at += begin.len() + len + end.len();
        inside.get(..len)
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_ascii_start().len();
    }

    /// Counts one more of them.
    fn count(&mut self) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        Some(())
    }

    fn name(&mut self) -> Option<&'a str> {
        self.count()?;
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '.');
        let rest = self.rest();
        let name = self.take(rest.find(|c| !is_part(c)).unwrap_or(rest.len()))?;
        name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | ':')).then_some(name)
    }

    /// A tag that begins or is an element, and whether it is all of it.
    fn tag(&mut self) -> Option<(Element<'a>, bool)> {
        let begin = self.at;
        self.take(1)?;
        let name = self.name()?;
        let mut attributes = Vec::new();
        loop {
            let end = self.at;
            self.blanks();
            let is_empty = self.rest().starts_with("/>");
            if is_empty || self.rest().starts_with('>') {
                self.take(1 + usize::from(is_empty))?;
                let bytes = begin..self.at;
                return Some((Element { name, attributes, content: Vec::new(), bytes }, is_empty));
            }
            // Blanks stand before each attribute.
            if self.at == end {
                return None;
            }
            let name = self.name()?;
            self.blanks();
            self.take(1).filter(|sign| *sign == "=")?;
            self.blanks();
            let quote = self.rest().get(..1).filter(|quote| matches!(*quote, "\"" | "'"))?;
            let begin = self.at + 1;
            let value = self.between(quote, quote).filter(|value| !value.contains('<'))?;
            attributes.push((name, unescaped(value), begin..begin + value.len()));
        }
    }
}

/// Characters of the longest reference that is looked for.
const REFERENCE: usize = 12;

/// A text with its references resolved (XML 1.0 §4.1); one that is not known stays.
fn unescaped(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'&', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        plain.push_str(before);
        let name = behind.bytes().take(REFERENCE).position(|byte| byte == b';').and_then(|end| behind.get(..end));
        match name.and_then(|name| Some((name, character(name)?))) {
            Some((name, c)) => {
                plain.push(c);
                rest = behind.get(name.len() + 1..).unwrap_or_default();
            }
            None => {
                plain.push('&');
                rest = behind;
            }
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

fn character(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => digits.parse(),
            };
            code.ok().and_then(char::from_u32)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::write_node;

    fn tree(text: &str) -> Option<String> {
        let mut out = Vec::new();
        write_node(&read(text)?.node(), &mut out);
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn elements_with_what_is_in_them() {
        let text = "<?xml version='1.0'?>\n<!-- a --><a:b x=\"1 &lt; 2\" y = 'é'>t&#233;&amp;&no;<c/><![CDATA[<raw>]]> </a:b >\n";
        let wanted = r#"{"name":"a:b","attributes":{"x":"1 < 2","y":"é"},"content":["té&&no;",{"name":"c"},"<raw>"]}"#;
        assert_eq!(tree(text).as_deref(), Some(wanted));
        assert_eq!(tree("<!DOCTYPE html><p>x</p>").as_deref(), Some(r#"{"name":"p","content":["x"]}"#));
        let root = read(text).unwrap();
        assert_eq!(text.get(root.bytes.clone()).unwrap().len(), text.trim_end().len() - 32);
        let (_, _, bytes) = &root.attributes[0];
        assert_eq!(text.get(bytes.clone()), Some("1 &lt; 2"));
        assert_eq!(text.get(root.child("c").unwrap().bytes.clone()), Some("<c/>"));
    }

    #[test]
    fn what_is_no_element() {
        let deep = "<a>".repeat(NESTED + 1) + &"</a>".repeat(NESTED + 1);
        for text in [
            "",
            "<",
            "<>",
            "a",
            "<a",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><b/>",
            "x<a/>",
            "<a/>x",
            "<a x=1/>",
            "<a x='<'/>",
            "<a x='1'y='2'/>",
            "<1/>",
            "<a><![CDATA[x</a>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>",
            "<a b/>",
            "<a/ >",
            &deep,
        ] {
            assert_eq!(tree(text), None, "{text}");
        }
    }
}
