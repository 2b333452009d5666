use super::ConditionError;
use crate::{Catalogue, FactId, Kind, Known, Phrases, facts::Text};
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SourceInfo};
use cel::{ParseError, ParseErrors};
use regex::Regex;

mod calls;

/// A condition, checked: operands are of the kinds that their operators take.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Truth(bool),
    Number(f64),
    Numbers(Vec<f64>),
    Text(Text),
    Texts(Vec<String>),
    Fact(FactId),
    Has(FactId),
    Not(Box<Node>),
    And(Box<[Node; 2]>),
    Or(Box<[Node; 2]>),
    If(Box<[Node; 3]>),
    Compare(Comparison, Box<[Node; 2]>),
    Arithmetic(Arithmetic, Box<[Node; 2]>),
    In(Box<[Node; 2]>),
    Contains(Box<[Node; 2]>),
    StartsWith(Box<[Node; 2]>),
    EndsWith(Box<[Node; 2]>),
    Matches(Box<Node>, Regex),
    Mentions(Box<Node>, Phrases),
    Size(Box<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// What a node comes to; a list of numbers stands only at the right of `in`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Kind(Kind),
    Numbers,
}

const TRUTH: Of = Of::Kind(Kind::Truth);
const NUMBER: Of = Of::Kind(Kind::Number);
const TEXT: Of = Of::Kind(Kind::Text);
const TEXTS: Of = Of::Kind(Kind::Texts);

impl std::fmt::Display for Of {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kind(kind) => kind.fmt(f),
            Self::Numbers => f.write_str("a list of numbers"),
        }
    }
}

/// Expressions nest no deeper than this: deeper ones are no rule that a person wrote.
const MAX_DEPTH: u16 = 64;
/// Longer expressions are lists that belong into a `[[signal]]`. The parser calls itself once for
/// every two bytes of `a.a.a…`; twice this length still fits a stack of 2 MiB.
const MAX_BYTES: usize = 4_000;

pub(super) fn parse(source: &str, catalogue: &Catalogue) -> Result<Node, ConditionError> {
    let at_start =
        |what: String, mend: &str| ConditionError { line: 1, column: 1, what, mend: mend.into() };
    if source.trim().is_empty() {
        return Err(at_start("the condition is empty".into(), "leave `when` out to match always"));
    }
    if source.len() > MAX_BYTES {
        let mend = "put long lists of phrases into a [[signal]]";
        return Err(at_start(format!("the condition is longer than {MAX_BYTES} bytes"), mend));
    }
    let parser = cel::parser::Parser::new().max_recursion_depth(MAX_DEPTH);
    let (expr, info) = parser.parse_with_source_info(source).map_err(|e| unreadable(source, &e))?;
    let reader = Reader { catalogue, info: &info };
    if let Some(at) = too_deep(&expr) {
        return Err(reader.error(at, TOO_DEEP.into(), SHORTER));
    }
    let (node, of) = reader.read(&expr)?;
    if of != TRUTH {
        let what = format!("the condition comes to {of}, not to true or false");
        return Err(reader.error(&expr, what, "compare it with something"));
    }
    Ok(node)
}

const TOO_DEEP: &str = "the condition nests too deeply";
const SHORTER: &str = "write several rules instead";

/// What people write who know another notation, as the parser quotes it, and what to write instead.
const SLIPS: &[(&str, &str)] = &[
    ("'= ", "write == to compare"),
    ("'& ", "write && for and"),
    ("'| ", "write || for or"),
    ("'and'", "write && for and"),
    ("'or'", "write || for or"),
    ("'AND'", "write && for and"),
    ("'OR'", "write || for or"),
    ("input ','", "write 10000 for 10,000, and several things as a list: [\"a\", \"b\"]"),
    ("'“", "write straight quotes"),
    ("'‘", "write straight quotes"),
    ("'„", "write straight quotes"),
];

/// The same for words that the parser takes for the names of facts.
const WORDS: &[(&str, &str)] = &[
    ("not", "write ! for not, as in !wants_person or !(a && b)"),
    ("and", "write && for and"),
    ("or", "write || for or"),
    ("is", "write == to compare"),
    ("mentions", "write message.text.mentions(\"…\")"),
    ("contains", "write message.text.contains(\"…\")"),
];

