//! The house is built in floors: who may import whom, how long a file may be, and what no committed text may say.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// Which modules each may import beside itself. `proto/x` stands for any protocol; only `proto/open` names them all.
const FLOORS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("carry", &["model"]),
    ("der", &[]),
    ("escape", &["model"]),
    ("capture", &["model"]),
    ("net", &["model"]),
    ("tcp", &["model"]),
    ("decode", &["model", "escape"]),
    ("keys", &["model", "der"]),
    ("filter", &["model", "decode"]),
    ("proto/layer", &["model", "carry"]),
    ("proto/handshake", &["model", "proto/layer"]),
    ("proto/open", &["model", "carry", "proto"]),
    ("proto/x", &["model", "carry", "der", "proto/layer", "proto/handshake"]),
    ("proto", &["model", "carry", "proto"]),
    ("dissect", &["model", "capture", "keys", "net", "tcp", "proto"]),
    ("book", &["model", "escape", "decode", "filter"]),
    ("export", &["model", "escape", "decode", "filter"]),
    ("tui", &["model", "escape", "decode", "filter", "book", "export"]),
    ("cli", &["*"]),
    ("lib", &["*"]),
    ("main", &["*"]),
];

/// Lines that a source file may have.
const LONGEST: usize = 700;

#[test]
fn every_floor_rests_on_lower_ones() {
    let broken: Vec<String> = sources().iter().flat_map(|(path, text)| leaks(path, text)).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_file_is_short() {
    let long: Vec<String> = sources()
        .iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(path, lines)| format!("{path}: {lines} lines, at most {LONGEST}"))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn nothing_is_left_to_be_done() {
    let words =
        [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["unimple", "mented!"].concat(), ["to", "do!"].concat()];
    let found: Vec<String> = sources().iter().flat_map(|(path, text)| lines_with(path, text, &words)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_text_names_the_machine_it_was_written_on() {
    let words = ["work", "root", "home"].map(|dir| format!("/{dir}/"));
    let found: Vec<String> = texts().iter().flat_map(|(path, text)| lines_with(path, text, &words)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let elsewhere = lock.lines().find(|line| line.starts_with("source = ") && !line.contains("registry+"));
    assert_eq!(elsewhere, None, "a package that is not from the registry");
}

/// The rules themselves: each leak is seen, and nothing else.
#[test]
fn leaks_are_seen() {
    let leak = |path: &str, text: &str| leaks(path, text).len();
    for (path, text) in [
        ("src/model/ws.rs", "use crate::escape::safe;"),
        ("src/net/link.rs", "use crate::tcp::Seq;"),
        ("src/net/link.rs", "fn f() { crate::capture::open() }"),
        ("src/net/link.rs", "use crate::{model::Packet, capture::Reader};"),
        ("src/tcp/half.rs", "use super::super::proto::layer::Cx;"),
        ("src/proto/ws/layer.rs", "use crate::proto::http1::Head;"),
        ("src/proto/ws/layer.rs", "use crate::proto::{layer::Cx, open};"),
        ("src/proto/ws/layer.rs", "use super::super::http1::Head;"),
        ("src/proto/probe.rs", "use super::http1::Head;"),
        ("src/proto/probe.rs", "mod a { fn f() {} } use super::http1::Head;"),
        ("src/proto/probe.rs", "mod a { use super::super::http1::Head; }"),
        ("src/dissect/table.rs", "use crate::export::Jsonl;"),
        ("src/tui/app.rs", "use crate::dissect;"),
        ("src/tui/app.rs", "let x = \"a // b\"; use crate::cli::Args;"),
        ("src/gossip/mod.rs", ""),
    ] {
        assert_eq!(leak(path, text), 1, "{path}: {text}");
    }
    for (path, text) in [
        ("src/model/ws.rs", "use super::body::Body; use crate::model::Mark;"),
        (
            "src/net/link.rs",
            "// use crate::tcp::Seq;\n/* crate::tcp */ let x = \"crate::tcp\"; let y = 'c'; let z: &'a u8;",
        ),
        ("src/proto/ws/layer.rs", "use crate::proto::layer::{Cx, Layer}; use super::frame; use crate::carry::Carry;"),
        ("src/proto/open.rs", "use super::{http1, ws}; use crate::proto::layer::Hint;"),
        ("src/proto/mod.rs", "mod open; pub use open::open;"),
        ("src/proto/http1/head.rs", "mod tests { use super::*; }"),
        ("src/proto/handshake/tell.rs", "pub(in crate::proto) fn tell() {}"),
        ("src/proto/probe.rs", "mod a; fn f() {} mod tests { use super::{b, *}; use super::super::layer::Cx; }"),
        ("src/dissect/mod.rs", "use crate::proto::layer::Kind; use crate::{net, tcp::Seq};"),
        ("src/cli/run.rs", "use crate::{dissect, export, tui};"),
        ("src/main.rs", "use wspect::cli;"),
    ] {
        assert_eq!(leaks(path, text), [""; 0], "{path}: {text}");
    }
    assert_eq!(
        leaks("src/net/link.rs", "\n\nuse crate::tcp::Seq;"),
        ["src/net/link.rs:3: net may not import tcp (only model)"]
    );
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Path (from the root, with `/`) and text of each source file.
fn sources() -> Vec<(String, String)> {
    let sources: Vec<_> =
        texts().into_iter().filter(|(path, _)| path.starts_with("src/") && path.ends_with(".rs")).collect();
    assert!(sources.len() > 10, "the sources are where they are looked for");
    sources
}

/// Every text of the repository, what git and cargo made aside.
fn texts() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![root()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            if path.is_dir() {
                if ![".git", "target", "fuzz/target"].contains(&name.as_str()) {
                    open.push(path);
                }
            } else if name != ".git"
                && let Ok(text) = fs::read_to_string(&path)
            {
                found.push((name, text));
            }
        }
    }
    found.sort();
    found
}

fn lines_with(path: &str, text: &str, words: &[String]) -> Vec<String> {
    let hits = text.lines().enumerate().filter(|(_, line)| words.iter().any(|word| line.contains(word.as_str())));
    hits.map(|(at, line)| format!("{path}:{}: {}", at + 1, line.trim())).collect()
}

/// Imports of one file that its floor does not allow.
fn leaks(path: &str, text: &str) -> Vec<String> {
    let module = module(path);
    let area = area(&module);
    let Some((_, allowed)) = FLOORS.iter().find(|(name, _)| *name == rule(&area)) else {
        return vec![format!("{path}: {area} has no floor; give it one in tests/floors.rs")];
    };
    let code = code(text);
    let mut out = Vec::new();
    for (at, target) in imports(&code, &module) {
        let to = self::area(&target);
        let parent = to.split('/').next().unwrap_or_default();
        let ok =
            to == area || to.is_empty() || allowed.iter().any(|name| *name == "*" || *name == to || *name == parent);
        if !ok {
            let line = code[..at].lines().count().max(1);
            let only = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
            out.push(format!("{path}:{line}: {area} may not import {to} (only {only})"));
        }
    }
    out
}

/// `src/proto/ws/layer.rs` → proto, ws, layer; `mod.rs` names its directory.
fn module(path: &str) -> Vec<String> {
    let mut module: Vec<String> =
        Path::new(path).with_extension("").iter().skip(1).map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

/// The part of the house a module lies in: its first name, for protocols the first two.
fn area(module: &[String]) -> String {
    let depth = if module.first().is_some_and(|first| first == "proto") { 2 } else { 1 };
    let names: Vec<&str> = module.iter().take(depth).map(String::as_str).collect();
    // What `proto` itself re-exports, functions and types, is no protocol.
    let is_module = names.get(1).is_none_or(|name| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
    if is_module { names.join("/") } else { names[0].to_owned() }
}

/// The row of the table for an area.
fn rule(area: &str) -> &str {
    match area {
        "proto/layer" | "proto/open" | "proto/handshake" => area,
        _ if area.starts_with("proto/") => "proto/x",
        _ => area,
    }
}

/// The code with comments, strings and characters blanked, so that positions stay.
fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match &bytes[at..] {
            [b'/', b'/', ..] => find(bytes, at, b"\n"),
            [b'/', b'*', ..] => find(bytes, at + 2, b"*/") + 2,
            [b'r', b'"', ..] => find(bytes, at + 2, b"\"") + 1,
            [b'r', b'#', b'"', ..] => find(bytes, at + 3, b"\"#") + 2,
            [b'"', ..] => string_end(bytes, at + 1),
            [b'\'', b'\\', ..] => find(bytes, at + 3, b"'") + 1,
            [b'\'', _, b'\'', ..] => at + 3,
            _ => {
                at += 1;
                continue;
            }
        };
        let end = end.min(bytes.len());
        out[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.windows(what.len()).position(|window| window == what).unwrap_or(rest.len())
}

fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// Every path that begins with `crate`, `wspect` or `super`: where it stands and the module it leads to.
fn imports(code: &str, module: &[String]) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for root in ["crate::", "wspect::", "super::"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].trim_end();
            let inside = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') || before.ends_with("::");
            // Who may see something is no import.
            if inside || before.ends_with("pub(in") {
                continue;
            }
            let mut rest = &code[at + root.len()..];
            let mut up = usize::from(root == "super::");
            while let Some(next) = rest.strip_prefix("super::") {
                up += 1;
                rest = next;
            }
            // From an inline module the first `super` leads to its own file.
            let up = up.saturating_sub(inline_modules(code, at));
            let own = if root == "super::" { module } else { &[] };
            let base = &own[..own.len().saturating_sub(up)];
            let mut paths = Vec::new();
            tree(rest, base, &mut paths);
            found.extend(paths.into_iter().map(|path| (at, path)));
        }
    }
    found
}

/// How many `mod name { … }` are around this place.
fn inline_modules(code: &str, at: usize) -> usize {
    let opened = code[..at].match_indices("mod ").filter(|(start, _)| {
        let body = code[*start..at].find('{').map(|brace| &code[start + brace..at]);
        let named = body.is_some_and(|body| !code[*start..at - body.len()].contains(';'));
        named && body.is_some_and(|body| body.matches('{').count() > body.matches('}').count())
    });
    opened.count()
}

/// Expands `a::{b, c::d}` behind `base`; gives what follows it.
fn tree<'a>(text: &'a str, base: &[String], paths: &mut Vec<Vec<String>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        while !rest.trim_start().starts_with('}') && !rest.trim_start().is_empty() {
            rest = tree(rest, base, paths).trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
        return rest.trim_start().strip_prefix('}').unwrap_or("");
    }
    let len = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(len);
    if name.is_empty() {
        paths.push(base.to_vec());
        return text.get(text.chars().next().map_or(0, char::len_utf8)..).unwrap_or("");
    }
    let path = [base, &[name.to_owned()]].concat();
    match rest.strip_prefix("::") {
        Some(rest) if name != "self" => tree(rest, &path, paths),
        _ => {
            let whole = if name == "self" { base.to_vec() } else { path };
            paths.push(whole);
            let alias = rest.trim_start().strip_prefix("as ").map(str::trim_start);
            alias.map_or(rest, |alias| alias.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'))
        }
    }
}
