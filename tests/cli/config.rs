//! The configuration file: what it sets, what replaces it, and what is wrong with it.

use super::{transcript, wspect};
use std::fs;
use std::path::PathBuf;
use std::process::Output;

snapshots! {
    help_config "help config"
}

/// Runs the program with a configuration file that says so; a name for the place where it stands.
fn with(name: &str, config: &str, line: &[&str]) -> Output {
    let home = home(name);
    fs::create_dir_all(home.join("wspect")).unwrap();
    fs::write(home.join("wspect/config.toml"), config).unwrap();
    wspect(line).env("XDG_CONFIG_HOME", &home).output().unwrap()
}

/// A directory for configuration files.
fn home(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("config-{name}"))
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

#[test]
fn what_is_not_typed_is_taken_from_the_file() {
    let config = "time = \"e\"\npayload = 'none'\nmax_message = 125\ndecode_as = [\"tcp.port==1,none\"]\n";
    let msgs = ["msgs", "-n", "1", "samples/stomp.pcapng"];
    let typed = wspect(["msgs", "-n", "1", "-t", "e", "--payload", "none", "samples/stomp.pcapng"]).output().unwrap();
    assert_eq!(with("taken", config, &msgs), typed);
    let plain = wspect(msgs).output().unwrap();
    assert_ne!(plain, typed);
    assert_eq!(with("taken", config, &[&msgs[..], &["-t", "rel", "--payload", "auto"]].concat()), plain);
    assert_eq!(with("taken", config, &[&msgs[..], &["--no-config"]].concat()), plain);
    // Rows that are printed without a command have the times of the file as well.
    let rows = with("taken", config, &["samples/stomp.pcapng"]);
    assert_eq!(rows, with("taken", config, &["ls", "samples/stomp.pcapng"]));
    assert_ne!(rows, wspect(["samples/stomp.pcapng"]).output().unwrap());
}

