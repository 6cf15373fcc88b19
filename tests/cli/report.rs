//! `check` for continuous integration: `-T junit`, `-T sarif`, `--ignore`.

use super::*;
use serde_json::Value;
use std::collections::BTreeMap;
use wspect::model::NOTES;

/// An element of XML.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    children: Vec<Element>,
    text: String,
}

impl Element {
    fn number(&self, name: &str) -> usize {
        self.attributes[name].parse().unwrap()
    }

    fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// A document of XML 1.0 without comments, CDATA and DTD; anything that is not well-formed fails.
fn xml(text: &str) -> Element {
    let is_char =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(text.chars().all(is_char), "a character that XML forbids");
    let mut rest = text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap();
    let mut open = vec![Element::default()];
    while let Some((before, behind)) = rest.split_once('<') {
        open.last_mut().unwrap().text += &unescaped(before);
        let (tag, behind) = behind.split_once('>').unwrap();
        rest = behind;
        if let Some(name) = tag.strip_prefix('/') {
            let closed = open.pop().unwrap();
            assert_eq!(closed.name, name);
            open.last_mut().unwrap().children.push(closed);
            continue;
        }
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut element = Element { name: name.to_owned(), ..Element::default() };
        while let Some((name, value)) = attributes.split_once("=\"") {
            let (value, more) = value.split_once('"').unwrap();
            let before = element.attributes.insert(name.trim().to_owned(), unescaped(value));
            assert!(before.is_none(), "{name} twice");
            attributes = more;
        }
        assert_eq!(attributes.trim(), "");
        if is_empty { open.last_mut().unwrap().children.push(element) } else { open.push(element) }
    }
    assert_eq!((rest.trim(), open.len()), ("", 1));
    let mut document = open.pop().unwrap();
    assert_eq!(document.children.len(), 1);
    document.children.remove(0)
}

fn unescaped(text: &str) -> String {
    assert!(!text.contains('>'), "{text}");
    let known = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\"")];
    let text = known.into_iter().fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c));
    assert_eq!(text.matches('&').count(), text.matches("&amp;").count(), "{text}");
    text.replace("&amp;", "&")
}