/// Finds such a word outside of texts in quotes.
fn slip_of(source: &str) -> Option<&'static str> {
    let mut quote = None;
    let plain: String = source
        .chars()
        .map(|c| match (quote, c) {
            (None, '"' | '\'') => {
                quote = Some(c);
                ' '
            }
            (None, c) => c,
            (Some(open), c) => {
                quote = Some(open).filter(|open| *open != c);
                ' '
            }
        })
        .collect();
    let words = plain.split_whitespace().map(|word| word.trim_matches(['(', ')']).to_lowercase());
    words
        .into_iter()
        .find_map(|word| WORDS.iter().find(|(slip, _)| *slip == word).map(|(_, mend)| *mend))
}

/// Says in plain words what the parser says in its own.
fn unreadable(source: &str, errors: &ParseErrors) -> ConditionError {
    let errors = &errors.errors;
    let said = |error: &ParseError| Some(error.msg.strip_prefix("Syntax error: ")?.to_string());
    let place = |(line, column): (isize, isize)| {
        (usize::try_from(line).unwrap_or(1).max(1), usize::try_from(column).unwrap_or(1).max(1))
    };
    let (line, column) = errors.first().map_or((1, 1), |error| place(error.pos));
    let (what, mend) = if errors.iter().any(|error| error.msg.contains("Recursion limit")) {
        (TOO_DEEP.to_string(), SHORTER)
    } else {
        let said = errors.iter().find_map(said);
        let said = said.or_else(|| errors.first().map(|error| error.msg.clone()));
        let said = said.unwrap_or_default();
        let said = said.split(" expecting ").next().unwrap_or_default();
        let slip = SLIPS.iter().find(|(slip, _)| said.contains(slip)).map(|(_, mend)| *mend);
        let slip = slip.or_else(|| slip_of(source));
        let mend = slip.unwrap_or("docs/routing.md shows what conditions look like");
        (format!("the condition cannot be read: {said}"), mend)
    };
    ConditionError { line, column, what, mend: mend.into() }
}

/// Finds what nests deeper than [`MAX_DEPTH`], without nesting calls itself.
fn too_deep(expr: &IdedExpr) -> Option<&IdedExpr> {
    let mut waiting = vec![(expr, 0)];
    while let Some((at, depth)) = waiting.pop() {
        if depth > MAX_DEPTH {
            return Some(at);
        }
        let below = match &at.expr {
            Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
            Expr::Select(select) => vec![&*select.operand],
            Expr::List(list) => list.elements.iter().collect(),
            _ => Vec::new(),
        };
        waiting.extend(below.into_iter().map(|at| (at, depth + 1)));
    }
    None
}

struct Reader<'a> {
    catalogue: &'a Catalogue,
    info: &'a SourceInfo,
}

type Read = Result<(Node, Of), ConditionError>;