#[test]
fn key_logs_of_the_file_are_used_where_they_are() {
    let keys = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples/tls.keys");
    let config = format!("keylog = [{:?}, \"/no/such/file\"]", keys.display().to_string());
    let capture = home("keys").join("moved.pcap");
    fs::create_dir_all(home("keys")).unwrap();
    fs::copy(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples/tls.pcap"), &capture).unwrap();
    let msgs = ["msgs", capture.to_str().unwrap()];
    assert_eq!(with("keys", "", &msgs).stdout, b"");
    let found = with("keys", &config, &msgs);
    assert_ne!(found.stdout, b"");
    // One that is missing is missed as if it were typed.
    let said = "/no/such/file: no such file or directory; its keys are not used";
    assert!(String::from_utf8_lossy(&found.stderr).contains(said), "{}", text(&found));
    let shown = text(&with("keys", &config, &["config", "show"]));
    assert!(shown.contains("\"/no/such/file\"]"), "{shown}");
}

#[test]
fn what_is_decoded_as_what_stands_in_tables_too() {
    let msgs = ["msgs", "--decoded", "--json", "samples/mqtt.pcap"];
    let typed = wspect(msgs).args(["-d", "tcp.port == 1,none", "-d", "host contains \"\",json"]).output().unwrap();
    assert_ne!(typed.stdout, wspect(msgs).output().unwrap().stdout);
    let tables = "[[decode_as]]\nmatch = 'tcp.port == 1'\nas = \"none\"\n\
                  [[decode_as]]\nmatch = 'host contains \"\"'\nas = \"json\"\n";
    assert_eq!(with("tables", tables, &msgs), typed);
    let shown = text(&with("tables", tables, &["config", "show"]));
    assert_eq!(shown, "decode_as = [\"tcp.port == 1,none\", \"host contains \\\"\\\",json\"]\n");
    assert_eq!(with("tables", &shown, &msgs), typed);
}

/// Every kind of setting in one file.
const SAMPLE: &str = r#"theme = "auto"            # auto 16 mono dark light high-contrast
keymap = "default"        # default termshark
time = "rel"
mouse = true
keylog = ["~/keys.txt"]
[columns]
messages = ["no", "time", "dir", "type", "len", "preview"]
[filters]
errors = 'websocket.payload.text contains "\"error\""'
errors2 = 'host == a'
[[color_rule]]
filter = "websocket.opcode >= 9"
style = "dim"
[[decode_as]]
match = 'host == "mq.example"'
as = "mqtt"
[[decoder]]
name = "acme"
run = ["python3", "acme.py", "a\\b"]
match = '$errors2 || path == "/acme"'
timeout_ms = 50
[keys]
export = ["x", "F2", "C-e"]
"#;

#[test]
fn all_kinds_of_settings_stand_in_one_file() {
    let shown = with("sample", SAMPLE, &["config", "show"]);
    assert!(shown.status.success(), "{}", text(&shown));
    let shown = text(&shown);
    assert_eq!(text(&with("sample", &shown, &["config", "show"])), shown);
    for line in [
        "decode_as = \"host == \\\"mq.example\\\",mqtt\"",
        "messages = [\"no\", \"time\", \"dir\", \"type\", \"len\", \"preview\"]",
        "\"errors\" = ",
        "filter = \"websocket.opcode >= 9\"",
        "run = [\"python3\", \"acme.py\", \"a\\\\b\"]",
        "timeout_ms = 50",
        "export = [\"x\", \"F2\", \"C-e\"]",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    let rows = ["msgs", "samples/chat.pcapng"];
    assert_eq!(with("sample", SAMPLE, &rows).stdout, wspect(rows).args(["-t", "rel"]).output().unwrap().stdout);
}

#[test]
fn filters_have_names() {
    let config = "[filters]\nerrors = 'type == text && payload contains \"ERROR\"'\nclosing = 'type == close'\n\
                  both = '$errors || $closing'\n";
    let rows = |filter: &str| {
        let output = with("names", config, &["msgs", "-q", "-Y", filter, "samples/stomp.pcapng"]);
        assert!(output.status.success(), "{}", text(&output));
        output.stdout
    };
    assert_ne!(rows("$both"), b"");
    assert_eq!(rows("$both"), rows(r#"type == text && payload contains "ERROR" || type == close"#));
    assert_eq!(
        rows("!$both && conn == 1"),
        rows(r#"!(type == text && payload contains "ERROR" || type == close) && conn == 1"#)
    );
    let claim = ["check", "--assert", "count(msgs where $closing) > 0", "samples/stomp.pcapng"];
    assert_eq!(with("names", config, &claim).status.code(), Some(0));
    let wrong = with("names", config, &["msgs", "-Y", "$error", "samples/stomp.pcapng"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong).contains("no filter is named `error`: did you mean $errors?"), "{}", text(&wrong));
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (config, words) in [
        ("tiem = \"utc\"", "config.toml:1: no setting tiem: did you mean time?"),
        ("\ncolor = \"green\"", "config.toml:2: invalid value 'green' for '--color <WHEN>'"),
        ("color = [\"never\"]", "config.toml:1: color is to be like \"never\""),
        ("color = \"never", "config.toml:1: "),
    ] {
        let output = with("wrong", config, &["ls", "samples/chat.pcapng"]);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]), "{config}");
        assert!(text(&output).contains(words) && text(&output).lines().count() == 1, "{}", text(&output));
        // What reads no capture runs all the same.
        assert!(with("wrong", config, &["explain", "TCP-GAP"]).status.success());
    }
    let missing = wspect(["ls", "--config", "/no/such/file", "samples/chat.pcapng"]).output().unwrap();
    assert_eq!((missing.status.code(), text(&missing).contains("/no/such/file: no such file")), (Some(3), true));
}

/// Whoever runs as another user has the home directory of the first, perhaps: nothing depends on a file that nobody named.
#[test]
fn a_file_that_cannot_be_read_is_passed_over() {
    let home = home("unreadable");
    let place = home.join("wspect/config.toml");
    fs::create_dir_all(&place).unwrap();
    let ls = |words: &[&str]| {
        let line = [&["ls", "samples/chat.pcapng"], words].concat();
        wspect(line).env("XDG_CONFIG_HOME", &home).output().unwrap()
    };
    let (plain, warned) = (ls(&["--no-config"]), ls(&[]));
    assert_eq!((warned.status.code(), &warned.stdout), (Some(0), &plain.stdout));
    let warning = format!("wspect: warning: {}: ", place.display());
    assert!(
        text(&warned).contains(&warning) && text(&warned).contains("(--no-config passes over it)"),
        "{}",
        text(&warned)
    );
    assert!([plain, ls(&["-q"])].iter().all(|quiet| !text(quiet).contains("wspect: warning")));
    assert_eq!(ls(&["--config", place.to_str().unwrap()]).status.code(), Some(3), "one that is named is wanted");
}

#[test]
fn a_file_is_made_once() {
    let home = home("made");
    let _ = fs::remove_dir_all(&home);
    let place = home.join("wspect/config.toml");
    let config = |words: &[&str]| wspect([&["config"], words].concat()).env("XDG_CONFIG_HOME", &home).output().unwrap();
    assert_eq!(text(&config(&["path"])), format!("{}\n", place.display()));
    assert!(!place.exists());
    assert_eq!(text(&config(&["init"])), format!("wspect: {} is written\n", place.display()));
    insta::assert_snapshot!("config_init", fs::read_to_string(&place).unwrap());
    assert_eq!(text(&config(&["show"])), "");
    assert_eq!(config(&["init"]).status.code(), Some(5));
    assert!(config(&["init", "--force"]).status.success());
    fs::write(&place, "max_payload = 8\nkeylog = []\n[filters]\nslow = 'rtt > 200ms'\n").unwrap();
    let shown = text(&config(&["show"]));
    fs::write(&place, &shown).unwrap();
    assert_eq!(text(&config(&["show"])), shown, "what is shown is a file that says the same");
    assert!(shown.contains("max_payload = \"8\"") && shown.contains("\"slow\" = \"rtt > 200ms\""), "{shown}");
}

#[test]
fn the_browser_has_settings_and_tables() {
    for (config, words) in [
        ("[columns]\nmesages = []", "config.toml:2: no setting mesages in [columns]: did you mean messages?"),
        ("[columns]\nmessages = 3", "config.toml:2: messages is to be like [\"no\","),
        (
            "[columns]\nmessages = [\"no\", \"frame.numbr\"]",
            "config.toml:2: messages: no field frame.numbr: did you mean frame.number?",
        ),
        ("[columns]\nconnections = [\"json.x\"]", "connections: json.x is no field of connections"),
        ("columns = 1", "config.toml:1: [columns] is to be a table"),
        ("theme = \"drak\"", "no theme drak: auto, 16, mono, dark, light, high-contrast"),
        ("ascii = 1", "ascii is to be like true"),
        ("time = \"utc\"\nmouse = \"no\"", "config.toml:2: mouse is to be like false"),
        ("mous = true", "config.toml:1: no setting mous: did you mean mouse?"),
        ("keymap = \"vim\"", "no keymap vim: default, termshark"),
        ("[keys]\nfilter = \"f\"\nzom = \"Z\"", "config.toml:3: no action zom: did you mean zoom?"),
        ("[keys]\nzoom = [\"Hyper-z\"]", "config.toml:2: Hyper-z is no key"),
        ("color_rule = 1", "config.toml:1: [[color_rule]] is to be tables with filter and style"),
        ("[[color_rule]]\nfilter = 'conn == 1'", "config.toml:2: a [[color_rule]] needs a style, as style = \"dim\""),
        ("[[color_rule]]\nfilter = 'cnn == 1'\nstyle = 'dim'", "config.toml:2: filter: unknown field `cnn`"),
        ("[[color_rule]]\nfilter = '$slow'\nstyle = 'dim'", "config.toml:2: filter: no filter is named `slow`"),
        (
            "[[color_rule]]\nfilter = 'wspect.text contains \"x\"'\nstyle = 'dim'",
            "config.toml:2: filter: `wspect.text` is a field of findings, not of messages",
        ),
        ("[[color_rule]]\nfilter = 'conn == 1'\nstyle = 3", "config.toml:3: style is to be like \"dim\""),
        (
            "[[color_rule]]\nfilter = 'conn == 1'\nstyle = 'bold gren'",
            "config.toml:3: no style gren: did you mean green?",
        ),
        ("[[color_rule]]\nfilter = 'conn == 1'\nstyle = 'red blue'", "config.toml:3: red blue has two colours"),
        ("[[color_rule]]\nfilter = 'conn == 1'\nstyle = ''", "config.toml:3: a style is one or more of dim bold"),
        (
            "[[color_rule]]\nfiltre = 'conn == 1'",
            "config.toml:2: no setting filtre in [[color_rule]]: did you mean filter?",
        ),
        ("[keys]\nzoom = 3", "config.toml:2: zoom is to be like [\"F2\", \"C-e\"]"),
    ] {
        let output = with("browser", config, &["ls", "samples/chat.pcapng"]);
        assert_eq!(output.status.code(), Some(2), "{config}");
        assert!(text(&output).contains(words), "{}", text(&output));
    }
    let config = "theme = \"dark\"\nkeymap = \"termshark\"\nmouse = false\nascii = true\nplain = true\n\
                  [columns]\nmessages = [\"no\", \"json.\\\"a b\\\":9\"]\n[keys]\nzoom = [\"z\", \"C-g\"]\n\
                  [[color_rule]]\nfilter = \"rtt > 1s\"\nstyle = \"bold red\"\n[[color_rule]]\nfilter = \"type == \\\"ping\\\"\"\nstyle = \"dim\"\n";
    assert_eq!(text(&with("browser", config, &["config", "show"])), config);
    // What is usual need not be said.
    let usual = "theme = \"auto\"\nkeymap = \"default\"\nmouse = true\nascii = false\n[columns]\n[keys]\n";
    assert_eq!(text(&with("browser", usual, &["config", "show"])), "");
}
