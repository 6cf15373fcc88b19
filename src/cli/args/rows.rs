//! Which rows are written, and which columns of them.

use crate::cli::choices::{self, Proposed};
use clap::ValueEnum;

/// Which rows.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct Filter {
    /// Rows that pass a filter as in Wireshark: 'type == text && len > 100'
    ///
    /// 'json.type == "error" || close_code != 1000', 'payload contains "token"', 'host == chat.example'. `wspect fields` lists the fields, docs/FILTERS.md has the whole language. Given several times, all must pass.
    #[arg(short = 'Y', long = "filter", value_name = "EXPR", allow_hyphen_values = true)]
    pub filter: Vec<String>,
    /// Only connections with this host, or address: short for host == HOST, ip.addr == ADDRESS
    #[arg(long, value_name = "HOST", hide_short_help = true)]
    pub host: Option<String>,
    /// Only connections with this TCP port at either end: 8080, or 8080,9000-9010
    #[arg(long, value_name = "PORT", hide_short_help = true)]
    pub port: Option<String>,
    /// Only rows from this time on: 2023-11-14T22:13:20Z, or without the zone in local time
    #[arg(long, value_name = "TIME", hide_short_help = true)]
    pub from: Option<String>,
    /// Only rows up to this time
    #[arg(long, value_name = "TIME", hide_short_help = true)]
    pub to: Option<String>,
}

impl Filter {
    /// Whether anything of it was typed.
    pub(in crate::cli) const fn is_used(&self) -> bool {
        let Self { filter, host, port, from, to } = self;
        !filter.is_empty() || host.is_some() || port.is_some() || from.is_some() || to.is_some()
    }
}

impl Columns {
    /// Whether anything of it was typed.
    pub(in crate::cli) const fn is_used(&self) -> bool {
        self.format.is_some() || self.cells.is_used()
    }
}

impl Cells {
    /// Whether anything of it was typed.
    pub(in crate::cli) const fn is_used(&self) -> bool {
        let Self { field, style, safe_csv } = self;
        !field.is_empty() || !style.is_empty() || *safe_csv
    }
}

/// In which form, and which columns.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct Columns {
    /// text, jsonl (as --json), json (an array), csv, tsv, fields (with -e)
    #[arg(short = 'T', long, value_name = "FORM", hide_possible_values = true, conflicts_with = "json")]
    pub format: Option<Form>,
    #[command(flatten)]
    pub cells: Cells,
}

/// Which columns, and how they are written.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct Cells {
    /// A column of csv, tsv or fields; may be given several times: conn, frame.number, 'json."type"', 'len(payload)'
    #[arg(
        short = 'e',
        long = "field",
        value_name = "FIELD",
        value_parser = Proposed(choices::fields),
        hide_possible_values = true,
        hide_short_help = true
    )]
    pub field: Vec<String>,
    /// How columns are written, as in tshark: header=y, separator=/t (or /s, or a character), quote=d, aggregator=;, occurrence=f, bom=y
    #[arg(short = 'E', value_name = "KEY=VALUE", hide_short_help = true)]
    pub style: Vec<String>,
    /// Put ' before cells of csv and tsv that a spreadsheet would take for a formula
    #[arg(long, hide_short_help = true)]
    pub safe_csv: bool,
}

/// Forms of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Form {
    Text,
    Jsonl,
    Json,
    Csv,
    Tsv,
    Fields,
}

impl Form {
    /// Whether rows are cells.
    pub(in crate::cli) const fn is_cells(self) -> bool {
        matches!(self, Self::Csv | Self::Tsv | Self::Fields)
    }
}
