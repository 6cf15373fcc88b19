//! Which rows, and which columns of them, from what was typed.

use super::args;
use super::args::{Columns, Form};
use super::exit::{Exit, Failure};
use crate::capture::words;
use crate::export::{Delimited, Occurrence, Quote};
use crate::filter::{self, Claim, Column, Filter, Named, Needs, Problem, Rows};
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;

/// The filter that is asked for, if any, of such rows.
///
/// # Errors
/// When it cannot be understood, or is none of such rows.
pub(super) fn filter(asked: &args::Filter, rows: Rows) -> Result<Option<Filter>, Failure> {
    let typed = asked.filter.iter().map(|text| read(text, rows));
    // As `ls` prints an end: 10.0.0.1:80, [::1]:80.
    let host = |host: &str| {
        let inside = host.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let name = match inside {
            Some((inside, _)) => inside,
            None if host.matches(':').count() == 1 => host.split_once(':').map_or(host, |(name, _)| name),
            None => host,
        };
        match name.split('/').next().unwrap_or(name).parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => format!("ip.addr == {name}"),
            Ok(IpAddr::V6(_)) => format!("ipv6.addr == {name}"),
            Err(_) => format!("lower(host) == {}", filter::quote(&name.to_lowercase())),
        }
    };
    // `8080`, `8080,9000-9010`.
    let port = |ports: &str| format!("tcp.port in {{{}}}", ports.replace('-', " .. "));
    if let Some(ports) = asked.port.as_deref().filter(|ports| !ports.split(',').all(is_ports)) {
        let wanted = "ports from 0 to 65535 are wanted, and ranges from the lower to the higher, as 8080,9000-9010";
        return Err(Failure::usage(format!("--port {ports}: {wanted}")));
    }
    let shorts = [
        ("--host", asked.host.as_deref(), asked.host.as_deref().map(host)),
        ("--port", asked.port.as_deref(), asked.port.as_deref().map(port)),
        ("--from", asked.from.as_deref(), asked.from.as_deref().map(|time| format!("time >= {}", filter::quote(time)))),
        ("--to", asked.to.as_deref(), asked.to.as_deref().map(|time| format!("time <= {}", filter::quote(time)))),
    ];
    let shorts = shorts.into_iter().filter_map(|(option, value, text)| {
        let wrong = |problem: Problem| Failure::usage(format!("{option} {}: {problem}", value.unwrap_or_default()));
        text.map(|text| Filter::new(&text).map_err(wrong))
    });
    typed.chain(shorts).try_fold(None, |all: Option<Filter>, next| {
        let next = next?;
        Ok(Some(match all {
            Some(all) => all.and(next),
            None => next,
        }))
    })
}

/// Whether it is a port, or a range of them.
fn is_ports(text: &str) -> bool {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let port = |text: &str| text.parse::<u16>().ok();
    port(first).is_some_and(|first| port(last).is_some_and(|last| first <= last))
}

fn read(text: &str, rows: Rows) -> Result<Filter, Failure> {
    let filter = Filter::new(text).and_then(|filter| filter.suits(rows).map(|()| filter));
    filter.map_err(|problem| wrong(text, &problem))
}

/// The claims that must hold. In files names stand for filters; what was typed has them no more.
///
/// # Errors
/// When one cannot be understood, or a file of them cannot be read.
pub(super) fn claims(typed: &[String], files: &[PathBuf], named: &Named) -> Result<Vec<Claim>, Failure> {
    let mut claims = Vec::new();
    for text in typed {
        claims.push(Claim::new(text).map_err(|problem| wrong(text.trim(), &problem))?);
    }
    for path in files {
        let name = path.display();
        let unread = |error| Failure::new(Exit::Input, format!("{name}: {}", words(&error)));
        let text = fs::read_to_string(path).map_err(unread)?;
        let before = claims.len();
        for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let unclear = |text: &str, problem: &Problem| {
                Failure::new(Exit::Usage, format!("{name}:{}: {problem}", at + 1)).with_lines(problem.shown(text))
            };
            let meant = filter::expand(line, named).map_err(|problem| unclear(line, &problem))?;
            claims.push(Claim::new(&meant).map_err(|problem| unclear(&meant, &problem))?);
        }
        if claims.len() == before {
            return Err(Failure::usage(format!("{name}: no assertion in it")));
        }
    }
    Ok(claims)
}

/// What is wrong, below it the filter with a mark, and where to look.
pub(super) fn wrong(text: &str, problem: &Problem) -> Failure {
    Failure::new(Exit::Usage, problem.to_string()).with_lines(problem.shown(text))
}

/// The columns that rows are written in.
#[derive(Debug)]
pub(super) struct Table {
    /// Each with its name.
    pub columns: Vec<(String, Column)>,
    /// How cells are written.
    pub form: Delimited,
}

