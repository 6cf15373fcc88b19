//! The report: one page with all that there is to say, whose own markup is the only markup in it.

use super::support::craft::*;
use super::support::run::{Input, messages, records, string, wspect};
use super::{EVIL, capture, hostile, in_file, quiet, some_captures, text};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

/// Each element that the page may have, with its attributes.
const ELEMENTS: &[(&str, &[&str])] = &[
    ("html", &["lang"]),
    ("head", &[]),
    ("meta", &["charset", "http-equiv", "content", "name"]),
    ("title", &[]),
    ("style", &[]),
    ("script", &[]),
    ("body", &[]),
    ("main", &[]),
    ("h1", &[]),
    ("h2", &[]),
    ("p", &["class"]),
    ("a", &["href"]),
    ("b", &[]),
    ("code", &[]),
    ("pre", &[]),
    ("div", &["class", "id"]),
    ("span", &["class"]),
    ("details", &["class", "id", "open"]),
    ("summary", &[]),
    ("table", &[]),
    ("tr", &[]),
    ("th", &["class"]),
    ("td", &["class"]),
    ("input", &["id", "type", "placeholder", "aria-label"]),
    ("output", &["id"]),
    ("button", &["id"]),
    ("svg", &["viewBox", "role", "aria-label"]),
    ("path", &["class", "d"]),
    ("line", &["x1", "y1", "x2", "y2"]),
    ("text", &["x", "y", "text-anchor"]),
];

/// Elements without content.
const VOID: &[&str] = &["meta", "input", "path", "line"];

/// What a page holds.
struct Page {
    /// Text between tags, as a reader sees it.
    text: String,
    ids: Vec<String>,
    policy: String,
    own: Vec<(String, String)>,
}

/// Reads a page; panics at any markup that is not the report's own.
fn read(html: &str) -> Page {
    let mut page = Page { text: String::new(), ids: Vec::new(), policy: String::new(), own: Vec::new() };
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html.strip_prefix("<!doctype html>\n").unwrap();
    while let Some((before, tag)) = rest.split_once('<') {
        page.text += &unescaped(before);
        let (tag, behind) = tag.split_once('>').expect("a tag ends");
        rest = behind;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "tags are closed in order");
            continue;
        }
        let (name, attributes) = tag.trim_end_matches('/').split_once(' ').unwrap_or((tag, ""));
        let (_, allowed) = ELEMENTS.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("<{tag}>"));
        for (attribute, value) in pairs(attributes) {
            assert!(allowed.contains(&attribute), "<{tag}>");
            match attribute {
                "href" => assert!(value.starts_with('#'), "<{tag}>"),
                "id" => page.ids.push(value.to_owned()),
                "content" if tag.contains("Content-Security-Policy") => page.policy = value.to_owned(),
                _ => {}
            }
        }
        if ["style", "script"].contains(&name) {
            let (own, behind) = behind.split_once(&format!("</{name}>")).unwrap();
            page.own.push((name.to_owned(), own.to_owned()));
            rest = behind;
        } else if !VOID.contains(&name) {
            open.push(name);
        }
    }
    page.text += &unescaped(rest);
    assert!(open.is_empty(), "{open:?}");
    page
}

/// `name="value"`, or a name alone.
fn pairs(mut attributes: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    while !attributes.is_empty() {
        let end = attributes.find([' ', '=']).unwrap_or(attributes.len());
        let (name, rest) = attributes.split_at(end);
        let (value, rest) = match rest.strip_prefix("=\"") {
            Some(rest) => rest.split_once('"').expect("values are quoted"),
            None => ("", rest),
        };
        found.push((name, value));
        attributes = rest.trim_start();
    }
    found
}

