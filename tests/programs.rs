//! Decoders that are programs of the configuration: what they are asked, what becomes of their answers, and that they can do no harm.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

mod support;

use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use support::craft::*;
use tempfile::TempDir;

/// A configuration directory, and beside it one with a capture.
struct Desk {
    config: TempDir,
    captures: TempDir,
}

/// What is said in the capture.
const SAID: [(Side, &str); 5] =
    [(Client, "BUY 7 three apples"), (Client, "SELL 8 a pear"), (Server, "OK 8"), (Server, "OK 7"), (Client, ".")];

impl Desk {
    /// With a decoder that has these words for `run`, and these lines more.
    fn new(run: &[&str], more: &str) -> Self {
        let desk = Self { config: TempDir::new().unwrap(), captures: TempDir::new().unwrap() };
        let mut session = Session::new(0);
        for (side, text) in SAID {
            session.text(side, text);
        }
        session.binary(Client, b"BUY".to_vec());
        fs::write(desk.captures.path().join("chat.pcap"), capture_of(&session.segments())).unwrap();
        fs::create_dir(desk.config.path().join("wspect")).unwrap();
        let config = format!("[[decoder]]\nname = \"acme\"\nrun = {}\n{more}\n", json!(run));
        fs::write(desk.config.path().join("wspect/config.toml"), config).unwrap();
        desk
    }

