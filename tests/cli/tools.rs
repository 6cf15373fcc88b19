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

/// `-V` is one line; `--version` tells what this build can do.
#[test]
fn the_version_tells_the_features() {
    let short = format!("wspect {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(stdout("-V"), short);
    let long = stdout("--version");
    assert!(long.starts_with(&short));
    let told: Vec<(&str, &str)> =
        long.lines().skip(1).map(|line| line.split_at(11)).map(|(what, of)| (what.trim_end(), of)).collect();
    let of = |what: &str| told.iter().find(|(name, _)| *name == what).unwrap().1;
    assert_eq!(of("findings"), NOTES.len().to_string());
    assert_eq!(of("built for"), format!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
    // Each export and report that is told is one that can be asked for.
    let dir = tempfile::tempdir().unwrap();
    for format in of("exports").split(", ") {
        let line = ["export", format, "-q", "samples/mix.pcap", "-o"];
        assert!(wspect(line).arg(dir.path().join(format)).status().unwrap().success(), "{format}");
    }
    for format in of("reports").split(", ") {
        assert!(run(&format!("check -T {format} samples/mix.pcap")).status.success(), "{format}");
    }
    for form in of("rows").split(", ") {
        assert!(
            run(&format!("msgs -T {form} -e msg samples/mix.pcap")).status.success()
                == ["csv", "tsv", "fields"].contains(&form)
        );
        assert!(form == "fields" || run(&format!("check -T {form} samples/mix.pcap")).status.success(), "{form}");
    }
    for compression in ["gzip", "zstd", "lz4", "xz"] {
        assert!(of("reads").contains(compression), "{compression}");
    }
}
