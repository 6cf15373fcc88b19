//! The tokens of a schema that is text, and where one is wrong.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_until, take_while, take_while1};
use nom::character::complete::{anychar, char, multispace1, satisfy};
use nom::combinator::{map, recognize, verify};
use nom::multi::many0_count;
use nom::sequence::{delimited, pair, preceded};
use nom::{IResult, Parser as _};

/// What a schema is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A name or keyword.
    Word(&'t str),
    /// A number, as it stands there.
    Number(&'t str),
    /// What stands in quotes, without them, as it stands there.
    Text(&'t str),
    /// One character.
    Sign(char),
    /// Nothing follows.
    End,
}

/// What is wrong, and where: an offset in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) why: String,
}

impl Fault {
    pub(super) fn new(at: usize, why: impl Into<String>) -> Self {
        Self { at, why: why.into() }
    }

    /// `chat.proto:3:8: what is wrong`, line and column from 1, columns in characters; not escaped.
    pub(super) fn within(&self, file: &str, text: &str) -> String {
        let before = text.get(..self.at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        format!("{file}:{line}:{column}: {}", self.why)
    }
}

/// Characters of a token that a complaint shows.
const SHOWN: usize = 40;

impl Token<'_> {
    /// As a complaint shows it.
    pub(super) fn shown(self) -> String {
        let short = |text: &str| match text.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text.to_owned(),
        };
        match self {
            Self::Word(text) | Self::Number(text) => format!("`{}`", short(text)),
            Self::Text(text) => format!("\"{}\"", short(text)),
            Self::Sign(sign) => format!("`{sign}`"),
            Self::End => "the end of the file".to_owned(),
        }
    }
}

/// Reads tokens, the next of which is known.
#[derive(Debug)]
pub(super) struct Tokens<'t> {
    text: &'t str,
    rest: &'t str,
    next: Token<'t>,
    /// Where the next one begins.
    at: usize,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t str) -> Result<Self, Fault> {
        let mut tokens = Self { text, rest: text, next: Token::End, at: 0 };
        tokens.take()?;
        Ok(tokens)
    }

    /// The token that comes next.
    pub(super) const fn next(&self) -> Token<'t> {
        self.next
    }

    /// Where it stands.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// The token that comes next, which is passed over.
    pub(super) fn take(&mut self) -> Result<Token<'t>, Fault> {
        let place = |rest: &str| self.text.len() - rest.len();
        let rest = blank(self.rest).map_or(self.rest, |(rest, _)| rest);
        let at = place(rest);
        let (rest, next) = token(rest).map_err(|_| Fault::new(at, trouble(rest)))?;
        (self.rest, self.at) = (rest, at);
        Ok(std::mem::replace(&mut self.next, next))
    }

    /// Passes over this sign, if it comes next.
    pub(super) fn skip(&mut self, sign: char) -> Result<bool, Fault> {
        let is_next = self.next == Token::Sign(sign);
        if is_next {
            self.take()?;
        }
        Ok(is_next)
    }

    /// That something else is wanted than what comes next.
    pub(super) fn wants(&self, what: &str) -> Fault {
        Fault::new(self.at, format!("{what} is wanted, not {}", self.next.shown()))
    }

    /// This sign must come next.
    pub(super) fn sign(&mut self, sign: char) -> Result<(), Fault> {
        if self.skip(sign)? { Ok(()) } else { Err(self.wants(&format!("`{sign}`"))) }
    }

    /// A word must come next.
    pub(super) fn word(&mut self, what: &str) -> Result<&'t str, Fault> {
        match self.next {
            Token::Word(word) => {
                self.take()?;
                Ok(word)
            }
            _ => Err(self.wants(what)),
        }
    }

    /// A text must come next.
    pub(super) fn quoted(&mut self, what: &str) -> Result<&'t str, Fault> {
        match self.next {
            Token::Text(text) => {
                self.take()?;
                Ok(text)
            }
            _ => Err(self.wants(what)),
        }
    }

    /// A number from `least` to `most` must come next.
    pub(super) fn number(&mut self, least: i64, most: i64) -> Result<i64, Fault> {
        let (at, is_negative) = (self.at, self.skip('-')?);
        let Token::Number(digits) = self.next else { return Err(self.wants("a number")) };
        let number = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
            Some(hex) => i64::from_str_radix(hex, 16),
            None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits, 8),
            None => digits.parse(),
        };
        let number = number.ok().map(|number| if is_negative { -number } else { number });
        let wrong = || Fault::new(at, format!("a number from {least} to {most} is wanted"));
        let number = number.filter(|number| (least..=most).contains(number)).ok_or_else(wrong)?;
        self.take()?;
        Ok(number)
    }
}