    /// With a shell script.
    fn script(script: &str, more: &str) -> Self {
        Self::new(&["sh", "-c", script], &format!("match = 'conn'\n{more}"))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wspect"));
        command.args(arguments).current_dir(&self.captures).stdin(Stdio::null());
        command.env("XDG_CONFIG_HOME", self.config.path()).env("TZ", "UTC");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn records(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(arguments);
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What is said on stderr by a program that goes wrong; the payloads are there as without it.
    fn warning(&self) -> String {
        let decoded = ["msgs", "--json", "--decoded", "chat.pcap"];
        let output = self.run(&decoded);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let payloads = |output: &Output| -> Vec<Value> {
            let text = String::from_utf8(output.stdout.clone()).unwrap();
            text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["payload"].clone()).collect()
        };
        let plain = self.run(&[&decoded[..], &["--no-config"]].concat());
        assert_eq!(payloads(&output), payloads(&plain));
        let said = String::from_utf8(output.stderr).unwrap();
        let warnings: Vec<&str> = said.lines().filter(|line| line.starts_with("wspect: warning: ")).collect();
        assert_eq!(warnings.len(), 1, "{said}");
        assert!(self.run(&[&decoded[..], &["-q"]].concat()).stderr.is_empty());
        let warning = warnings[0].strip_prefix("wspect: warning: decoder acme: ");
        warning.unwrap_or_else(|| panic!("{said}")).to_owned()
    }

    fn has(&self, name: &str) -> bool {
        self.config.path().join("wspect").join(name).exists()
    }
}

/// The example of the page, word for word.
#[test]
fn the_example_of_the_page_decodes() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: there is no python3");
        return;
    }
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/DECODERS.md")).unwrap();
    let (_, example) = page.split_once("```python\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    assert_eq!(example.lines().count(), 15);
    let desk = Desk::new(&["python3", "acme.py"], "match = 'host contains \"\"'\ntimeout_ms = 60000");
    fs::write(desk.config.path().join("wspect/acme.py"), example).unwrap();
    let decoded = |arguments: &[&str]| -> Vec<Value> {
        desk.records(&[&["msgs", "--json", "chat.pcap"], arguments].concat())
            .iter()
            .map(|record| record["decoded"].clone())
            .collect()
    };
    let all = decoded(&["--decoded"]);
    let told = |key: &str| all.iter().map(|decoded| decoded[key].clone()).collect::<Vec<_>>();
    let (acme, none) = (json!("acme"), Value::Null);
    assert_eq!(told("protocol")[..6], [&acme, &acme, &acme, &acme, &acme, &none].map(Clone::clone));
    assert_eq!(told("event")[..5], [json!("BUY"), json!("SELL"), json!(null), json!(null), json!("tick")]);
    assert_eq!(told("reply_to")[..4], [json!(null), json!(null), json!(2), json!(1)]);
    assert_eq!(told("summary")[..3], [json!("BUY three apples"), json!("SELL a pear"), json!("done")]);
    assert_eq!(told("heartbeat")[3..5], [json!(false), json!(true)]);
    assert_eq!(all[0]["data"], json!({"verb":"BUY","what":["three","apples"]}));
    let rows = |filter: &str| {
        let rows = desk.records(&["msgs", "--json", "chat.pcap", "-Y", filter]);
        rows.iter().map(|record| record["msg"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(rows("event == BUY"), [1]);
    assert_eq!(rows("asked == SELL && latency > 0s"), [3]);
    assert_eq!(rows(r#"decoded.data.what[1] == "apples""#), [1]);
    assert_eq!(rows("heartbeat"), [5]);
    assert_eq!(rows(r#"decoded.protocol == "acme" && type == text"#), [1, 2, 3, 4, 5]);
    let types = desk.records(&["types", "--json", "chat.pcap", "-Y", "event"]);
    assert_eq!(types.iter().filter(|row| row["protocol"] == "acme").count(), 3);
}

#[test]
fn a_program_is_named_by_a_rule_as_well_and_started_only_when_needed() {
    let script = "touch started; while read -r line; do echo '{\"event\":\"x\"}'; done";
    let desk = Desk::new(&["sh", "-c", script], "");
    let events = |arguments: &[&str]| {
        let rows = desk.records(&[&["msgs", "--json", "--decoded", "chat.pcap"], arguments].concat());
        rows.iter().filter(|row| row["decoded"]["event"] == "x").count()
    };
    assert_eq!(events(&[]), 0);
    assert_eq!(events(&["-d", "conn==2,acme"]), 0);
    desk.run(&["msgs", "-d", "conn==1,acme", "chat.pcap"]);
    assert!(!desk.has("started"), "nobody asked for what messages say");
    assert_eq!(events(&["-d", "conn==1,acme"]), 6);
    assert!(desk.has("started"));
    // A rule that is typed goes before a decoder's own match.
    let desk = Desk::new(&["sh", "-c", script], "match = 'conn == 1'");
    let typed = desk.run(&["msgs", "--decoded", "chat.pcap", "-d", "conn==1,json"]);
    assert!(typed.status.success() && !desk.has("started"));
    let wrong = desk.run(&["msgs", "chat.pcap", "-d", "conn==1,acne"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("did you mean acme?"), "{wrong:?}");
    assert_eq!(desk.run(&["msgs", "chat.pcap", "-d", "conn==1,acme", "--no-config"]).status.code(), Some(2));
}

#[test]
fn what_goes_wrong_is_one_warning_and_harms_nothing() {
    let of = |script: &str| Desk::script(script, "timeout_ms = 300").warning();
    for (script, words) in [
        ("exit 3", "it ended without an answer: exit status: 3 (message 1:1)"),
        ("echo 'a b' >&2; echo '\u{1b}[31mwhy' >&2; exit 3", "on stderr it said: \\x1b[31mwhy"),
        ("head -c 3000000 /dev/zero >&2; echo; echo why >&2; exit 4", "(message 1:1); it is asked no more"),
        ("kill -9 $$", "it ended without an answer: signal: 9"),
        ("exec >&-; sleep 100", "it closed its output without an answer"),
        ("echo hello; sleep 100", "its answer is no JSON (message 1:1)"),
        ("printf '\\377\\n'; sleep 100", "its answer is no UTF-8"),
        ("head -c 6000000 /dev/zero | tr '\\0' x; sleep 100", "its answer is longer than 4 MiB"),
        ("while read -r line; do printf 'null\\nnull\\n'; done", "it answered "),
        ("read -r line; echo null; sleep 100", "no answer came within 300 ms (message 1:2)"),
        ("echo '{\"event\":[]}'; sleep 100", "`event` of its answer is to be text"),
    ] {
        let begun = Instant::now();
        let told = of(script);
        assert!(told.contains(words), "{script}: {told}");
        assert!(begun.elapsed() < Duration::from_secs(60), "{script}: {:?}", begun.elapsed());
    }
    // What a program says may be what is not to be shown.
    let desk = Desk::script("echo secret >&2; exit 3", "");
    let told = desk.run(&["msgs", "--decoded", "--redact", "json:pin", "chat.pcap"]);
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(told.contains("exit status: 3") && !told.contains("secret"), "{told}");
    let absent = Desk::new(&["no-such-program-at-all"], "match = 'conn'").warning();
    assert!(absent.contains("it cannot be started: "), "{absent}");
}

/// What is asked of it at once may be more than a pipe holds, and nobody reads it.
#[test]
fn a_program_that_does_not_read_holds_nothing_up() {
    let desk = Desk::script("while :; do echo null; sleep 0.02; done", "timeout_ms = 300");
    let mut session = Session::new(0);
    for _ in 0..20 {
        session.text(Client, &"x".repeat(40_000));
    }
    fs::write(desk.captures.path().join("chat.pcap"), capture_of(&session.segments())).unwrap();
    let told = desk.warning();
    assert!(told.starts_with("it answered before") || told.starts_with("it answered more"), "{told}");
}

#[test]
fn a_program_ends_with_the_run() {
    let desk = Desk::script("echo $$ > pid; while :; do read -r line && echo null || sleep 0.1; done", "");
    desk.records(&["msgs", "--json", "--decoded", "chat.pcap"]);
    let pid = fs::read_to_string(desk.config.path().join("wspect/pid")).unwrap();
    let alive = Command::new("kill").args(["-0", pid.trim()]).stderr(Stdio::null()).status().unwrap();
    assert!(!alive.success(), "it runs on as {pid}");
}

/// Captures are looked at where others put them: nothing that lies there is run, nor read as configuration.
#[test]
fn nothing_that_lies_beside_a_capture_is_started() {
    let desk = Desk::new(&["./acme.sh"], "match = 'conn'");
    let script = |at: &Path, text: &str| {
        fs::write(at, format!("#!/bin/sh\n{text}\nwhile read -r line; do echo null; done\n")).unwrap();
        fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let here = desk.captures.path();
    let harm = here.join("harm");
    let harmful = format!("touch '{}'", harm.display());
    script(&here.join("acme.sh"), &harmful);
    script(&desk.config.path().join("wspect/acme.sh"), "touch started");
    let config = format!("[[decoder]]\nname = \"acme\"\nrun = [\"sh\", \"-c\", {}]\nmatch = 'conn'\n", json!(harmful));
    for place in ["wspect", ".config/wspect", ".wspect"] {
        fs::create_dir_all(here.join(place)).unwrap();
        fs::write(here.join(place).join("config.toml"), &config).unwrap();
    }
    for place in ["config.toml", "wspect.toml", ".wspect.toml", "chat.pcap.toml"] {
        fs::write(here.join(place), &config).unwrap();
    }
    let asked = ["msgs", "--decoded", "chat.pcap"];
    assert!(desk.run(&asked).status.success());
    assert!(desk.has("started") && !harm.exists());
    // Also where the variables that say where the configuration stands are empty, or lead here by a relative path.
    for (config, home) in [("", ""), (".", "."), (".config", "nowhere")] {
        let output = desk.command(&asked).env("XDG_CONFIG_HOME", config).env("HOME", home).output().unwrap();
        assert!(output.status.success() && !harm.exists(), "{config:?} {home:?}: {output:?}");
    }
    // A file that is named is another matter.
    assert!(desk.run(&[&asked[..], &["--config", "config.toml"]].concat()).status.success());
    assert!(harm.exists());
}
