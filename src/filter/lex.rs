//! The tokens of a filter.

use super::elsewhere::is_named;
use super::parse::Problem;
use crate::decode::path::Step;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_while, take_while1};
use nom::character::complete::{char, digit1, satisfy};
use nom::combinator::{map, map_res, opt, recognize, value};
use nom::multi::{fold_many0, many1};
use nom::sequence::{delimited, pair, preceded};
use nom::{IResult, Parser as _};
use std::ops::Range;

/// What a filter is made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name, a number, a word: what stands without quotes.
    Word(String),
    /// What stands in quotes, without them.
    Text(Vec<u8>),
    /// `json` or `decoded` with a path behind it.
    Path(&'static str, Vec<Step>),
    /// `header.` with a name behind it.
    Header(String),
    /// `[…]` behind a field.
    Slice(String),
    /// `$` with a name behind it, which stands for a filter.
    Named(String),
    /// A sign.
    Sign(&'static str),
}

/// Signs, longer ones before those that they begin with.
const SIGNS: &[&str] = &[
    "===", "!==", "==", "!=", "~=", ">=", "<=", "&&", "||", "^^", "..", ">", "<", "!", "~", "&", "(", ")", "{", "}",
    ",", "=",
];

/// Characters that a filter may have.
pub(super) const LONGEST: usize = 1 << 16;

/// Cuts a filter into tokens, each with the place where it stands.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, Problem> {
    if text.len() > LONGEST {
        return Err(Problem::new("a filter of more than 64 KiB".to_owned(), 0..1));
    }
    let mut rest = text;
    let mut all = Vec::new();
    loop {
        rest = rest.trim_start();
        let begin = text.len() - rest.len();
        if rest.is_empty() {
            return Ok(all);
        }
        match token(rest) {
            Ok((after, token)) => {
                rest = after;
                all.push((token, begin..text.len() - rest.len()));
            }
            Err(_) => return Err(Problem::new(trouble(rest).to_owned(), begin..text.len())),
        }
    }
}

fn trouble(rest: &str) -> &'static str {
    match rest.chars().next() {
        Some('"') if rest.contains("\\x") && has_end(rest) => {
            "\\x stands before two hex digits, and a backslash is \\\\"
        }
        Some('"') => "a text without its closing quote",
        Some('\'') => "texts stand in double quotes",
        Some('[') => "a slice without its closing bracket",
        _ => "this is no part of a filter",
    }
}

/// Whether a text has its closing quote.
fn has_end(text: &str) -> bool {
    let mut is_escaped = false;
    text.chars().skip(1).any(|c| {
        let ends = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    })
}

fn token(text: &str) -> IResult<&str, Token> {
    alt((
        map(json_elsewhere, |name: &str| Token::Word(name.to_owned())),
        map(preceded(alt((tag("wspect.json"), tag("json"))), many1(step)), |path| Token::Path("json", path)),
        map(preceded(alt((tag("wspect.decoded"), tag("decoded"))), many1(step)), |path| Token::Path("decoded", path)),
        map(preceded(alt((tag("wspect.header."), tag("header."))), alt((name, key))), Token::Header),
        map(preceded(char('r'), raw), |text| Token::Text(text.into_bytes())),
        map(quoted, Token::Text),
        map(character, |byte| Token::Text(vec![byte])),
        map(preceded(char('$'), key), Token::Named),
        map(word, |word| Token::Word(word.to_owned())),
        map(delimited(char('['), take_till(|c| c == ']'), char(']')), |slice: &str| {
            Token::Slice(slice.trim().to_owned())
        }),
        sign,
    ))
    .parse(text)
}

fn sign(text: &str) -> IResult<&str, Token> {
    let found = SIGNS.iter().find(|sign| text.starts_with(**sign));
    match found {
        Some(sign) => map(tag(*sign), |_| Token::Sign(sign)).parse(text),
        None => Err(nom::Err::Error(nom::error::Error::new(text, nom::error::ErrorKind::Tag))),
    }
}

