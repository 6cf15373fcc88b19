//! Completions and manual pages: made from the one definition, so that they have all that help has.

use super::*;

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "powershell", "elvish"];

snapshots! {
    help_completions "completions --help"
    help_man "man --help"
}

/// The commands, as help lists them.
fn commands() -> Vec<String> {
    let help = stdout("-h");
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names: Vec<String> = list.lines().map(|line| line.split_whitespace().next().unwrap().to_owned()).collect();
    assert!(names.len() > 10 && names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase())), "{names:?}");
    names
}

/// The options that a help text has, short and long.
fn options(help: &str) -> Vec<String> {
    let lines = help.lines().filter(|line| line.trim_start().starts_with('-'));
    let words = lines.flat_map(|line| line.split([' ', ',']).take_while(|word| !word.starts_with('<')));
    let options = words.map(|word| word.trim_end_matches("...").to_owned());
    options.filter(|word| word.len() > 1 && word.starts_with('-')).collect()
}

#[test]
fn completions_know_all_commands_and_options() {
    let (commands, options) = (commands(), options(&stdout("check --help")));
    assert!(options.iter().any(|option| option == "--ignore") && options.iter().any(|option| option == "-n"));
    for shell in SHELLS {
        let script = stdout(&format!("completions {shell}"));
        for word in commands.iter().chain(&options) {
            // fish and PowerShell write options without their hyphens, or in quotes.
            assert!(script.contains(word.trim_start_matches('-')), "{shell}: {word}");
        }
    }
}

#[test]
fn a_shell_that_is_not_known_is_told_those_that_are() {
    assert!(transcript("completions csh").ends_with("[2]\n"));
    assert!(transcript("completions csh").contains("bash"));
}

/// Whether a program is there to test with.
fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

#[test]
fn shells_can_read_their_scripts() {
    for (shell, check) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        if !is_there(shell) {
            eprintln!("skipped: there is no {shell}");
            continue;
        }
        let script = tempfile::NamedTempFile::new().unwrap();
        fs::write(&script, stdout(&format!("completions {shell}"))).unwrap();
        let output = Command::new(shell).arg(check).arg(script.path()).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {output:?}");
    }
}

/// What bash proposes for a line that is typed so far.
fn proposed(line: &str) -> Vec<String> {
    let script = tempfile::NamedTempFile::new().unwrap();
    fs::write(&script, stdout("completions bash")).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    let (last, before) = (words[words.len() - 1], words[words.len() - 2]);
    let ask = format!(
        "source {}; COMP_WORDS=({line}); COMP_CWORD={}; _wspect wspect '{last}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.path().display(),
        words.len() - 1
    );
    let output = Command::new("bash").args(["--norc", "-c", &ask]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes() {
    if !is_there("bash") {
        return eprintln!("skipped: there is no bash");
    }
    assert_eq!(proposed("wspect hand"), ["handshake"]);
    assert_eq!(proposed("wspect check --fail"), ["--fail-on"]);
    assert_eq!(proposed("wspect msgs --payload he"), ["hex"]);
    assert_eq!(proposed("wspect completions po"), ["powershell"]);
    // Words that are looked up later are proposed as well.
    assert_eq!(proposed("wspect explain TCP-G"), ["TCP-GAP"]);
    assert_eq!(proposed("wspect check --ignore ORI"), ["ORIGIN"]);
    assert_eq!(proposed("wspect check --fail-on w"), ["warning"]);
    assert_eq!(proposed("wspect schema fr"), ["frame"]);
}

fn pages() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let output = wspect(["man"]).arg(dir.path().join("deep/man1")).output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    dir
}

#[test]
fn there_is_a_page_for_each_command_with_all_its_options() {
    let dir = pages();
    let mut names: Vec<String> = commands().iter().map(|name| format!("wspect-{name}.1")).collect();
    names.push(String::from("wspect.1"));
    names.sort();
    let found = fs::read_dir(dir.path().join("deep/man1")).unwrap();
    let mut found: Vec<String> = found.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    found.sort();
    assert_eq!(found, names);
    for name in names {
        let page = fs::read_to_string(dir.path().join("deep/man1").join(&name)).unwrap();
        let command = name.trim_end_matches(".1").trim_start_matches("wspect").trim_start_matches('-');
        let help = stdout(format!("{command} --help").trim_start());
        for option in options(&help) {
            let bold = format!("\\fB{}\\fR", option.replace('-', "\\-"));
            assert!(page.contains(&bold), "{name}: {option}");
        }
        // Every option says what it is for, and only the macros that are meant stand there.
        assert!(!page.contains("\n.TP\n.TP") && !page.contains("\\fR\n.TP"), "{name}: an option without words");
        let macros = page.lines().filter(|line| line.starts_with('.')).map(|line| line.split(' ').next().unwrap());
        for one in macros {
            assert!([".TH", ".SH", ".TP", ".PP", ".nf", ".fi", ".br", ".ie", ".el"].contains(&one), "{name}: {one}");
        }
        assert!(page.contains(".SH EXAMPLES") && !page.contains("EXTRA"), "{name}");
    }
}

#[test]
fn a_page() {
    let dir = pages();
    insta::assert_snapshot!(fs::read_to_string(dir.path().join("deep/man1/wspect-explain.1")).unwrap());
}

/// Nothing is replaced unasked, and then nothing is written at all.
#[test]
fn pages_are_written_all_or_none() {
    let dir = pages();
    let man = dir.path().join("deep/man1");
    fs::remove_file(man.join("wspect.1")).unwrap();
    fs::write(man.join("wspect-show.1"), "mine").unwrap();
    let second = wspect(["man"]).arg(&man).output().unwrap();
    assert_eq!(second.status.code(), Some(5));
    assert!(String::from_utf8(second.stderr).unwrap().contains("exists: --force replaces it"));
    assert!(!man.join("wspect.1").exists());
    assert_eq!(fs::read_to_string(man.join("wspect-show.1")).unwrap(), "mine");
    assert!(wspect(["man", "--force"]).arg(&man).status().unwrap().success());
    assert_ne!(fs::read_to_string(man.join("wspect-show.1")).unwrap(), "mine");
    assert!(man.join("wspect.1").exists());
    assert_eq!(wspect(["man", "Cargo.toml"]).status().unwrap().code(), Some(5));
}

/// groff has nothing to say against the pages.
#[test]
fn pages_are_typeset_without_a_warning() {
    if !is_there("groff") {
        return eprintln!("skipped: there is no groff");
    }
    let dir = pages();
    for page in fs::read_dir(dir.path().join("deep/man1")).unwrap() {
        let path = page.unwrap().path();
        let output = Command::new("groff").args(["-man", "-Tutf8", "-Kutf8", "-ww", "-z"]).arg(&path).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{}: {output:?}", path.display());
    }
}
