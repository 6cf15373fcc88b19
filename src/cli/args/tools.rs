//! Commands that read no capture: what wspect tells of itself.

use clap::Subcommand;

/// Commands that read no capture.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Tool {
    /// What a finding or a close code means, its likely cause and what to do
    ///
    /// For each: how bad it is, where the rule stands, what it says, its likely cause, and what to do next. Close codes are
    /// those of a Close frame, and those that an application is told without one. Without a code all are listed, one a line.
    #[command(after_long_help = examples!("wspect explain TCP-GAP", "wspect explain 1006 HS-ACCEPT"))]
    Explain(Explain),
}

/// Options of `explain`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Explain {
    /// Findings as `wspect check` names them, and close codes: TCP-GAP, 1006
    #[arg(value_name = "CODE")]
    pub codes: Vec<String>,
}