/// Blanks and comments.
fn blank(text: &str) -> IResult<&str, usize> {
    let line = preceded(tag("//"), take_till(|c| c == '\n'));
    let block = delimited(tag("/*"), take_until("*/"), tag("*/"));
    many0_count(alt((multispace1, tag("\u{c}"), tag("\u{b}"), line, block))).parse(text)
}

fn token(text: &str) -> IResult<&str, Token<'_>> {
    if text.is_empty() {
        return Ok((text, Token::End));
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins_word = satisfy(|c| c.is_ascii_alphabetic() || c == '_');
    let begins_number = satisfy(|c| c.is_ascii_digit());
    alt((
        map(recognize(pair(begins_word, take_while(is_word))), Token::Word),
        map(recognize(pair(begins_number, take_while(move |c| is_word(c) || c == '.'))), Token::Number),
        map(alt((quoted('"'), quoted('\''))), Token::Text),
        map(
            verify(anychar, |c| c.is_ascii_punctuation() && !matches!(c, '"' | '\'') && !text.starts_with("/*")),
            Token::Sign,
        ),
    ))
    .parse(text)
}

/// A text between such quotes, in which a backslash keeps the next character from ending it.
fn quoted<'t>(quote: char) -> impl nom::Parser<&'t str, Output = &'t str, Error = nom::error::Error<&'t str>> {
    let plain = take_while1(move |c| c != quote && c != '\\' && c != '\n');
    let escaped = recognize(pair(char('\\'), satisfy(|c| c != '\n')));
    delimited(char(quote), recognize(many0_count(alt((plain, escaped)))), char(quote))
}

fn trouble(rest: &str) -> &'static str {
    match rest.chars().next() {
        Some('"' | '\'') => "a text without its closing quote",
        Some('/') => "a comment without its end",
        _ => "this is no part of a schema",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<Token<'_>>, Fault> {
        let mut tokens = Tokens::new(text)?;
        let mut all = Vec::new();
        loop {
            match tokens.take()? {
                Token::End => return Ok(all),
                token => all.push(token),
            }
        }
    }

    #[test]
    fn tokens_and_comments() {
        use Token::{Number, Sign, Text, Word};
        let text = "a /* b\n*/ = 0x1F // c\n'x\\'y' \"\" .5e1;\u{c}_z9";
        let wanted = [
            Word("a"),
            Sign('='),
            Number("0x1F"),
            Text("x\\'y"),
            Text(""),
            Sign('.'),
            Number("5e1"),
            Sign(';'),
            Word("_z9"),
        ];
        assert_eq!(all(text).unwrap(), wanted);
        for (wrong, at) in [("a \"b", 2), ("a\n'b\n'", 2), ("/* b", 0), ("a \u{e9}", 2), ("a \0", 2)] {
            assert_eq!(all(wrong).unwrap_err().at, at, "{wrong:?}");
        }
    }

    #[test]
    fn numbers_and_places() {
        let number = |text| Tokens::new(text).and_then(|mut tokens| tokens.number(-8, 100));
        assert_eq!((number("010"), number("0x10"), number("100"), number("- 8")), (Ok(8), Ok(16), Ok(100), Ok(-8)));
        assert!(["101", "-9", "08", "1.5", "x", "99999999999999999999", ""].iter().all(|text| number(text).is_err()));
        assert_eq!(Fault::new(8, "no").within("f", "é\nabc\u{e9}d\n"), "f:2:5: no");
    }
}