/// How often each code is found.
fn found(capture: &str) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for line in stdout(&format!("check --json -q {capture}")).lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        *found.entry(record["code"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    assert!(found.len() > 2, "{capture}");
    found
}

#[test]
fn junit_has_a_case_for_each_code() {
    for (options, fails_from) in [("", "error"), ("--fail-on note", "note"), ("--fail-on warning", "warning")] {
        let capture = "samples/handshakes.pcapng";
        let output = run(&format!("check -T junit -q {options} {capture}"));
        assert_eq!(output.status.code(), Some(i32::from(!options.is_empty())));
        let report = xml(str::from_utf8(&output.stdout).unwrap());
        assert_eq!(report.name, "testsuites");
        let found = found(capture);
        let ranks = ["note", "warning", "error"];
        let rank = |name: &str| ranks.iter().position(|one| *one == name).unwrap();
        let (mut names, mut failures) = (Vec::new(), 0);
        for suite in &report.children {
            assert_eq!((suite.name.as_str(), suite.number("tests")), ("testsuite", suite.children.len()));
            let failed = suite.children.iter().filter(|case| case.child("failure").is_some()).count();
            assert_eq!((suite.number("failures"), suite.number("errors"), suite.number("skipped")), (failed, 0, 0));
            failures += failed;
            for case in &suite.children {
                let name = &case.attributes["name"];
                let row = NOTES.iter().find(|row| row.name == name).unwrap();
                assert!(case.attributes["classname"].starts_with("wspect."));
                let story = case.child("failure").or(case.child("system-out"));
                assert_eq!(story.is_some(), found.contains_key(name), "{name}");
                assert_eq!(
                    case.child("failure").is_some(),
                    found.contains_key(name) && rank(row.severity.name()) >= rank(fails_from),
                    "{name}"
                );
                if let Some(story) = story {
                    let lines = story.text.lines().filter(|line| line.contains("  frame ")).count() as u64;
                    assert_eq!(lines, found[name], "{name}");
                    assert!(story.text.contains(row.next), "{name}");
                }
                names.push(name.clone());
            }
        }
        assert_eq!(names, NOTES.iter().map(|row| row.name).collect::<Vec<_>>());
        assert_eq!((report.number("tests"), report.number("failures")), (names.len(), failures));
    }
}

#[test]
fn junit_skips_what_is_ignored_and_counts_what_it_does_not_list() {
    let ignoring = xml(&stdout("check -T junit -q --ignore ORIGIN samples/lossy.pcap"));
    let case = |report: &Element, name: &str| {
        let cases = report.children.iter().flat_map(|suite| &suite.children);
        let case = cases.into_iter().find(|case| case.attributes["name"] == name).unwrap();
        case.children.iter().map(|child| (child.name.clone(), child.text.clone())).collect::<Vec<_>>()
    };
    assert_eq!(case(&ignoring, "ORIGIN"), [(String::from("skipped"), String::new())]);
    assert_eq!(ignoring.number("skipped"), 1);
    assert_eq!(case(&ignoring, "TCP-GAP")[0].0, "system-out");
    // More than a hundred of one kind.
    let big = tempfile::NamedTempFile::new().unwrap();
    fs::write(&big, fs::read(sample("handshakes.pcapng")).unwrap().repeat(10)).unwrap();
    let output = wspect(["check", "-T", "junit", "-q"]).arg(big.path()).output().unwrap();
    let big = xml(str::from_utf8(&output.stdout).unwrap());
    let cases = big.children.iter().flat_map(|suite| &suite.children).flat_map(|case| &case.children);
    assert!(cases.into_iter().any(|story| story.text.contains("\nand ") && story.text.contains(" more\n")));
    assert_eq!(run("check -T junit -n 3 samples/lossy.pcap").status.code(), Some(2));
}

/// What SARIF 2.1.0 demands of what is there (§3.13 to §3.33), and what we promise beside.
fn sarif(line: &str) -> (Vec<Value>, Value) {
    let output = run(line);
    check_sarif(&output.stdout)
}

fn check_sarif(bytes: &[u8]) -> (Vec<Value>, Value) {
    let log: Value = serde_json::from_slice(bytes).unwrap();
    let only = |value: &Value, known: &[&str]| {
        for name in value.as_object().unwrap().keys() {
            assert!(known.contains(&name.as_str()), "{name}");
        }
    };
    only(&log, &["$schema", "version", "runs"]);
    assert_eq!(log["version"], "2.1.0");
    let [run] = log["runs"].as_array().unwrap().as_slice() else { panic!("one run") };
    only(run, &["tool", "columnKind", "results"]);
    assert_eq!(run["columnKind"], "utf16CodeUnits");
    let driver = &run["tool"]["driver"];
    only(driver, &["name", "semanticVersion", "rules"]);
    assert_eq!((&driver["name"], &driver["semanticVersion"]), (&"wspect".into(), &env!("CARGO_PKG_VERSION").into()));
    let rules = driver["rules"].as_array().unwrap();
    assert_eq!(rules.len(), NOTES.len());
    for (rule, row) in rules.iter().zip(NOTES) {
        only(rule, &["id", "shortDescription", "help", "defaultConfiguration", "properties"]);
        assert_eq!((rule["id"].as_str(), rule["shortDescription"]["text"].as_str()), (Some(row.name), Some(row.text)));
        assert!(rule["help"]["text"].as_str().unwrap().contains(row.next), "{}", row.name);
        assert_eq!(rule["defaultConfiguration"]["level"], row.severity.name());
    }
    for result in run["results"].as_array().unwrap() {
        only(result, &["ruleId", "ruleIndex", "level", "message", "locations", "properties"]);
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(result["ruleId"], rule["id"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let [location] = result["locations"].as_array().unwrap().as_slice() else { panic!("one location") };
        let uri = location["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|} ".contains(&byte)), "{uri}");
        let [logical] = location["logicalLocations"].as_array().unwrap().as_slice() else { panic!("one place") };
        assert!(logical["fullyQualifiedName"].as_str().unwrap().starts_with(logical["name"].as_str().unwrap()));
    }
    (run["results"].as_array().unwrap().clone(), log)
}

#[test]
fn sarif_has_all_codes_as_rules_and_all_findings_as_results() {
    let (results, _) = sarif("check -T sarif -q samples/lossy.pcap");
    let records: Vec<Value> =
        stdout("check --json -q samples/lossy.pcap").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(results.len(), records.len());
    for (result, record) in results.iter().zip(&records) {
        assert_eq!((&result["ruleId"], &result["level"]), (&record["code"], &record["severity"]));
        for name in ["packet", "conn", "tcp_stream", "msg", "frame", "file_packet"] {
            assert_eq!(result["properties"][name], record[name], "{name}");
        }
        assert!(result["message"]["text"].as_str().unwrap().starts_with(record["text"].as_str().unwrap()));
        let location = &result["locations"][0];
        assert_eq!(location["physicalLocation"]["artifactLocation"]["uri"], "samples/lossy.pcap");
        assert_eq!(location["logicalLocations"][0]["kind"], "connection");
        assert_eq!(location["logicalLocations"][0]["name"], format!("conn {}", record["conn"]));
    }
    assert_eq!(run("check -T sarif -q --fail-on warning samples/lossy.pcap").status.code(), Some(1));
    assert_eq!(sarif("check -T sarif -q -n 2 samples/lossy.pcap").0, results[..2]);
    assert_eq!(sarif("check -T sarif -q -n 0 samples/lossy.pcap").0, [Value::Null; 0]);
    let ignoring = sarif("check -T sarif -q --ignore ORIGIN samples/lossy.pcap").0;
    assert_eq!(ignoring.len(), records.iter().filter(|record| record["code"] != "ORIGIN").count());
}

/// Of several captures each finding names the one that its packet stands in.
#[test]
fn sarif_names_the_file_of_each_packet() {
    let (results, _) = sarif("check -T sarif -q samples/lossy.pcap samples/handshakes.pcapng");
    let mut uris: Vec<&str> = results
        .iter()
        .map(|result| {
            let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
            let (file, _) = result["properties"]["file_packet"].as_str().unwrap().split_once(':').unwrap();
            assert_eq!(uri, format!("samples/{file}"));
            uri
        })
        .collect();
    uris.dedup();
    uris.sort_unstable();
    uris.dedup();
    assert_eq!(uris, ["samples/handshakes.pcapng", "samples/lossy.pcap"]);
}

/// What a capture and its name say cannot break out of either form.
#[test]
fn hostile_text_is_text() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a<b>&\"\x1b[31m\u{202e}.pcap");
    let mut capture = fs::read(sample("lossy.pcap")).unwrap();
    let origin = b"Origin: http://lab.test";
    let hostile = b"Origin: xx]]>\x01<&\">\x1b[0m\xff";
    let places: Vec<usize> =
        (0..capture.len() - origin.len()).filter(|&at| capture[at..].starts_with(origin)).collect();
    assert_eq!((origin.len(), places.len()), (hostile.len(), 4));
    places.into_iter().for_each(|at| capture[at..at + hostile.len()].copy_from_slice(hostile));
    fs::write(&path, &capture).unwrap();
    let report = |format: &str| {
        let output = wspect(["check", "-q", "-T", format]).arg(&path).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(!output.stdout.contains(&0x1b) && !output.stdout.contains(&1), "{format}");
        output.stdout
    };
    let junit = xml(str::from_utf8(&report("junit")).unwrap());
    assert!(junit.attributes["name"].contains("a<b>&\"\\x1b[31m⟨U+202E⟩.pcap"), "{:?}", junit.attributes);
    let stories = junit.children.iter().flat_map(|suite| &suite.children).flat_map(|case| &case.children);
    assert!(stories.into_iter().any(|story| story.text.contains("x]]>\\x01<&\">\\x1b[0m")));
    let (results, _) = check_sarif(&report("sarif"));
    assert!(results.iter().any(|result| result["message"]["text"].as_str().unwrap().contains("x]]>\\x01<&\">")));
    let uri = results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
    assert!(uri.starts_with("file:///") && uri.ends_with("/a%3Cb%3E%26%22%1B%5B31m%E2%80%AE.pcap"), "{uri}");
}

