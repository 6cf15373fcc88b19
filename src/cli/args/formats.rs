//! The formats of `export`, in one table: the parser, the help and what each option is for come from it.

use crate::model::nearest;
use std::fmt::Write as _;

/// A format of `export`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Format {
    Jsonl,
    Json,
    Csv,
    Tsv,
    Text,
    Markdown,
    Html,
    Har,
    Raw,
    Script,
    Sqlite,
    Parquet,
    Pcapng,
}

/// An option that not every format takes, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Takes {
    Records,
    Limit,
    Time,
    Payload,
    HarControl,
    NoRedact,
    Conn,
    Secrets,
    Decrypted,
    Columns,
    Language,
}

impl Takes {
    const fn name(self) -> &'static str {
        match self {
            Self::Records => "--records",
            Self::Limit => "--limit",
            Self::Time => "--time",
            Self::Payload => "--payload, --max-payload and --decoded",
            Self::HarControl => "--har-control",
            Self::NoRedact => "--no-redact",
            Self::Conn => "--conn",
            Self::Secrets => "--secrets",
            Self::Decrypted => "--decrypted",
            Self::Columns => "-e, -E and --safe-csv",
            Self::Language => "--language",
        }
    }
}

/// One row of [`FORMATS`].
pub(in crate::cli) struct FormatRow {
    format: Format,
    name: &'static str,
    help: &'static str,
    takes: &'static [Takes],
}

/// Every format, in the order of the help.
static FORMATS: &[FormatRow] = &[
    FormatRow {
        format: Format::Jsonl,
        name: "jsonl",
        help: "JSON Lines: one record a line (docs/RECORDS.md)",
        takes: &[Takes::Records, Takes::Limit, Takes::Payload],
    },
    FormatRow {
        format: Format::Json,
        name: "json",
        help: "the same as one array",
        takes: &[Takes::Records, Takes::Limit, Takes::Payload],
    },
    FormatRow {
        format: Format::Csv,
        name: "csv",
        help: "columns between commas (-e), for spreadsheets (RFC 4180)",
        takes: &[Takes::Records, Takes::Limit, Takes::Columns],
    },
    FormatRow {
        format: Format::Tsv,
        name: "tsv",
        help: "columns between tabs (-e)",
        takes: &[Takes::Records, Takes::Limit, Takes::Columns],
    },
    FormatRow {
        format: Format::Text,
        name: "text",
        help: "a transcript: connections, messages, findings",
        takes: &[Takes::Limit, Takes::Time, Takes::Payload],
    },
    FormatRow {
        format: Format::Markdown,
        name: "markdown",
        help: "the same, for tickets and wikis",
        takes: &[Takes::Limit, Takes::Time, Takes::Payload],
    },
    FormatRow {
        format: Format::Html,
        name: "html",
        help: "one page for browsers: connections, findings, throughput, transcript",
        takes: &[Takes::Limit, Takes::Time, Takes::Payload, Takes::NoRedact],
    },
    FormatRow {
        format: Format::Har,
        name: "har",
        help: "HTTP Archive 1.2, for developer tools: connections with their messages",
        takes: &[Takes::Limit, Takes::HarControl, Takes::NoRedact],
    },
    FormatRow {
        format: Format::Raw,
        name: "raw",
        help: "a directory (-o DIR): each message a file, and index.jsonl with their records",
        takes: &[Takes::Limit],
    },
    FormatRow {
        format: Format::Script,
        name: "script",
        help: "a program that says again what clients or servers said (--language)",
        takes: &[Takes::Conn, Takes::Secrets, Takes::Language],
    },
    FormatRow {
        format: Format::Sqlite,
        name: "sqlite",
        help: "a database (-o FILE): connections, handshakes, messages, frames, findings",
        takes: &[Takes::Conn],
    },
    FormatRow {
        format: Format::Parquet,
        name: "parquet",
        help: "a data set (-o DIR): connections and messages; where it is built in",
        takes: &[Takes::Conn],
    },
    FormatRow {
        format: Format::Pcapng,
        name: "pcapng",
        help: "the packets of the connections, as they were captured or without TLS",
        takes: &[Takes::Conn, Takes::Secrets, Takes::Decrypted],
    },
];

impl Format {
    /// The feature of the build that it needs and that is not there.
    pub(in crate::cli) const fn lacks(self) -> Option<&'static str> {
        match self {
            Self::Sqlite if !cfg!(feature = "sqlite") => Some("sqlite"),
            Self::Parquet if !cfg!(feature = "parquet") => Some("parquet"),
            _ => None,
        }
    }

    /// The options among those used that the format does not take, in a sentence.
    pub(in crate::cli) fn refuses(self, used: &[Takes]) -> Option<String> {
        let row = FORMATS.iter().find(|row| row.format == self)?;
        let option = used.iter().find(|option| !row.takes.contains(option))?;
        let others: Vec<&str> = FORMATS.iter().filter(|row| row.takes.contains(option)).map(|row| row.name).collect();
        Some(format!("export {} takes no {}: only {}", row.name, option.name(), others.join(", ")))
    }
}

/// A format by its name.
pub(super) fn format(word: &str) -> Result<Format, String> {
    if let Some(row) = FORMATS.iter().find(|row| row.name == word) {
        return Ok(row.format);
    }
    let names = FORMATS.iter().map(|row| row.name);
    Err(match nearest(word, names.clone()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("one of {}", names.collect::<Vec<_>>().join(" ")),
    })
}

/// The names of those that this build can write.
pub(in crate::cli) fn formats() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().filter(|row| row.format.lacks().is_none()).map(|row| row.name)
}

/// The same, to be proposed.
pub(super) fn all() -> Vec<&'static str> {
    formats().collect()
}

/// The same in a sentence.
pub(super) fn names() -> String {
    format!("What is written: {}", all().join(", "))
}

/// The formats with what each is, and what else stands below the options of `export`.
pub(super) fn with_formats(rest: &str) -> String {
    let mut text = String::from("Formats:\n");
    for row in FORMATS {
        let _ = writeln!(text, "  {:<8}  {}", row.name, row.help);
    }
    text + "\n" + rest
}