fn unescaped(text: &str) -> String {
    assert!(!text.contains(['>', '"', '\'']), "{text}");
    for part in text.split('&').skip(1) {
        assert!(["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|known| part.starts_with(known)), "&{part}");
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    text.replace("&amp;", "&")
}

/// Its own style and script, and nothing else, by their hashes.
#[test]
fn the_policy_allows_what_the_page_has() {
    let page = read(&text(&["export", "html", "-q"], Input::Bytes(&capture(&[Session::sample(1)]))));
    let names: Vec<&str> = page.own.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["style", "script"]);
    assert!(page.policy.starts_with("default-src 'none'; "), "{}", page.policy);
    for (name, own) in &page.own {
        let hash = BASE64_STANDARD.encode(Sha256::digest(own));
        assert!(page.policy.contains(&format!("{name}-src 'sha256-{hash}'")), "{name}: {}", page.policy);
        assert!(!own.contains("http") && !own.contains("url(") && !own.contains("innerHTML"), "{name}");
    }
}

/// Each message, finding and connection stands in it, in its place.
#[test]
fn everything_is_in_it() {
    for path in some_captures() {
        let input = Input::File(&path);
        let page = read(&text(&["export", "html", "-q", "--payload", "none"], input));
        let what = path.display();
        let expected: Vec<String> = messages(input).iter().map(|m| format!("m{}-{}", m.conn, m.number)).collect();
        let mut shown: Vec<String> = page.ids.iter().filter(|id| id.starts_with('m')).cloned().collect();
        assert_eq!(shown.len(), expected.len(), "{what}");
        let mut sorted = expected;
        sorted.sort();
        shown.sort();
        assert_eq!(shown, sorted, "{what}");
        for row in records("ls", input) {
            assert!(page.ids.contains(&format!("c{}", row["conn"])), "{what}");
            assert!(page.text.contains(&*wspect::escape::display_str(&string(&row, "verdict"))), "{what}");
        }
        for finding in records("check", input) {
            assert!(page.text.matches(&string(&finding, "code")).count() >= 2, "{what}: in the list, and in its place");
        }
    }
}

/// A message stands among those of its connection, in order, with what it says.
#[test]
fn connections_are_told_apart() {
    let mut sessions = [Session::new(1), Session::new(2)];
    for (at, session) in sessions.iter_mut().enumerate() {
        for n in 0..20 {
            session.text(Client, &format!("says {at} {n} <b>"));
        }
    }
    let page = read(&text(&["export", "html", "-q"], Input::Bytes(&capture(&sessions))));
    let said: Vec<&str> = page.text.split("says ").skip(1).map(|said| said.split(" <b>").next().unwrap()).collect();
    let expected: Vec<String> = (0..2).flat_map(|at| (0..20).map(move |n| format!("{at} {n}"))).collect();
    assert_eq!(said, expected);
}

#[test]
fn hostile_text_is_text() {
    let file = capture(&hostile());
    for more in [&[][..], &["--payload", "text"], &["--no-redact"]] {
        let html = text(&[&["export", "html", "-q"], more].concat(), Input::Bytes(&file));
        assert!(!html.contains(|c: char| c != '\n' && (c.is_control() || wspect::escape::is_hidden(c))));
        let page = read(&html);
        for evil in EVIL {
            for line in evil.lines() {
                let shown = wspect::escape::display_str(line);
                assert!(page.text.contains(&*shown), "{shown}");
            }
        }
    }
}

/// The checker itself finds what it is to find.
#[test]
fn markup_is_seen() {
    let is_seen = |html: &str| std::panic::catch_unwind(|| read(&format!("<!doctype html>\n{html}"))).is_err();
    assert!(!is_seen("<p class=\"dim\">a &lt;b&gt; &amp;amp;</p>"));
    for html in [
        "<img>",
        "<p onclick=\"x\">a</p>",
        "<a href=\"https://a\">a</a>",
        "<p>a",
        "<p>a</b></p>",
        "<p>\"</p>",
        "<p>&copy;</p>",
    ] {
        assert!(is_seen(html), "{html}");
    }
}

#[test]
fn heads_are_redacted_unasked() {
    let mut session = Session::bare(1);
    session.turn(Client, request("/", "Cookie: sid=s3cr3t-sid\r\nAuthorization: Bearer t0k3n\r\nX-Shown: yes\r\n"));
    session.turn(Server, response("")).text(Client, "hello");
    let file = capture(&[session]);
    let page = read(&text(&["export", "html", "-q"], Input::Bytes(&file)));
    assert!(page.text.contains("X-Shown: yes") && page.text.contains("Cookie: sid=redacted-"));
    assert!(!page.text.contains("s3cr3t-sid") && !page.text.contains("t0k3n"));
    let page = read(&text(&["export", "html", "-q", "--no-redact"], Input::Bytes(&file)));
    assert!(page.text.contains("Cookie: sid=s3cr3t-sid") && page.text.contains("Bearer t0k3n"));
}

/// What is read is written apart and put together from disk: memory holds a fraction of it.
#[test]
fn a_large_report_costs_disk_and_no_memory() {
    let mut sessions = [Session::new(1), Session::new(2)];
    for session in &mut sessions {
        for n in 0..500_u32 {
            session.text(Server, &format!("{n}:{}", "x".repeat(60_000)));
        }
    }
    let file = in_file("large", &capture(&sessions));
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("report.html");
    let done = wspect(&["export", "html", "-q", "-o", path.to_str().unwrap()], Input::File(file.path()));
    quiet(&done);
    assert!(std::fs::metadata(&path).unwrap().len() > 60_000_000);
    assert!(done.peak_kib < 64 << 10, "{} KiB for 60 MB", done.peak_kib);
}

#[test]
fn looks() {
    let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/lossy.pcap");
    let html = text(&["export", "html", "-q", "--max-payload", "40", "-n", "30"], Input::File(&sample));
    // Style and script stand in files of their own.
    let cut = |html: &str, name: &str| {
        let (before, rest) = html.split_once(&format!("<{name}>")).unwrap();
        format!("{before}<{name}>…{}", &rest[rest.find(&format!("</{name}>")).unwrap()..])
    };
    insta::assert_snapshot!("report", cut(&cut(&html, "style"), "script"));
}