/// One byte, as in C: `'a'`.
fn character(text: &str) -> IResult<&str, u8> {
    map(delimited(char('\''), satisfy(|c| c.is_ascii_graphic() && c != '\'' || c == ' '), char('\'')), |c| c as u8)
        .parse(text)
}

/// Wireshark's own fields of JSON: a key that is called so stands in quotes.
fn json_elsewhere(text: &str) -> IResult<&str, &str> {
    let (rest, name) = word(text)?;
    let is_theirs = name.starts_with("json.") && is_named(name) || name.starts_with("json.value.");
    if is_theirs {
        Ok((rest, name))
    } else {
        Err(nom::Err::Error(nom::error::Error::new(text, nom::error::ErrorKind::Tag)))
    }
}

/// What stands without quotes; two dots end it, since they stand between the ends of a range.
fn word(text: &str) -> IResult<&str, &str> {
    let end = text.find("..").unwrap_or(text.len());
    let (before, _) = text.split_at(end);
    let (_, word) = take_while1(|c: char| c.is_alphanumeric() || "_.-:/%+@µ".contains(c)).parse(before)?;
    Ok((text.get(word.len()..).unwrap_or_default(), word))
}

/// One step of a path: `.name`, `."name"`, `[3]`, `[*]`.
fn step(text: &str) -> IResult<&str, Step> {
    let index = map_res(digit1, str::parse::<usize>);
    alt((
        value(Step::Any, tag(".*")),
        map(preceded(char('.'), alt((name, key))), |name| Step::Key(name.into())),
        map(delimited(char('['), name, char(']')), |name| Step::Key(name.into())),
        delimited(char('['), alt((map(index, Step::Index), value(Step::Any, opt(char('*'))))), char(']')),
    ))
    .parse(text)
}

/// A name in a path, without quotes.
fn key(text: &str) -> IResult<&str, String> {
    map(take_while1(|c: char| c.is_alphanumeric() || "_-$@".contains(c)), str::to_owned).parse(text)
}

/// A name in double quotes.
fn name(text: &str) -> IResult<&str, String> {
    map_res(quoted, String::from_utf8).parse(text)
}

/// A text in double quotes, as a filter has it.
pub fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

/// A text in double quotes, with the escapes `\" \\ \n \r \t \0 \xHH`; the last is a byte.
fn quoted(text: &str) -> IResult<&str, Vec<u8>> {
    let plain = map(take_while1(|c| c != '"' && c != '\\'), |text: &str| text.as_bytes().to_vec());
    let hex = map_res(preceded(char('x'), recognize(pair(hex_digit, hex_digit))), |digits: &str| {
        u8::from_str_radix(digits, 16).map(|byte| vec![byte])
    });
    let short = alt((
        value(b'"', char('"')),
        value(b'\\', char('\\')),
        value(b'\n', char('n')),
        value(b'\r', char('r')),
        value(b'\t', char('t')),
        value(0, char('0')),
    ));
    // What is no escape stands as it is: regular expressions have their own, as `\d` and `\x{e9}`.
    let other = map(alt((recognize(satisfy(|c| c != 'x')), tag("x{"))), |text: &str| format!("\\{text}").into_bytes());
    let escape = preceded(char('\\'), alt((hex, map(short, |byte| vec![byte]), other)));
    let inside = fold_many0(alt((plain, escape)), Vec::new, |mut all, piece: Vec<u8>| {
        all.extend(piece);
        all
    });
    delimited(char('"'), inside, char('"')).parse(text)
}

fn hex_digit(text: &str) -> IResult<&str, char> {
    satisfy(|c| c.is_ascii_hexdigit()).parse(text)
}

/// `"…"` behind an `r`: nothing in it is an escape.
fn raw(text: &str) -> IResult<&str, String> {
    delimited(char('"'), map(take_while(|c| c != '"'), str::to_owned), char('"')).parse(text)
}