impl Table {
    /// What must be at hand for it.
    pub(super) fn needs(&self, rows: Rows) -> Needs {
        self.columns.iter().map(|(_, column)| column.needs(rows)).fold(Needs::default(), Needs::or)
    }
}

/// The columns that are asked for, if any, of such rows.
///
/// # Errors
/// When there are no such columns.
pub(super) fn table(asked: &Columns, rows: Rows) -> Result<Option<Table>, Failure> {
    let form = match asked.format {
        Some(Form::Csv) => Delimited::csv(),
        Some(Form::Tsv) => Delimited::tsv(),
        Some(Form::Fields) => Delimited::fields(),
        _ if !asked.cells.field.is_empty() => return Err(Failure::usage("-e is for -T fields, csv and tsv")),
        _ if !asked.cells.style.is_empty() || asked.cells.safe_csv => {
            return Err(Failure::usage("-E and --safe-csv are for -T fields, csv and tsv"));
        }
        _ => return Ok(None),
    };
    let names: Vec<&str> = match (asked.format, asked.cells.field.as_slice()) {
        (Some(Form::Fields), []) => {
            return Err(Failure::usage("which fields? -T fields -e FIELD (wspect fields lists them)"));
        }
        (_, []) => usual(rows).to_vec(),
        (_, named) => named.iter().map(String::as_str).collect(),
    };
    let columns = names.into_iter().map(|name| {
        let column = Column::new(name).map_err(|problem| wrong(name, &problem))?;
        if !column.suits(rows) {
            return Err(Failure::usage(format!("-e {name}: no field of {}", rows.words())));
        }
        Ok((name.to_owned(), column))
    });
    let columns = columns.collect::<Result<_, Failure>>()?;
    let mut form = Delimited { safe: asked.cells.safe_csv, ..form };
    asked.cells.style.iter().try_for_each(|style| set(&mut form, style))?;
    Ok(Some(Table { columns, form }))
}

/// The columns of rows where none are named.
fn usual(rows: Rows) -> &'static [&'static str] {
    match rows {
        Rows::CONNECTIONS => &[
            "conn",
            "tcp.stream",
            "time",
            "wspect.client",
            "wspect.client_port",
            "wspect.server",
            "wspect.server_port",
            "url",
            "wspect.state",
            "wspect.subprotocol",
            "wspect.duration",
            "wspect.c2s.messages",
            "wspect.s2c.messages",
            "wspect.bytes",
            "close_code",
            "finding",
        ],
        Rows::FRAMES => &[
            "frame.number",
            "time",
            "conn",
            "msg",
            "wspect.frame",
            "dir",
            "type",
            "websocket.fin",
            "websocket.rsv",
            "len",
            "websocket.masking_key",
            "wspect.stream_offset",
            "finding",
        ],
        Rows::FINDINGS => {
            &["conn", "tcp.stream", "frame.number", "time", "severity", "finding", "dir", "msg", "wspect.text"]
        }
        Rows::HANDSHAKES => &[
            "conn",
            "time",
            "url",
            "http.request.method",
            "http.response.code",
            "wspect.latency",
            "wspect.subprotocol",
            "wspect.extension",
            "finding",
        ],
        _ => &[
            "conn",
            "msg",
            "frame.number",
            "time",
            "dir",
            "type",
            "len",
            "wspect.complete",
            "close_code",
            "rtt",
            "finding",
            "payload",
        ],
    }
}

/// `header=y`, as in tshark.
fn set(form: &mut Delimited, style: &str) -> Result<(), Failure> {
    let wrong = || {
        let known = "bom=y|n header=y|n separator=/t|/s|CHARACTER quote=d|s|n aggregator=/s|TEXT occurrence=f|l|a";
        Failure::usage(format!("-E {style}: one of {known} is wanted"))
    };
    let (key, value) = style.split_once('=').ok_or_else(wrong)?;
    let yes = match value {
        "y" => Some(true),
        "n" => Some(false),
        _ => None,
    };
    let mut signs = value.chars();
    let sign = match value {
        "/t" => Some('\t'),
        "/s" => Some(' '),
        _ => signs.next().filter(|_| signs.next().is_none()),
    };
    match key {
        "bom" => form.bom = yes.ok_or_else(wrong)?,
        "header" => form.header = yes.ok_or_else(wrong)?,
        "separator" => form.separator = sign.ok_or_else(wrong)?,
        "aggregator" => form.aggregator = if value == "/s" { " ".to_owned() } else { value.to_owned() },
        "quote" => {
            form.quote = match value {
                "d" if form.quote == Quote::Csv => Quote::CsvAlways,
                "d" => Quote::Always('"'),
                "s" => Quote::Always('\''),
                "n" => Quote::None,
                _ => return Err(wrong()),
            }
        }
        "occurrence" => {
            form.occurrence = match value {
                "f" => Occurrence::First,
                "l" => Occurrence::Last,
                "a" => Occurrence::All,
                _ => return Err(wrong()),
            }
        }
        _ => return Err(wrong()),
    }
    Ok(())
}
