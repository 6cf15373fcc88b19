//! `docs/FINDINGS.md` is made from the table.

use std::fmt::Write as _;
use std::path::PathBuf;
use wspect::model::NOTES;

/// The page as the table gives it.
fn page() -> String {
    let mut out = String::from(
        "# Findings\n\nWhat `wspect check` and the browser can report. An **error** breaks a protocol or means that data is wrong, a\n\
         **warning** that something may be lost or surprising, a **note** is worth knowing and legal. `--fail-on` takes the\n\
         severity from which on `check` exits with 1.\n\n\
         Made from the table in `src/model/note/table.rs`; `FINDINGS=write cargo test --test findings page` writes it anew.\n",
    );
    let mut topic = None;
    for row in NOTES {
        if topic.replace(row.topic) != Some(row.topic) {
            let _ = write!(out, "\n## {}\n", row.topic.title());
        }
        let rfc = if row.rfc.is_empty() { String::new() } else { format!(" · {}", row.rfc) };
        let severity = row.severity.name();
        let _ = write!(
            out,
            "\n### {}\n\n{severity}{rfc}\n\n{}\n\n- Likely cause: {}\n- Next: {}\n",
            row.name, row.text, row.cause, row.next
        );
    }
    out
}

#[test]
fn the_page_is_that_of_the_table() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/FINDINGS.md");
    if std::env::var_os("FINDINGS").is_some_and(|value| value == "write") {
        std::fs::write(&path, page()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page(), "docs/FINDINGS.md is out of date: FINDINGS=write cargo test --test findings page");
}

#[test]
fn rows_are_written_to_be_read() {
    for row in NOTES {
        for sentence in [row.text, row.cause, row.next] {
            assert!(sentence.ends_with('.') && !sentence.contains("  "), "{}: {sentence}", row.name);
            assert!(
                sentence.starts_with(|c: char| c.is_uppercase()) || sentence.starts_with("permessage"),
                "{}",
                row.name
            );
        }
    }
}
