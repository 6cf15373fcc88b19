//! A filter's text, made an expression: `or` binds least, then `xor`, `and`, `not`, as in Wireshark.

use super::elsewhere;
use super::eval::{Expr, Made, Operand, Place, Quantity, Relation, Right};
use super::fields::Field;
use super::lex::{self, Token};
use super::literal::{self, Literal};
use super::value::Kind;
use memchr::memmem::Finder;
use regex::bytes::RegexBuilder;
use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use unicode_width::UnicodeWidthStr as _;

/// What is wrong with a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What, in a few words.
    pub text: String,
    /// The bytes of the filter that are meant.
    pub span: Range<usize>,
    /// What may have been meant.
    pub hint: Option<String>,
}

impl Problem {
    pub(super) const fn new(text: String, span: Range<usize>) -> Self {
        Self { text, span, hint: None }
    }

    /// The filter with a mark below what is wrong, on two lines that begin with four blanks.
    pub fn shown(&self, filter: &str) -> String {
        // Nothing of it may control a terminal, and all of it has its width there.
        let plain = |text: &str| text.replace(char::is_control, " ");
        let width = |text: &str| plain(text).width();
        let Range { start, end } = self.span;
        // Of a very long filter what is near.
        let first = filter.get(..start).unwrap_or(filter).char_indices().rev().nth(60).map_or(0, |(at, _)| at);
        let last =
            filter.get(end..).and_then(|rest| rest.char_indices().nth(60)).map_or(filter.len(), |(at, _)| end + at);
        let before = width(filter.get(first..start).unwrap_or_default());
        let marks = width(filter.get(start..end).unwrap_or_default()).clamp(1, 80);
        let hint = self.hint.as_deref().map(|hint| format!(" {hint}")).unwrap_or_default();
        let filter = plain(filter.get(first..last).unwrap_or(filter));
        format!("    {filter}\n    {}^{}{hint}", " ".repeat(before), "~".repeat(marks - 1))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Problem {}

/// The fields that are asked for, and where.
type Uses = Vec<(&'static Field, Range<usize>)>;

/// How deep parentheses, `not` and functions may stand in one another.
const DEEPEST: usize = 100;

/// Steps that a path may have.
const STEPS: usize = 64;

/// Reads a filter.
pub(super) fn filter(text: &str) -> Result<(Expr, Uses), Problem> {
    let mut parser = Parser::new(text)?;
    if parser.peek().is_none() {
        return Err(Problem::new("the filter is empty".to_owned(), 0..0));
    }
    let expr = parser.or()?;
    parser.end()?;
    Ok((expr, parser.uses))
}

/// Reads a field, with what may be around it.
pub(super) fn column(text: &str) -> Result<(Operand, Kind, Uses), Problem> {
    let mut parser = Parser::new(text)?;
    let (operand, kind) = parser.operand()?;
    parser.end()?;
    Ok((operand, kind, parser.uses))
}

/// Reads a value of that kind, which stands alone.
pub(super) fn value(kind: Kind, text: &str) -> Result<Literal, Problem> {
    let mut parser = Parser::new(text)?;
    let span = parser.span();
    let token = parser.value()?;
    if parser.peek().is_some() {
        return parser.wrong("nothing more is wanted here");
    }
    literal::read(kind, &token, &span)
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: usize,
    uses: Uses,
}

/// Signs and the words that stand for them.
const RELATIONS: &[(&str, &str, Relation, Quantity)] = &[
    ("==", "eq", Relation::Equal, Quantity::Any),
    ("==", "any_eq", Relation::Equal, Quantity::Any),
    ("!=", "ne", Relation::Unequal, Quantity::All),
    ("!=", "all_ne", Relation::Unequal, Quantity::All),
    ("===", "all_eq", Relation::Equal, Quantity::All),
    ("!==", "any_ne", Relation::Unequal, Quantity::Any),
    ("~=", "any_ne", Relation::Unequal, Quantity::Any),
    (">=", "ge", Relation::GreaterOrEqual, Quantity::Any),
    ("<=", "le", Relation::LessOrEqual, Quantity::Any),
    (">", "gt", Relation::Greater, Quantity::Any),
    ("<", "lt", Relation::Less, Quantity::Any),
];

/// Whether a token asks how the value before it relates to the one behind it.
pub(super) fn is_operator(token: &Token) -> bool {
    match token {
        Token::Sign(sign) => ["~", "&"].contains(sign) || RELATIONS.iter().any(|(known, ..)| known == sign),
        Token::Word(word) => {
            ["contains", "matches", "in", "bitwise_and"].contains(&word.as_str())
                || RELATIONS.iter().any(|(_, known, ..)| known == word)
        }
        _ => false,
    }
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Result<Self, Problem> {
        Ok(Self { text, tokens: lex::tokens(text)?, at: 0, depth: 0, uses: Vec::new() })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    /// Where the next token stands; behind the last the end.
    fn span(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.text.len()..self.text.len(), |(_, span)| span.clone())
    }

    fn next(&mut self) -> Option<(Token, Range<usize>)> {
        let next = self.tokens.get(self.at).cloned();
        self.at += 1;
        next
    }

    fn wrong<T>(&self, text: impl Into<String>) -> Result<T, Problem> {
        Err(Problem::new(text.into(), self.span()))
    }

    /// Takes a sign, or the word that stands for it.
    fn takes(&mut self, sign: &str, word: &str) -> bool {
        let is_it = match self.peek() {
            Some(Token::Sign(next)) => *next == sign,
            Some(Token::Word(next)) => !word.is_empty() && next == word,
            _ => false,
        };
        self.at += usize::from(is_it);
        is_it
    }

    fn wants(&mut self, sign: &'static str) -> Result<(), Problem> {
        if self.takes(sign, "") { Ok(()) } else { self.wrong(format!("`{sign}` is wanted here")) }
    }

    fn end(&self) -> Result<(), Problem> {
        match self.peek() {
            None => Ok(()),
            Some(Token::Sign("=")) => {
                let problem = Problem::new("`=` is no comparison".to_owned(), self.span());
                Err(Problem { hint: Some("did you mean `==`?".to_owned()), ..problem })
            }
            Some(_) => self.wrong("`&&`, `||` or the end of the filter is wanted here"),
        }
    }

    /// One level deeper, within the bound.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        if self.depth >= DEEPEST {
            return self.wrong("the filter is nested too deep");
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn or(&mut self) -> Result<Expr, Problem> {
        let mut parts = vec![self.xor()?];
        while self.takes("||", "or") {
            parts.push(self.xor()?);
        }
        Ok(alone(parts).unwrap_or_else(Expr::any))
    }

    fn xor(&mut self) -> Result<Expr, Problem> {
        let mut left = self.and()?;
        while self.takes("^^", "xor") {
            left = Expr::Xor(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, Problem> {
        let mut parts = vec![self.not()?];
        while self.takes("&&", "and") {
            parts.push(self.not()?);
        }
        Ok(alone(parts).unwrap_or_else(Expr::all))
    }

    fn not(&mut self) -> Result<Expr, Problem> {
        if self.takes("!", "not") {
            return self.deeper(|parser| Ok(Expr::Not(Box::new(parser.not()?))));
        }
        if self.takes("(", "") {
            let inner = self.deeper(Self::or)?;
            self.wants(")")?;
            return Ok(inner);
        }
        self.test()
    }

    /// One comparison, or a field alone.
    fn test(&mut self) -> Result<Expr, Problem> {
        let said = match self.peek() {
            Some(Token::Word(word)) if word == "any" => Some(Quantity::Any),
            Some(Token::Word(word)) if word == "all" => Some(Quantity::All),
            _ => None,
        };
        self.at += usize::from(said.is_some());
        if let Some(test) = self.turned(said)? {
            return Ok(test);
        }
        let (operand, kind) = self.operand()?;
        if let Some((relation, quantity)) = self.relation() {
            return self.compare(operand, kind, relation, said.unwrap_or(quantity));
        }
        let quantity = said.unwrap_or(Quantity::Any);
        if self.takes("", "in") {
            return self.set(operand, kind, quantity);
        }
        let is_in = |token: &(Token, Range<usize>)| matches!(&token.0, Token::Word(word) if word == "in");
        if self.tokens.get(self.at + 1).is_some_and(is_in) && self.takes("", "not") {
            self.at += 1;
            return Ok(Expr::Not(Box::new(self.set(operand, kind, quantity)?)));
        }
        if self.takes("", "contains") {
            self.has_pieces(kind, "contains")?;
            let piece = self.piece(&operand, kind)?;
            return Ok(Expr::Contains(operand, Finder::new(&piece).into_owned(), quantity));
        }
        if self.takes("~", "matches") {
            self.has_pieces(kind, "matches")?;
            return self.pattern(operand, quantity);
        }
        if self.takes("&", "bitwise_and") {
            if said == Some(Quantity::All) {
                return self.wrong("`all` is for comparisons: `&` is true of any");
            }
            let span = self.span();
            return match (kind, self.literal(&operand, Kind::Number)?) {
                (Kind::Number, Literal::Int(mask)) => {
                    let Some((relation, _)) = self.relation() else { return Ok(Expr::Bits(operand, mask, None)) };
                    let span = self.span();
                    match self.literal(&operand, Kind::Number)? {
                        Literal::Int(wanted) => Ok(Expr::Bits(operand, mask, Some((relation, wanted)))),
                        _ => Err(Problem::new("a number is wanted here".to_owned(), span)),
                    }
                }
                _ => Err(Problem::new("`&` is for numbers".to_owned(), span)),
            };
        }
        if said.is_some() {
            return self.wrong("`any` and `all` are for comparisons");
        }
        Ok(Expr::Has(operand))
    }

    /// A comparison whose value stands before its field: `1 == tcp.stream`.
    fn turned(&mut self, said: Option<Quantity>) -> Result<Option<Expr>, Problem> {
        let is_value = match self.peek() {
            Some(Token::Text(_)) => true,
            Some(Token::Word(word)) => Field::find(word).is_none() && !is_function(word),
            _ => false,
        };
        let begin = self.at;
        if !is_value {
            return Ok(None);
        }
        let (value, span) = self.next().unwrap_or((Token::Sign(""), 0..0));
        let Some((relation, quantity)) = self.relation() else {
            self.at = begin;
            return match value {
                Token::Text(_) => self.wrong("a field is wanted here, not a text"),
                _ => Ok(None),
            };
        };
        let known = |token: &Token| match token {
            Token::Word(word) => Field::find(word).is_some() || is_function(word),
            Token::Path(..) | Token::Header(_) => true,
            _ => false,
        };
        if !self.peek().is_some_and(known) {
            self.at = begin;
            return Ok(None);
        }
        let (operand, kind) = self.operand()?;
        let literal = read(&operand, kind, &value, &span)?;
        let (relation, quantity, right) = (relation.turned(), said.unwrap_or(quantity), Right::Literal(literal));
        Ok(Some(Expr::Compare { left: operand, relation, quantity, right }))
    }

    fn relation(&mut self) -> Option<(Relation, Quantity)> {
        let found = RELATIONS.iter().find(|(sign, word, ..)| match self.peek() {
            Some(Token::Sign(next)) => next == sign,
            Some(Token::Word(next)) => next == word,
            _ => false,
        });
        let &(.., relation, quantity) = found?;
        self.at += 1;
        Some((relation, quantity))
    }

    fn compare(&mut self, left: Operand, kind: Kind, relation: Relation, quantity: Quantity) -> Result<Expr, Problem> {
        let span = self.span();
        if !matches!(relation, Relation::Equal | Relation::Unequal) && !kind.is_ordered() {
            let problem = format!("`{}` has no order: == and != compare it", left.field.name);
            return Err(Problem::new(problem, span));
        }
        let is_field = match self.peek() {
            Some(Token::Word(word)) => {
                Field::find(word).is_some_and(|field| field.kind == kind && kind != Kind::Json)
                    || self.begins_function(word)
            }
            Some(Token::Path(..) | Token::Header(_)) => true,
            _ => false,
        };
        let right = if is_field {
            let (right, other) = self.operand()?;
            let is_alike =
                kind == other || kind.has_pieces() && other.has_pieces() || kind == Kind::Json || other == Kind::Json;
            if !is_alike {
                let (one, other) = (kind.name(), other.name());
                return Err(Problem::new(format!("a {one} is never a {other}"), span));
            }
            Right::Operand(right)
        } else {
            Right::Literal(self.literal(&left, kind)?)
        };
        if let Right::Literal(literal) = &right
            && literal.is_network()
            && !matches!(relation, Relation::Equal | Relation::Unequal)
        {
            return Err(Problem::new("a network has no order: == and != compare it".to_owned(), span));
        }
        Ok(Expr::Compare { left, relation, quantity, right })
    }

    /// `{1, 2, 8 .. 10}`.
    fn set(&mut self, operand: Operand, kind: Kind, quantity: Quantity) -> Result<Expr, Problem> {
        self.wants("{")?;
        let mut set = Vec::new();
        loop {
            let first = self.literal(&operand, kind)?;
            let last = if self.takes("..", "") { Some(self.literal(&operand, kind)?) } else { None };
            set.push((first, last));
            if self.takes("}", "") {
                return Ok(Expr::In(operand, set, quantity));
            }
            if !self.takes(",", "") && self.peek().is_none() {
                return self.wrong("`}` is wanted here");
            }
        }
    }

    fn has_pieces(&self, kind: Kind, word: &str) -> Result<(), Problem> {
        if kind.has_pieces() {
            Ok(())
        } else {
            self.wrong(format!("`{word}` is for text and bytes, not for a {}", kind.name()))
        }
    }

    /// What is looked for in a value: a text, or bytes as `0a:ff`.
    fn piece(&mut self, operand: &Operand, kind: Kind) -> Result<Vec<u8>, Problem> {
        let span = self.span();
        Ok(match self.value()? {
            Token::Text(text) => text,
            Token::Word(word) if kind != Kind::Bytes && !operand.is_piece() => word.into_bytes(),
            // Bytes as such, or else a word.
            Token::Word(word) => literal::bytes(&word).unwrap_or_else(|| word.into_bytes()),
            token => match literal::read(Kind::Bytes, &token, &span)? {
                Literal::Bytes(bytes) => bytes,
                _ => Vec::new(),
            },
        })
    }

    /// A regular expression, which does not care about case (as in Wireshark) unless it says `(?-i)`.
    fn pattern(&mut self, operand: Operand, quantity: Quantity) -> Result<Expr, Problem> {
        let span = self.span();
        let pattern = match self.value()? {
            Token::Word(text) => text,
            // Of bytes that are no text an expression says `(?-u)\xff`.
            Token::Text(text) => String::from_utf8(text).map_err(|_| {
                Problem::new("bytes in an expression are written (?-u)\\xff, in r\"...\"".to_owned(), span.clone())
            })?,
            _ => return Err(Problem::new("a regular expression in quotes is wanted".to_owned(), span)),
        };
        match RegexBuilder::new(&pattern).case_insensitive(true).size_limit(1 << 22).build() {
            Ok(regex) => Ok(Expr::Matches(operand, Box::new(regex), quantity)),
            Err(error) => {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                Err(Problem::new(format!("this regular expression cannot be read: {last}"), span))
            }
        }
    }

    /// A value of that kind, which stands beside a field.
    fn literal(&mut self, operand: &Operand, kind: Kind) -> Result<Literal, Problem> {
        let span = self.span();
        let token = self.value()?;
        read(operand, kind, &token, &span)
    }

    /// A token that may be a value.
    fn value(&mut self) -> Result<Token, Problem> {
        match self.peek() {
            Some(Token::Word(_) | Token::Text(_)) => Ok(self.next().map_or(Token::Sign(""), |(token, _)| token)),
            Some(Token::Sign("=")) => self.wrong("a value is wanted here, not `=`"),
            _ => self.wrong("a value is wanted here"),
        }
    }

    /// Whether a word is a function: what it is of stands in parentheses behind it.
    fn begins_function(&self, word: &str) -> bool {
        is_function(word) && matches!(self.tokens.get(self.at + 1), Some((Token::Sign("("), _)))
    }

    /// A field, sliced or not, or a function of one; and what its values are.
    fn operand(&mut self) -> Result<(Operand, Kind), Problem> {
        let function = match self.peek() {
            Some(Token::Word(word)) if self.begins_function(word) => Some(word.clone()),
            _ => None,
        };
        let Some(function) = function else { return self.field() };
        let span = self.span();
        self.at += 2;
        let (mut operand, kind) = self.deeper(Self::operand)?;
        self.wants(")")?;
        let wrong = |what: &str| Err(Problem::new(format!("`{function}` is for {what}"), span.clone()));
        let kind = match function.as_str() {
            "count" => {
                operand.counted = true;
                Kind::Number
            }
            _ if operand.counted => return wrong("fields, not for their number"),
            _ if !kind.has_pieces() => return wrong("text and bytes"),
            "len" => {
                operand.made.push(Made::Length);
                Kind::Number
            }
            "upper" => {
                operand.made.push(Made::Upper(RefCell::default()));
                Kind::Text
            }
            _ => {
                operand.made.push(Made::Lower(RefCell::default()));
                Kind::Text
            }
        };
        self.slices(operand, kind)
    }

    fn field(&mut self) -> Result<(Operand, Kind), Problem> {
        let span = self.span();
        let (name, place) = match self.next() {
            Some((Token::Word(word), _))
                if matches!(word.as_str(), "and" | "or" | "xor" | "in" | "contains" | "matches") =>
            {
                return Err(Problem::new("a field is wanted here".to_owned(), span));
            }
            Some((Token::Word(word), _)) => (word, Place::Whole),
            Some((Token::Path(root, path), _)) => {
                if path.len() > STEPS {
                    return Err(Problem::new(format!("a path of more than {STEPS} steps"), span));
                }
                (root.to_owned(), Place::Path(path, RefCell::default()))
            }
            Some((Token::Header(name), _)) => ("header".to_owned(), Place::Header(name)),
            Some((Token::Sign("="), _)) => {
                return Err(Problem::new("a field is wanted here, not `=`".to_owned(), span));
            }
            _ => return Err(Problem::new("a field is wanted here".to_owned(), span)),
        };
        let Some(field) = Field::find(&name) else { return Err(elsewhere::unknown(&name, span)) };
        let place = match (field.alias, place) {
            // All of it.
            ("json" | "decoded", Place::Whole) => Place::Path(Vec::new(), RefCell::default()),
            ("header", Place::Whole) => {
                let text = "which header? header.\"X-Request-Id\"".to_owned();
                return Err(Problem::new(text, span));
            }
            (_, place) => place,
        };
        self.uses.push((field, span));
        self.slices(Operand::of(field, place), field.kind)
    }

    /// `[0:4]`, `[2-3]`, `[:4]`, `[4:]`, `[-4:]`, `[5]`, and several of those, as `[0,2-3]`.
    fn slices(&mut self, mut operand: Operand, mut kind: Kind) -> Result<(Operand, Kind), Problem> {
        while let Some(Token::Slice(slice)) = self.peek() {
            let Some(ranges) = slice.split(',').map(bounds).collect::<Option<Vec<_>>>() else {
                return self.wrong("a slice is wanted, as [0:4] (4 from 0), [2-3] (2 to 3), [4:], [-4:] or [0,2-3]");
            };
            if !kind.has_pieces() || operand.counted {
                let article = if kind == Kind::Address { "an" } else { "a" };
                return self.wrong(format!("{article} {} cannot be sliced", kind.name()));
            }
            operand.made.push(match *ranges {
                [(from, to)] => Made::Slice(from, to),
                _ => Made::Slices(ranges, RefCell::default()),
            });
            kind = if kind == Kind::Bytes { Kind::Bytes } else { Kind::Text };
            self.at += 1;
        }
        Ok((operand, kind))
    }
}

/// The one that stands alone, or else all.
fn alone(mut parts: Vec<Expr>) -> Result<Expr, Vec<Expr>> {
    match parts.pop() {
        Some(only) if parts.is_empty() => Ok(only),
        Some(last) => {
            parts.push(last);
            Err(parts)
        }
        None => Err(parts),
    }
}

/// Reads a value beside a field. Pieces are bytes, as in Wireshark: beside them what may be bytes is, unless it is quoted.
fn read(operand: &Operand, kind: Kind, token: &Token, span: &Range<usize>) -> Result<Literal, Problem> {
    match token {
        Token::Word(word) if operand.is_piece() => match literal::bytes(word) {
            Some(bytes) => Ok(Literal::Bytes(bytes)),
            None => literal::read(kind, token, span),
        },
        _ => literal::read(kind, token, span),
    }
}

pub(super) const FUNCTIONS: [&str; 4] = ["upper", "lower", "len", "count"];

fn is_function(word: &str) -> bool {
    FUNCTIONS.contains(&word)
}

/// From where to where a slice goes: the first that it has, and the first behind it.
fn bounds(slice: &str) -> Option<(i64, Option<i64>)> {
    let number = |text: &str| text.trim().parse::<i64>().ok();
    if let Some((from, count)) = slice.split_once(':') {
        let from = if from.trim().is_empty() { 0 } else { number(from)? };
        if count.trim().is_empty() {
            return Some((from, None));
        }
        let count = number(count).filter(|&count| count > 0)?;
        let to = from.checked_add(count)?;
        // From the end to the end.
        return Some((from, Some(to).filter(|&to| from >= 0 || to < 0)));
    }
    if let Some((from, to)) = slice.split_once('-').filter(|(from, _)| !from.trim().is_empty()) {
        return Some((number(from)?, Some(number(to)?.checked_add(1)?)));
    }
    let at = number(slice)?;
    Some((at, Some(at + 1).filter(|&to| to != 0)))
}
