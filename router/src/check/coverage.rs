use super::goal::{Goal, Todo};
use super::ground::Ground;
use super::search::{Answer, Question};
use super::{Example, Flaw, Severity, flaw, list, named};
use crate::condition::{Comparison, Node};
use crate::rule::Settle;
use crate::{Facts, Finding, Policy, Reason, Topic, Value, judge, owner::owner};
use std::collections::BTreeSet;

/// The built-in rule that ends every exchange with the bot.
const GUARD: &str = "Enough of the bot";
/// Messages of the bot after which an exchange is taken to go on for ever.
const FOR_EVER: f64 = 1000.0;

/// Finds topics that nobody looks after, rules that ask for topics where there are none, and
/// replies that the bot sends again and again.
pub(super) fn coverage(ground: &Ground<'_>, dead: &BTreeSet<usize>) -> Vec<Flaw> {
    let mut flaws: Vec<Flaw> = without_topics(ground).into_iter().collect();
    if ground.policy.teams().len() > 1 {
        flaws.extend((0..ground.policy.topics().len()).filter_map(|n| without_team(ground, n)));
    }
    if ground.policy.ladder().without.iter().any(|name| name == GUARD) {
        let rules = 0..ground.policy.checked().len();
        flaws.extend(rules.filter(|rule| !dead.contains(rule)).filter_map(|at| loops(ground, at)));
    }
    flaws
}

fn without_topics(ground: &Ground<'_>) -> Option<Flaw> {
    if !ground.policy.topics().is_empty() {
        return None;
    }
    let topic = ground.policy.catalogue().find("topic.name")?;
    let asks = ground.policy.checked().iter().enumerate().filter(|(_, rule)| {
        rule.condition.as_ref().is_some_and(|condition| condition.reads().contains(&topic))
    });
    let asks: Vec<usize> = asks.map(|(place, _)| place).collect();
    let what =
        format!("the desk has no topics, but rules ask for topic.name: {}", list(ground, &asks));
    let mend = "add a [[topic]] with examples, or learn topics with `frontdesk topics train`";
    let mut flaw = flaw(ground, Severity::Warning, *asks.first()?, (what, mend.into()));
    flaw.example = Example::of(ground, ground.plain.clone(), &|_| true);
    Some(flaw)
}

/// Whether a conversation comes to the fallback team because nothing else is known of it.
pub(super) fn is_open(policy: &Policy, facts: &Facts) -> bool {
    let decision = judge(policy, facts, &Finding::Nothing);
    let reasons = decision.reasons();
    !matches!(reasons.first(), Some(Reason::Rule(_))) && reasons.contains(&Reason::FallbackTeam)
}

/// A conversation that no rule ends, and that comes to the fallback team.
pub(super) fn open(ground: &Ground<'_>) -> Option<Facts> {
    let question = Question {
        ways: vec![Vec::new()],
        must_not_end: ground.ends_above(usize::MAX).to_vec(),
        ..Question::default()
    };
    let Answer::Found(facts) = ground.ask(&question) else { return None };
    is_open(ground.policy, &facts).then_some(facts)
}

/// Says that a conversation, the first of `n` among `all` that were looked at, is covered by
/// nothing.
pub(super) fn uncovered(ground: &Ground<'_>, facts: &Facts, n: usize, all: usize) -> Flaw {
    let catalogue = ground.policy.catalogue();
    let told = ["message.text", "topic.name"].map(|name| catalogue.find(name));
    let same = |other: &Facts| told.iter().flatten().all(|id| other.get(*id) == facts.get(*id));
    let shows = |other: &Facts| all == 0 || same(other);
    let fallback = ground.policy.fallback_team();
    let which = match all {
        0 => "some conversations".to_string(),
        _ => format!("{n} of {all} conversations"),
    };
    Flaw {
        severity: Severity::Note,
        rule: None,
        line: 0,
        key: Some("fallback_team".into()),
        what: format!(
            "no rule, topic or phrase covers {which}; what the bot does not answer of them reaches \
             the fallback team {fallback}"
        ),
        mend: "if another team shall get them, give it a phrase, a topic or a rule".into(),
        example: Example::of(ground, facts.clone(), &|other| {
            shows(other) && is_open(ground.policy, other)
        }),
    }
}

