//! The configuration file: what options are where they are not typed, and filters by name.

use super::args;
use super::browser;
use super::choices::{self, DecodeRule};
use super::exit::{Exit, Failure};
use super::programs::{self, Process, Spec, Told};
use super::values::{Fault, Value, entries, quoted, text, unknown};
use crate::capture::words;
use crate::export::Out;
use crate::filter::{self, Filter, Named};
use crate::tui::Preferences;
use clap::{Arg, Command};
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// An option that may stand in the file, under its long name with `_` for `-`, and an example of its value.
struct Setting {
    option: &'static str,
    example: &'static str,
}

/// All of them. Each is defined where it is typed.
const SETTINGS: &[Setting] = &[
    Setting { option: "color", example: r#""never""# },
    Setting { option: "progress", example: r#""never""# },
    Setting { option: "pager", example: r#""never""# },
    Setting { option: "time", example: r#""utc""# },
    Setting { option: "payload", example: r#""hex""# },
    Setting { option: "max-payload", example: "200" },
    Setting { option: DECODE, example: r#"["tcp.port==9000,websocket"]"# },
    Setting { option: "proto", example: r#"["~/chat.proto:chat.Envelope"]"# },
    Setting { option: "proto-path", example: r#"["~/protos"]"# },
    Setting { option: "keylog", example: r#"["~/keys.txt"]"# },
    Setting { option: "rsa-key", example: r#"["~/server.pem"]"# },
    Setting { option: "overlap", example: r#""linux""# },
    Setting { option: "max-message", example: r#""100M""# },
    Setting { option: "max-inflated", example: r#""20G""# },
    Setting { option: "max-unpacked", example: r#""200G""# },
];

/// The table of filters by name.
const FILTERS: &str = "filters";

/// Options whose values are paths.
const PATHS: &[&str] = &["proto", "proto-path", "keylog", "rsa-key"];

/// The option that is a list of tables as well.
const DECODE: &str = "decode-as";

/// What these tables have.
const DECODE_KEYS: [&str; 2] = ["match", "as"];

const DECODE_EXAMPLE: &str = r#"match = 'host == "mq.example"' and as = "mqtt""#;

/// Options in whose values filters stand.
const ASKING: &[&str] = &["filter", "assert"];

impl Setting {
    fn key(&self) -> String {
        self.option.replace('-', "_")
    }
}

/// What the file says.
#[derive(Debug, Clone, Default)]
pub(super) struct Config {
    /// Values of options, and where each stands.
    values: Vec<(&'static str, Vec<(usize, String)>)>,
    named: Arc<Named>,
    browser: Preferences,
    /// Decoders that are programs.
    decoders: Vec<Spec>,
    /// The file that was read, or that would have been if it were there.
    place: Option<PathBuf>,
    /// Why it could not be read, though nobody asked for it.
    remark: Option<String>,
}

impl Config {
    /// Reads the file that `path` names, or that stands in its usual place; nothing where there is none, or where it is another
    /// user's, as that of root is with sudo.
    ///
    /// # Errors
    /// When one that is named cannot be read, or it cannot be understood.
    pub(super) fn load(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(place) = path.map(Path::to_owned).or_else(place) else { return Ok(Self::default()) };
        let none = Self { place: Some(place.clone()), ..Self::default() };
        match fs::read_to_string(&place) {
            Ok(text) => {
                let text = text.trim_start_matches('\u{feff}');
                let config = Self::read(text).map_err(|fault| fault.within(&place, text))?;
                Ok(Self { place: Some(place), ..config })
            }
            Err(error) if path.is_none() && error.kind() == io::ErrorKind::NotFound => Ok(none),
            Err(error) if path.is_none() && error.kind() != io::ErrorKind::InvalidData => {
                let why =
                    format!("{}: {}; nothing in it holds (--no-config passes over it)", place.display(), words(&error));
                Ok(Self { remark: Some(why), ..none })
            }
            Err(error) => Err(Failure::new(Exit::Input, format!("{}: {}", place.display(), words(&error)))),
        }
    }

    fn read(text: &str) -> Result<Self, Fault> {
        let table = DeTable::parse(text)
            .map_err(|error| Fault::new(error.span().map_or(0, |span| span.start), error.message()))?;
        let mut config = Self::default();
        let filters = match table.get_ref().get_key_value(FILTERS) {
            Some((key, value)) => read_filters(key.span().start, value)?,
            None => Vec::new(),
        };
        let named: Named = filters.iter().map(|(_, name, text)| (name.clone(), text.clone())).collect();
        for (key, value) in entries(table.get_ref()) {
            let at = key.span().start;
            let name = key.get_ref().as_ref();
            if let Some(setting) = SETTINGS.iter().find(|setting| setting.key() == name) {
                config.values.push((setting.option, values(setting, at, value)?));
            } else if name == programs::TABLE {
                config.decoders = programs::read(at, value, &named)?;
            } else if name != FILTERS && !browser::read(name, at, value, &named, &mut config.browser)? {
                let keys: Vec<String> = SETTINGS.iter().map(Setting::key).chain(other_names()).collect();
                return Err(unknown(key, "", keys.iter().map(String::as_str)));
            }
        }
        for (at, name, _) in filters {
            let text = format!("${name}");
            let meant = filter::expand(&text, &named).and_then(|meant| Filter::new(&meant));
            meant.map_err(|problem| Fault::new(at, format!("{text}: {problem}")))?;
        }
        config.named = Arc::new(named);
        config.check()?;
        Ok(config)
    }

    /// The filters that have names.
    pub(super) fn named(&self) -> &Named {
        &self.named
    }

    /// The decoders that are programs, none of which runs yet: where the file stands.
    pub(super) fn programs(&self, told: Told) -> Vec<Arc<Process>> {
        let directory = self.place.as_deref().and_then(Path::parent).filter(|path| !path.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
        let process = |spec: &Spec| Arc::new(Process::new(spec.clone(), directory.clone(), told));
        self.decoders.iter().map(process).collect()
    }

    /// Reads a rule of `--decode-as`, which may name these decoders.
    fn rule(&self) -> impl Fn(&str) -> Result<DecodeRule, String> + Clone + Send + Sync + 'static {
        let names: Vec<&str> = self.decoders.iter().map(|spec| spec.name).collect();
        move |text| choices::rule(text, Some(&names))
    }

    /// What it says of the browser.
    pub(super) const fn browser(&self) -> &Preferences {
        &self.browser
    }

    /// What is to be told of it; not escaped.
    pub(super) fn remark(&self) -> Option<&str> {
        self.remark.as_deref()
    }

    /// Where it stands; `None` where none is read.
    pub(super) fn place(&self) -> Option<&Path> {
        self.place.as_deref()
    }

    /// That each value is one of its option.
    fn check(&self) -> Result<(), Fault> {
        let definition = args::definition();
        for (option, values) in &self.values {
            let Some(command) = having(&definition, option) else { continue };
            let command = command.clone().mut_args(|arg| self.knowing(arg));
            for (at, value) in values {
                let words = ["wspect".to_owned(), format!("--{option}={value}")];
                if let Err(error) = command.clone().try_get_matches_from(words) {
                    return Err(Fault::new(*at, super::one_line(&error)));
                }
            }
        }
        Ok(())
    }

    /// The definition of the command line, with these values where none are typed, and filters that names stand for.
    ///
    /// `is_bare`: no command was typed. Else what is not global counts as typed before the command, where it means nothing.
    pub(super) fn apply(&self, definition: Command, is_bare: bool) -> Command {
        let here = self.set(definition, |arg| is_bare || arg.is_global_set());
        let names: Vec<String> = here.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        names
            .into_iter()
            .fold(here, |definition, name| definition.mut_subcommand(name, |command| self.set(command, |_| true)))
    }

    /// An option for rules of decoders knows those of the file.
    fn knowing(&self, arg: Arg) -> Arg {
        if arg.get_long() == Some(DECODE) { arg.value_parser(self.rule()) } else { arg }
    }

    fn set(&self, command: Command, is_meant: impl Fn(&Arg) -> bool) -> Command {
        command.mut_args(|arg| {
            let Some(long) = arg.get_long().map(ToOwned::to_owned).filter(|_| is_meant(&arg)) else { return arg };
            let long = long.as_str();
            if ASKING.contains(&long) {
                let named = Arc::clone(&self.named);
                return arg.value_parser(move |text: &str| {
                    filter::expand(text, &named).map_err(|problem| {
                        let hint = problem.hint.as_deref().unwrap_or("[filters] of the configuration names them");
                        format!("{problem}: {hint}")
                    })
                });
            }
            let arg = self.knowing(arg);
            match self.values.iter().find(|(option, _)| *option == long) {
                Some((_, values)) => {
                    let values: Vec<String> = values.iter().map(|(_, value)| value.clone()).collect();
                    arg.default_values(values).hide_default_value(true)
                }
                None => arg,
            }
        })
    }

    /// Writes it as a file of its own would be.
    pub(super) fn write(&self, out: &mut Out<'_>) {
        for (option, values) in &self.values {
            let values: Vec<String> = values.iter().map(|(_, value)| quoted(value)).collect();
            let key = option.replace('-', "_");
            match values.as_slice() {
                [value] => out.line(&format!("{key} = {value}")),
                values => out.line(&format!("{key} = [{}]", values.join(", "))),
            }
        }
        browser::write_settings(&self.browser, out);
        if !self.named.is_empty() {
            out.line(&format!("[{FILTERS}]"));
        }
        for (name, text) in &*self.named {
            out.line(&format!("{} = {}", quoted(name), quoted(text)));
        }
        browser::write_tables(&self.browser, out);
        programs::write(&self.decoders, out);
    }
}

/// The words of an option that stands at `at`.
fn values(setting: &Setting, at: usize, value: &Value<'_>) -> Result<Vec<(usize, String)>, Fault> {
    let wrong = || Fault::new(at, format!("{} is to be like {}", setting.key(), setting.example));
    let one = |value: &Value<'_>| match value.get_ref() {
        DeValue::String(text) => Ok((value.span().start, text.to_string())),
        DeValue::Integer(number) => Ok((value.span().start, number.to_string())),
        DeValue::Table(table) if setting.option == DECODE => decode_rule(at, table),
        _ => Err(wrong()),
    };
    let takes_many = setting.example.starts_with('[');
    let all: Vec<_> = match value.get_ref() {
        DeValue::Array(list) if takes_many => list.iter().map(one).collect::<Result<_, _>>()?,
        _ => vec![one(value)?],
    };
    let is_path = PATHS.contains(&setting.option);
    Ok(all.into_iter().map(|(at, word)| (at, if is_path { at_home(&word) } else { word })).collect())
}

/// What `--decode-as` would say of a table of that name, which stands behind `at`.
fn decode_rule(at: usize, table: &DeTable<'_>) -> Result<(usize, String), Fault> {
    let entries = entries(table);
    if let Some((key, _)) = entries.iter().find(|(key, _)| !DECODE_KEYS.contains(&key.get_ref().as_ref())) {
        return Err(unknown(key, " in [[decode_as]]", DECODE_KEYS.into_iter()));
    }
    let at = entries.first().map_or(at, |(key, _)| key.span().start);
    let [selector, protocol] = DECODE_KEYS.map(|key| table.get(key).and_then(text));
    // One behind a comma would be taken for the protocol.
    match selector.zip(protocol.filter(|protocol| !protocol.contains(','))) {
        Some((selector, protocol)) => Ok((at, format!("{selector},{protocol}"))),
        None => Err(Fault::new(at, format!("[[decode_as]] is to have {DECODE_EXAMPLE}"))),
    }
}

/// The filters by name, and where each stands.
fn read_filters(at: usize, value: &Value<'_>) -> Result<Vec<(usize, String, String)>, Fault> {
    let wrong = |at| Fault::new(at, format!("[{FILTERS}] has lines as errors = 'json.type == \"error\"'"));
    let DeValue::Table(table) = value.get_ref() else { return Err(wrong(at)) };
    let filters = entries(table).into_iter().map(|(name, value)| {
        let at = name.span().start;
        Ok((at, name.get_ref().to_string(), text(value).ok_or_else(|| wrong(at))?))
    });
    filters.collect()
}

/// What stands in the file besides options.
fn other_names() -> impl Iterator<Item = String> {
    [FILTERS, programs::TABLE].into_iter().chain(browser::names()).map(str::to_owned)
}

/// `~/keys.txt` with the home directory.
fn at_home(path: &str) -> String {
    let home = || env::var(if cfg!(windows) { "USERPROFILE" } else { "HOME" }).ok();
    match path.strip_prefix("~/").zip(home()) {
        Some((rest, home)) => format!("{home}/{rest}"),
        None => path.to_owned(),
    }
}

/// Where the file is, if it is: `wspect/config.toml` below `$XDG_CONFIG_HOME`, else `~/.config` (XDG Base Directory Specification).
pub(super) fn place() -> Option<PathBuf> {
    let variable = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let usual = || match cfg!(windows) {
        true => variable("APPDATA"),
        false => variable("HOME").map(|home| home.join(".config")),
    };
    variable("XDG_CONFIG_HOME").or_else(usual).map(|base| base.join("wspect").join("config.toml"))
}

/// The first command that has an option.
fn having<'a>(definition: &'a Command, option: &str) -> Option<&'a Command> {
    let has = |command: &&Command| command.get_arguments().any(|arg| arg.get_long() == Some(option));
    [definition].into_iter().chain(definition.get_subcommands()).find(has)
}

/// A file in which every setting stands as a comment, with what it does.
pub(super) fn template() -> String {
    let definition = args::definition();
    let mut text = String::from(
        "# What wspect's options are where they are not typed, under their long names.\n\
         # wspect --help explains them; `wspect config show` tells what holds.\n",
    );
    for setting in SETTINGS {
        let arg = having(&definition, setting.option)
            .and_then(|command| command.get_arguments().find(|arg| arg.get_long() == Some(setting.option)));
        let help = arg.and_then(Arg::get_help).map(ToString::to_string).unwrap_or_default();
        let tables = if setting.option == DECODE {
            format!("# or tables, which stand below: [[{}]] with {DECODE_EXAMPLE}\n", setting.key())
        } else {
            String::new()
        };
        text += &format!("\n# {help}\n{tables}#{} = {}\n", setting.key(), setting.example);
    }
    text += &browser::settings_template();
    text += &format!(
        "\n# Filters by name: wspect msgs -Y '$errors && conn == 3' (docs/FILTERS.md)\n\
         #[{FILTERS}]\n#errors = 'json.type == \"error\"'\n#slow = 'rtt > 200ms'\n"
    );
    text + &browser::tables_template() + &programs::template()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        Config::read(text).unwrap_err().line(text)
    }

    #[test]
    fn every_setting_is_an_option_and_its_example_holds() {
        let definition = args::definition();
        for setting in SETTINGS {
            assert!(having(&definition, setting.option).is_some(), "{}", setting.option);
            Config::read(&format!("{} = {}", setting.key(), setting.example)).unwrap();
        }
    }

    #[test]
    fn the_template_is_a_file_with_every_setting() {
        assert!(Config::read(&template()).unwrap().values.is_empty());
        let keys = Config::read("keylog = [\"/no/such\", \"/none\"]").unwrap();
        assert_eq!(keys.values, [("keylog", vec![(10, "/no/such".to_owned()), (22, "/none".to_owned())])]);
        let set: String = template()
            .lines()
            .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
            .map(|line| format!("{line}\n"))
            .collect();
        let config = Config::read(&set).unwrap();
        assert_eq!((config.values.len(), config.named.len()), (SETTINGS.len(), 2));
        assert_ne!(config.browser, Preferences::default());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        assert_eq!(fault("color = \"never\"\ncolour = \"never\""), "2: no setting colour: did you mean color?");
        assert!(fault("\ntime = \"soon\"").starts_with("2: invalid value 'soon' for '--time <MODE>'"));
        assert_eq!(fault("time = true"), "1: time is to be like \"utc\"");
        assert!(fault("[filters]\nerrors = 3").starts_with("2: [filters] has lines as"));
        assert!(fault("[filters]\nall = 'conn'\nslow = 'rt > 1s'\n").starts_with("3: $slow: unknown field `rt`"));
        assert!(fault("keylog = [\n  \"a\",\n  true,\n]").starts_with("1: keylog is to be like"));
        assert!(fault("decode_as = [\n  \"tcp.port==1,none\",\n  \"x\",\n]").starts_with("3: invalid value 'x'"));
        let rule = |lines: &str| {
            fault(&format!("time = \"utc\"\n[[decode_as]]\nmatch = 'conn == 1'\nas = \"json\"\n[[decode_as]]\n{lines}"))
        };
        assert_eq!(rule("match = 'conn == 2'\nass = \"mqtt\""), "7: no setting ass in [[decode_as]]: did you mean as?");
        for wrong in
            ["as = \"mqtt\"", "match = 'conn == 2'", "match = 3\nas = \"mqtt\"", "match = 'conn == 2'\nas = \"x,mqtt\""]
        {
            assert_eq!(rule(wrong), format!("6: [[decode_as]] is to have {DECODE_EXAMPLE}"));
        }
        assert!(rule("match = 'conn == 2'\nas = \"mqt\"").contains("did you mean mqtt?"));
        assert!(rule("match = 'cnn == 2'\nas = \"mqtt\"").starts_with("6: invalid value 'cnn == 2,mqtt'"));
        let decoder = |lines: &str| fault(&format!("[[decoder]]\nname = \"acme\"\nrun = [\"x\"]\n{lines}"));
        for (lines, why) in [
            ("timeout_m = 3", "4: no setting timeout_m in [[decoder]]: did you mean timeout_ms?"),
            ("timeout_ms = 0", "4: timeout_ms of [[decoder]]: milliseconds from 1 to 600000 are wanted"),
            ("match = 'len > 3'", "4: match of [[decoder]]: "),
            ("match = '$no'", "4: match of [[decoder]]: "),
            ("[[decoder]]\nname = \"acme\"\nrun = [\"y\"]", "5: there are two decoders acme"),
            ("[[decoder]]\nname = \"mqtt\"\nrun = [\"y\"]", "5: name of [[decoder]]: there is a mqtt already"),
            ("[[decoder]]\nname = \"A b\"\nrun = [\"y\"]", "5: name of [[decoder]]: up to 32 small letters"),
            ("[[decoder]]\nname = \"b\"\nrun = \"y\"", "5: [[decoder]] is to have "),
            ("[[decoder]]\nname = \"b\"\nrun = []", "6: run of [[decoder]]: a program"),
        ] {
            assert!(decoder(lines).starts_with(why), "{lines}: {}", decoder(lines));
        }
        assert!(fault("decoder = 3").starts_with("1: [[decoder]] is to have "));
        // Of several the first is told.
        assert!(fault("zzz = 1\naaa = 1").starts_with("1: no setting zzz: one of color "));
        assert!(fault("color = ").starts_with("1: "));
    }
}