impl Reader<'_> {
    fn error(&self, at: &IdedExpr, what: String, mend: &str) -> ConditionError {
        let mut start = at;
        while let Expr::Select(select) = &start.expr {
            start = &select.operand;
        }
        let offset = self.info.offset_for(start.id).map_or(0, |(start, _)| start as usize);
        let before = self.info.source.get(..offset).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
        ConditionError { line, column, what, mend: mend.into() }
    }

    fn read(&self, at: &IdedExpr) -> Read {
        match &at.expr {
            Expr::Literal(literal) => self.literal(at, literal),
            Expr::List(list) => self.list(at, &list.elements),
            Expr::Ident(_) | Expr::Select(_) => self.fact(at),
            Expr::Call(call) => self.call(at, call),
            _ => {
                let what = "this part of the language is not for rules".into();
                Err(self.error(at, what, "docs/routing.md lists what conditions can hold"))
            }
        }
    }

    fn literal(&self, at: &IdedExpr, literal: &LiteralValue) -> Read {
        Ok(match literal {
            LiteralValue::Boolean(value) => (Node::Truth(*value.inner()), TRUTH),
            LiteralValue::Int(value) => (Node::Number(*value.inner() as f64), NUMBER),
            LiteralValue::UInt(value) => (Node::Number(*value.inner() as f64), NUMBER),
            LiteralValue::Double(value) if value.inner().is_finite() => {
                (Node::Number(*value.inner()), NUMBER)
            }
            LiteralValue::String(value) => (Node::Text(Text::from(value.inner())), TEXT),
            LiteralValue::Null => {
                let mend = "ask has(customer.tier) whether a fact is known";
                return Err(self.error(at, "no fact is ever null".into(), mend));
            }
            LiteralValue::Bytes(_) | LiteralValue::Double(_) => {
                let what = "neither a text, a number, true nor false".into();
                return Err(self.error(at, what, "write one of these"));
            }
        })
    }

    fn list(&self, at: &IdedExpr, elements: &[IdedExpr]) -> Read {
        let mut texts = Vec::new();
        let mut numbers = Vec::new();
        for element in elements {
            match self.read(element)? {
                (Node::Text(text), _) => texts.push(text.as_str().to_string()),
                (Node::Number(number), _) => numbers.push(number),
                _ => {
                    let what = "lists hold texts or numbers as they are".into();
                    return Err(self.error(element, what, "write \"…\" or a number"));
                }
            }
        }
        match (texts.is_empty(), numbers.is_empty()) {
            (_, true) => Ok((Node::Texts(texts), TEXTS)),
            (true, false) => Ok((Node::Numbers(numbers), Of::Numbers)),
            (false, false) => {
                Err(self.error(at, "the list mixes texts and numbers".into(), "write two lists"))
            }
        }
    }

    fn fact(&self, at: &IdedExpr) -> Read {
        let Some((name, test)) = path(at) else {
            let what = "only facts have parts".to_string();
            return Err(self.error(at, what, "write a fact such as customer.tier"));
        };
        let Some(id) = self.catalogue.find(&name) else {
            let error = self.catalogue.unknown(&name).to_string();
            let (what, mend) = error.split_once("; ").unwrap_or((&error, "mend the name"));
            if !name.contains('.') && !mend.starts_with("did you mean") {
                let mend =
                    format!("docs/routing.md lists all facts; a text stands in quotes: {name:?}");
                return Err(self.error(at, what.into(), &mend));
            }
            return Err(self.error(at, what.into(), mend));
        };
        let fact = self.catalogue.fact(id);
        if test && fact.known == Known::AfterDraft {
            let what = format!("{name} is known of every drafted answer");
            return Err(self.error(at, what, "ask answer.found whether there is one"));
        }
        if test {
            return Ok((Node::Has(id), TRUTH));
        }
        Ok((Node::Fact(id), Of::Kind(fact.kind)))
    }

    /// Reads `at` and refuses it when it does not come to `expected`.
    fn expect(&self, at: &IdedExpr, expected: Of) -> Result<Node, ConditionError> {
        let (node, of) = self.read(at)?;
        if of == expected {
            return Ok(node);
        }
        let what = format!("this is {of}, but {expected} is needed here");
        Err(self.error(at, what, "compare or replace it"))
    }

    fn pair(&self, call: &CallExpr, of: Of) -> Result<Box<[Node; 2]>, ConditionError> {
        let mut sides = call.target.iter().map(|target| &**target).chain(&call.args);
        match (sides.next(), sides.next(), sides.next()) {
            (Some(a), Some(b), None) => Ok(Box::new([self.expect(a, of)?, self.expect(b, of)?])),
            (Some(at), ..) | (None, _, Some(at)) | (None, Some(at), None) => {
                let what = format!("{} takes two things", call.func_name);
                Err(self.error(at, what, "docs/routing.md shows how"))
            }
            (None, None, None) => Err(ConditionError {
                line: 1,
                column: 1,
                what: format!("{} takes two things", call.func_name),
                mend: "docs/routing.md shows how".into(),
            }),
        }
    }
}

/// Returns the dotted name, and whether only its presence is asked for.
fn path(at: &IdedExpr) -> Option<(String, bool)> {
    match &at.expr {
        Expr::Ident(name) => Some((name.clone(), false)),
        Expr::Select(select) => {
            let (mut name, test) = path(&select.operand)?;
            if test {
                return None;
            }
            name.push('.');
            name.push_str(&select.field);
            Some((name, select.test))
        }
        _ => None,
    }
}