/// Whether conversations about a topic reach the fallback team for want of any other.
fn without_team(ground: &Ground<'_>, place: usize) -> Option<Flaw> {
    let topic = ground.policy.topics().get(place)?;
    if topic.team.is_some() || is_asked_for(ground, topic) {
        return None;
    }
    let catalogue = ground.policy.catalogue();
    let about = |example: Option<&String>| {
        let mut facts = ground.plain.clone();
        let text = example.map(Value::text);
        let known = [
            ("message.text", text),
            ("topic.name", Some(Value::text(topic.slug.as_str()))),
            ("topic.confidence", Some(Value::Number(1.0))),
        ];
        for (name, value) in known {
            if let Some((id, value)) = catalogue.find(name).zip(value) {
                facts.put(id, Some(value));
            }
        }
        facts
    };
    let nobody = |facts: &Facts| {
        owner(ground.policy, facts).why.contains(&Reason::FallbackTeam)
            && ground.first_end(ground.ends_above(usize::MAX), facts).is_none()
    };
    let examples = topic.examples.iter().map(Some);
    let mut examples = examples.chain(topic.examples.is_empty().then_some(None)).map(about);
    let facts = examples.find(nobody)?;
    let shows = |other: &Facts| *other == facts;
    let example = Example::of(ground, facts.clone(), &shows);
    let fallback = ground.policy.fallback_team();
    Some(Flaw {
        severity: Severity::Warning,
        rule: None,
        line: 0,
        key: Some(format!("topic.{place}.slug")),
        what: format!(
            "nobody looks after topic {:?}: no team is named for it and no rule asks for it, so \
             its conversations reach the fallback team {fallback}",
            topic.slug.as_str()
        ),
        mend: format!("write `team = \"{fallback}\"` or another team under the topic"),
        example,
    })
}

fn is_asked_for(ground: &Ground<'_>, topic: &Topic) -> bool {
    let Some(id) = ground.policy.catalogue().find("topic.name") else { return false };
    let mut facts = ground.plain.clone();
    facts.put(id, Some(Value::text(topic.slug.as_str())));
    let mut asked = false;
    for place in 0..ground.policy.checked().len() {
        ground.condition(place).visit(&mut |node| {
            let names = match node {
                Node::Compare(Comparison::Equal, pair)
                | Node::In(pair)
                | Node::StartsWith(pair)
                | Node::EndsWith(pair)
                | Node::Contains(pair) => pair.iter().any(|side| is_fact(side, id)),
                Node::Matches(side, _) | Node::Mentions(side, _) => is_fact(side, id),
                _ => false,
            };
            asked |= names && Goal::TRUE.takes(node.verdict(&facts));
        });
    }
    asked
}

fn is_fact(node: &Node, id: crate::FactId) -> bool {
    matches!(node, Node::Fact(fact) if *fact == id)
}

/// Whether a canned reply can be sent however often it was sent already.
fn loops(ground: &Ground<'_>, place: usize) -> Option<Flaw> {
    let rule = ground.rule(place);
    if rule.built_in() || rule.rule.then.close || !matches!(rule.settles, Some(Settle::Reply(_))) {
        return None;
    }
    let many = |name: &str| {
        let fact = Node::Fact(ground.policy.catalogue().find(name)?);
        Some(Node::Compare(Comparison::AtLeast, Box::new([fact, Node::Number(FOR_EVER)])))
    };
    let (replies, turns) = (many("conversation.bot_turns")?, many("conversation.turns")?);
    let mut ways = ground.ways_to(place, true);
    let long = [&replies, &turns].map(|node| Todo::new(node, Goal::TRUE));
    ways.iter_mut().for_each(|way| way.extend(long));
    let above = ground.ends_above(place);
    let question = Question { ways, must_not_end: above.to_vec(), ..Question::default() };
    let Answer::Found(facts) = ground.ask(&question) else { return None };
    let shows = |facts: &Facts| {
        [ground.condition(place), &replies, &turns]
            .iter()
            .all(|node| Goal::TRUE.takes(node.verdict(facts)))
            && ground.first_end(above, facts).is_none()
    };
    let what = format!(
        "rule {} can send its reply without end, for the built-in rule {GUARD:?} is switched off",
        named(ground, place)
    );
    let mend = "add `&& conversation.bot_turns < 3` to its condition, or switch that rule on";
    let mut flaw = flaw(ground, Severity::Warning, place, (what, mend.into()));
    flaw.example = Example::of(ground, facts, &shows);
    Some(flaw)
}