/// What is asserted is a case of its own in JUnit, and what does not hold a result of its own in SARIF.
#[test]
fn assertions_are_reported() {
    let asserted = ["--assert", "count(connections) == 6", "--assert", "every connection closed 1000"];
    let counted = ["check", "-q", "--assert", "count(messages) == 2", "--assert", "max(len) < 10"];
    let counted = wspect(counted).arg(sample("mix.pcap")).output().unwrap();
    let counted = String::from_utf8(counted.stdout).unwrap();
    assert!(counted.contains("FAIL  count(messages) == 2: counted 104 (conn 1 "), "{counted}");
    assert!(counted.contains("FAIL  max(len) < 10: it is 9000 over 104 values"), "{counted}");
    let report = |format: &str| {
        let output = wspect(["check", "-q", "-T", format]).args(asserted).arg(sample("chat.pcapng")).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        output.stdout
    };
    let junit = xml(str::from_utf8(&report("junit")).unwrap());
    let suite = &junit.children[0];
    assert_eq!(
        (suite.attributes["name"].as_str(), suite.number("tests"), suite.number("failures")),
        ("Assertions", 2, 1)
    );
    let [holds, fails] = suite.children.as_slice() else { panic!("two cases") };
    assert_eq!((holds.attributes["name"].as_str(), holds.children.len()), (asserted[1], 0));
    let failure = fails.child("failure").unwrap();
    assert!(
        failure.attributes["message"].starts_with("5 of 6 ") && failure.text.contains("conn 2  frame "),
        "{failure:?}"
    );
    assert_eq!(junit.number("tests"), NOTES.len() + 2);
    let log: Value = serde_json::from_slice(&report("sarif")).unwrap();
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let of_assertions: Vec<&Value> = results.iter().filter(|result| result["ruleId"] == "ASSERTION").collect();
    let [result] = of_assertions.as_slice() else { panic!("{of_assertions:?}") };
    assert_eq!(rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]["id"], "ASSERTION");
    assert_eq!((rules.len(), &result["level"]), (NOTES.len() + 1, &Value::from("error")));
    assert!(
        result["message"]["text"].as_str().unwrap().starts_with("every connection closed 1000: 5 of 6"),
        "{result}"
    );
    let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert!(uri.as_str().unwrap().ends_with("/samples/chat.pcapng"), "{result}");
}

