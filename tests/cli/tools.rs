//! What wspect tells of itself, without a capture.

use super::*;
use wspect::model::{CLOSE_CODES, NOTES};

snapshots! {
    explain "explain TCP-GAP hs-accept 1006 close-4001"
    explain_close_codes "explain 1000 1002 1005 1015 3001 7"
    help_explain "explain --help"
}

#[test]
fn every_finding_is_explained_as_the_page_does() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/FINDINGS.md")).unwrap();
    for row in NOTES {
        let said = stdout(&format!("explain {}", row.name));
        let lines: Vec<&str> = said.lines().map(str::trim).collect();
        assert_eq!(lines[0].split_whitespace().next(), Some(row.name));
        assert!(lines[0].ends_with(if row.rfc.is_empty() { row.severity.name() } else { row.rfc }), "{said}");
        assert_eq!(lines.len(), 4, "{said}");
        let section = page.split("\n### ").find(|section| section.starts_with(&format!("{}\n", row.name))).unwrap();
        for line in &lines[1..] {
            assert!(section.contains(line), "{}: {line}", row.name);
        }
    }
}

#[test]
fn without_a_code_all_are_listed_in_one_line_each() {
    let listed = stdout("explain");
    let listed: Vec<&str> = listed.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    let closes: Vec<String> = CLOSE_CODES.iter().map(ToString::to_string).collect();
    let all: Vec<&str> = NOTES.iter().map(|row| row.name).chain(closes.iter().map(String::as_str)).collect();
    assert_eq!(listed, all);
}

#[test]
fn a_code_that_is_none_is_told_with_what_was_meant() {
    let lines = ["explain TCP-GAPS", "explain gap", "explain 70000", "explain TCP-GAP xyz", "--json explain TCP-GAP"];
    let transcripts: Vec<_> = lines.into_iter().map(transcript).collect();
    assert!(transcripts.iter().all(|text| text.ends_with("[2]\n") && text.lines().count() == 3), "{transcripts:#?}");
    insta::assert_snapshot!(transcripts.concat());
}
