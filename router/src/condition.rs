use crate::{Catalogue, FactId, Facts, Known};
use std::fmt;

mod evaluate;
mod parse;

pub(crate) use parse::{Comparison, Node};

/// What a rule asks of a conversation: an expression in the Common Expression Language
/// (<https://github.com/google/cel-spec>), read and checked against a [`Catalogue`] once.
///
/// Of the language it takes `&&`, `||`, `!`, comparisons, `in`, `? :`, arithmetic, `has`, `size`,
/// `contains`, `startsWith`, `endsWith` and `matches`, and adds `mentions`, `shows` and `open`. All
/// numbers are decimals. What the language calls an error at run time, here only a missing fact
/// or a division by zero, is [`Verdict::Unknown`], and `&&` and `||` absorb it just as there.
#[derive(Debug, Clone)]
pub struct Condition {
    source: String,
    node: Node,
    reads: Vec<FactId>,
    needs_draft: bool,
}

/// What a [`Condition`] says of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Something that decides it is not known.
    Unknown,
}

/// An expression that is no condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionError {
    /// Line of the expression, from 1.
    pub line: usize,
    /// Letter of that line, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub mend: String,
}

impl fmt::Display for ConditionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.mend)
    }
}

impl std::error::Error for ConditionError {}

impl Condition {
    /// Reads an expression and checks that every fact in it exists, that kinds fit together, and
    /// that nothing is compared with what it can never be.
    ///
    /// # Errors
    /// The first [`ConditionError`].
    pub fn new(source: &str, catalogue: &Catalogue) -> Result<Self, ConditionError> {
        let node = parse::parse(source, catalogue)?;
        let mut reads = Vec::new();
        node.visit(&mut |node| {
            if let Node::Fact(id) | Node::Has(id) = node {
                reads.push(*id);
            }
        });
        reads.sort_unstable();
        reads.dedup();
        let needs_draft = reads.iter().any(|id| catalogue.fact(*id).known == Known::AfterDraft);
        Ok(Self { source: source.trim().into(), node, reads, needs_draft })
    }

    /// Returns the expression as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the facts that it asks for, each once, in the order of the catalogue.
    pub fn reads(&self) -> &[FactId] {
        &self.reads
    }

    /// Whether it asks for something that is only known of a drafted answer.
    pub fn needs_draft(&self) -> bool {
        self.needs_draft
    }

    /// Says whether it holds of a conversation.
    pub fn holds(&self, facts: &Facts) -> Verdict {
        evaluate::verdict(&self.node, facts)
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }
}

impl Node {
    /// Says what a node that is true or false comes to.
    pub(crate) fn verdict(&self, facts: &Facts) -> Verdict {
        evaluate::verdict(self, facts)
    }

    /// Calls `see` with this node and all below it.
    pub(crate) fn visit(&self, see: &mut impl FnMut(&Node)) {
        see(self);
        match self {
            Self::Truth(_)
            | Self::Number(_)
            | Self::Numbers(_)
            | Self::Text(_)
            | Self::Texts(_)
            | Self::Fact(_)
            | Self::Has(_) => {}
            Self::Not(node)
            | Self::Size(node)
            | Self::Matches(node, _)
            | Self::Mentions(node, _) => node.visit(see),
            Self::And(pair)
            | Self::Or(pair)
            | Self::Compare(_, pair)
            | Self::Arithmetic(_, pair)
            | Self::In(pair)
            | Self::Contains(pair)
            | Self::StartsWith(pair)
            | Self::EndsWith(pair) => pair.iter().for_each(|node| node.visit(see)),
            Self::If(three) => three.iter().for_each(|node| node.visit(see)),
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
