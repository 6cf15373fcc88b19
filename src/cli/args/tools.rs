//! Commands that read no capture: what wspect tells of itself.

use super::shared::Json;
use crate::cli::choices::{self, Proposed};
use clap::{Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;

/// Commands that read no capture.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Tool {
    /// What a finding or a close code means, its likely cause and what to do
    ///
    /// For each: how bad it is, where the rule stands, what it says, its likely cause, and what to do next. Close codes are
    /// those of a Close frame, and those that an application is told without one. Without a code all are listed, one a line.
    #[command(after_long_help = examples!("wspect explain TCP-GAP", "wspect explain 1006 HS-ACCEPT"))]
    Explain(Explain),
    /// Fields of display filters and columns: name, short name, kind, what it is
    #[command(after_long_help = examples!("wspect fields websocket", "wspect fields --json | jq -r .name"))]
    Fields(FieldsArgs),
    /// The JSON Schema of the records that --json and export jsonl write
    ///
    /// Draft 2020-12. Every key is there in every record; new keys may come. Without a kind a record is one of all kinds.
    #[command(after_long_help = examples!("wspect schema message", "wspect schema > records.schema.json"))]
    Schema(Schema),
    /// A script by which a shell completes commands and options
    #[command(after_long_help = examples!(
        "wspect completions bash > ~/.local/share/bash-completion/completions/wspect",
        r#"wspect completions zsh > "${fpath[1]}/_wspect""#,
        "wspect completions fish > ~/.config/fish/completions/wspect.fish"
    ))]
    Completions(Completions),
    /// Manual pages, for wspect and for each command
    #[command(after_long_help = examples!(
        "wspect man ~/.local/share/man/man1 && man wspect-msgs",
        "wspect man pages && man -l pages/wspect.1"
    ))]
    Man(Pages),
    /// The configuration file: options where they are not typed, and filters by name
    ///
    /// It is wspect/config.toml in $XDG_CONFIG_HOME, else in ~/.config, or the file that --config names. What is typed
    /// replaces what stands there. A filter that is named there is used as -Y '$errors'.
    #[command(after_long_help = examples!("wspect config init", "wspect config show", "$EDITOR $(wspect config path)"))]
    Config(Settings),
}

impl Tool {
    /// Whether it tells what the configuration file says.
    pub(in crate::cli) const fn shows_config(&self) -> bool {
        matches!(self, Self::Config(Settings { what: WhatSettings::Show, .. }))
    }
}

/// Options of `fields`.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct FieldsArgs {
    /// Only fields whose names begin so: websocket, wspect.c
    #[arg(value_name = "PREFIX")]
    pub prefix: Option<String>,
    #[command(flatten)]
    pub json: Json,
}

/// Options of `explain`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Explain {
    /// Findings as `wspect check` names them, and close codes: TCP-GAP, 1006
    #[arg(value_name = "CODE", value_parser = Proposed(choices::codes), hide_possible_values = true)]
    pub codes: Vec<String>,
}

/// Options of `completions`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Completions {
    /// The shell: bash, zsh, fish, powershell or elvish
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    pub shell: Shell,
}

/// Options of `man`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Pages {
    /// The directory that they are written to; it is made where there is none
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// Replace pages that are there
    #[arg(long)]
    pub force: bool,
}

/// Options of `config`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Settings {
    /// path: where it is, or would be; show: what it says; init: make one, in which all stands as comments
    #[arg(value_name = "WHAT", hide_possible_values = true)]
    pub what: WhatSettings,
    /// With init: replace the file if there is one
    #[arg(long)]
    pub force: bool,
}

/// What is to be done with the configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum WhatSettings {
    Path,
    Show,
    Init,
}

/// Options of `schema`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Schema {
    /// message, frame, handshake, connection, finding, assertion, difference, tls, session, stats, message_type, state or capture; nothing: all
    #[arg(value_name = "KIND", value_parser = Proposed(choices::kinds), hide_possible_values = true)]
    pub kind: Option<String>,
}