#[test]
fn the_other_formats_are_as_they_were() {
    assert_eq!(stdout("check -T text samples/lossy.pcap"), stdout("check samples/lossy.pcap"));
    assert_eq!(stdout("check -T jsonl samples/lossy.pcap"), stdout("check --json samples/lossy.pcap"));
    assert_eq!(run("check -T xml samples/lossy.pcap").status.code(), Some(2));
    assert_eq!(run("check -T sarif --json samples/lossy.pcap").status.code(), Some(2));
}

/// What is ignored is not there for `--fail-on`, in rows, in records and on stderr; the input is as cut as before.
#[test]
fn ignored_findings_do_not_count() {
    let code = |line| run(line).status.code();
    assert_eq!(code("check --fail-on warning --ignore TCP-GAP samples/lossy.pcap"), Some(0));
    assert_eq!(code("check --fail-on warning --ignore ORIGIN --ignore CLOSE-CLIENT-FIRST samples/lossy.pcap"), Some(1));
    assert_eq!(
        code("check --fail-on note --ignore ORIGIN,CLOSE-CLIENT-FIRST --ignore TCP-GAP samples/lossy.pcap"),
        Some(0)
    );
    assert_eq!(code("check --strict --ignore TCP-GAP samples/lossy.pcap"), Some(4));
    let all = stdout("check --json samples/lossy.pcap");
    let some: String =
        all.lines().filter(|line| !line.contains(r#""code":"ORIGIN""#)).map(|line| format!("{line}\n")).collect();
    assert!(all.len() > some.len());
    assert_eq!(stdout("check --json --ignore ORIGIN samples/lossy.pcap"), some);
    let said = |line| String::from_utf8(run(line).stderr).unwrap();
    assert!(said("check -vv samples/lossy.pcap").contains("bytes never captured"));
    assert!(!said("check -vv --ignore TCP-GAP samples/lossy.pcap").contains("bytes never captured"));
    // Also where there is no connection to sum up.
    let cut = tempfile::NamedTempFile::new().unwrap();
    fs::write(&cut, &fs::read(sample("mix.pcap")).unwrap()[..24 + 16 + 70]).unwrap();
    let output = wspect(["check", "--ignore", "FILE-CUT"]).arg(cut.path()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.stdout.is_empty() && stderr.ends_with("\n1 finding ignored\n"), "{stderr}");
}
