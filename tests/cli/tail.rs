//! `--tail`: the end of all rows, in bounded memory.

use super::*;

/// The last rows are the last of all rows, below the heading that all have.
#[test]
fn tails_are_the_end_of_all_rows() {
    for command in ["ls", "ls --json", "msgs", "msgs --json", "frames", "frames --json", "check", "check --json", ""] {
        for name in ["handshakes.pcapng", "mix.pcap", "lossy.pcap"] {
            let all = stdout(&format!("{command} -q samples/{name}"));
            let all: Vec<&str> = all.lines().collect();
            let headings = usize::from(matches!(command, "ls" | "frames" | ""));
            for wanted in [0, 1, 3, 1_000_000] {
                let some = stdout(&format!("{command} -q --tail {wanted} samples/{name}"));
                let from = all.len().saturating_sub(wanted).max(headings.min(all.len()));
                let expected = all[..headings.min(all.len()).min(wanted)].iter().chain(&all[from..]);
                if matches!(command, "ls" | "") {
                    // Columns are as wide as the rows that are shown need.
                    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
                    assert_eq!(
                        words(&some),
                        words(&expected.map(|line| format!("{line}\n")).collect::<String>()),
                        "{command} {name} {wanted}"
                    );
                } else {
                    assert_eq!(
                        some,
                        expected.map(|line| format!("{line}\n")).collect::<String>(),
                        "{command} {name} {wanted}"
                    );
                }
            }
        }
    }
    assert_eq!(run("check --fail-on warning --tail 1 samples/lossy.pcap").status.code(), Some(1));
    assert_eq!(run("check -T sarif --tail 1 samples/lossy.pcap").status.code(), Some(2));
}

/// Memory has a bound: rows that do not fit into it are left out, and that is said.
#[test]
fn a_tail_of_very_long_rows_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("big.pcapng");
    // 66 MB of payload in messages of some hundred kB.
    fs::write(&path, fs::read(sample("chat.pcapng")).unwrap().repeat(90)).unwrap();
    let all = wspect(["msgs", "-q", "--json"]).arg(&path).output().unwrap().stdout;
    assert!(all.len() > 64 << 20, "{}", all.len());
    let output = wspect(["msgs", "--json", "--tail", "100000"]).arg(&path).output().unwrap();
    assert!(output.status.success());
    assert!(all.ends_with(&output.stdout) && output.stdout.len() <= 64 << 20 && output.stdout.len() > 62 << 20);
    let said = String::from_utf8(output.stderr).unwrap();
    let rows = output.stdout.iter().filter(|&&byte| byte == b'\n').count().to_string();
    let number = said.split("the last ").nth(1).unwrap().split(" row").next().unwrap();
    assert_eq!(number.chars().filter(char::is_ascii_digit).collect::<String>(), rows, "{said}");
}
