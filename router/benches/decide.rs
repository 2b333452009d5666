//! How long does a decision take as the rules grow in number, and how long does it take to load
//! and to check them?
//!
//! No rule settles the conversation, so every one is read. Each decision begins with facts whose
//! text nobody has looked at. The check is timed on these rules and on sets of as many that are
//! made to be hard for it. The arguments are `--rounds` and `--sizes 10,100,1000`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its tables")]

#[path = "decide/hard.rs"]
mod hard;
#[path = "../../models/benches/measure.rs"]
mod measure;

use measure::{Table, machine, option, quantile, timed, turns};
use router::{
    Confidence, Facts, Finding, Ladder, Policy, Routing, Rule, Slug, Team, Topic, Value, explain,
    judge, triage,
};
use serde::Deserialize;
use std::{collections::BTreeSet, fmt::Write, hint::black_box};

/// Decisions of each round.
const DECISIONS: usize = 200;

/// Loads of each round.
const LOADS: usize = 5;

const TEAMS: usize = 10;

const TOPICS: usize = 30;

const SIGNALS: [&str; 10] = [
    "wants_person",
    "anger",
    "repetition",
    "thanks",
    "auto_reply",
    "spam",
    "unsafe",
    "regulated",
    "injection",
    "agrees",
];

const MESSAGE: &str = "Hello, since the update on Tuesday the export of our monthly report stops at \
    about forty percent and then says that something went wrong. I have tried it in two browsers \
    and on another computer. We pay for the business plan and need the figures for a meeting on \
    Friday, so please tell me what to do, or whether you can send me the file some other way.";

/// One thing that is measured.
#[derive(Clone, Copy)]
enum Work {
    Triage,
    Judge,
    Explain,
}

/// The rules, as a file holds them.
#[derive(Deserialize)]
struct File {
    rule: Vec<Rule>,
    team: Vec<Team>,
    topic: Vec<Topic>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rounds = option("--rounds").map_or(Ok(10), |n| n.parse())?;
    let sizes = option("--sizes").unwrap_or_else(|| "10,100,1000".to_owned());
    let sizes = sizes.split(',').map(str::parse).collect::<Result<Vec<usize>, _>>()?;
    println!("{}; {rounds} rounds of {DECISIONS} decisions\n", machine());
    let heads = ["rules", "triage µs", "judge µs", "explain µs", "judged a second", "load ms"];
    let mut table = Table::new(&heads);
    for size in &sizes {
        let routing = routing(*size, rule)?;
        let policy =
            Policy::new(routing.clone()).map_err(|errors| format!("{:?}", errors.first()))?;
        let facts = facts(&policy)?;
        let [triage, judge, explain] = times(&policy, &facts, rounds);
        let at = |times: &[f64]| {
            format!("{:.1} / {:.1}", quantile(times, 0.5) * 1e3, quantile(times, 0.99) * 1e3)
        };
        let loads: Vec<f64> = (0..rounds * LOADS)
            .map(|_| timed(|| black_box(Policy::new(routing.clone()))).1)
            .collect();
        table.row([
            size.to_string(),
            at(&triage),
            at(&judge),
            at(&explain),
            format!("{:.0}", 1e3 / quantile(&judge, 0.5)),
            format!("{:.1} / {:.1}", quantile(&loads, 0.5), quantile(&loads, 0.99)),
        ]);
    }
    println!("Decisions and loads, p50 / p99\n\n{table}");
    println!("Load and check, ms, p50 / p99\n\n{}", checks(&sizes, rounds)?);
    println!("load at the end: {}", machine());
    Ok(())
}

/// Times loading and checking each set of rules.
fn checks(sizes: &[usize], rounds: usize) -> Result<Table, Box<dyn std::error::Error>> {
    let now = "2026-11-23T09:00:00Z".parse()?;
    let mut table = Table::new(&["rules", "set", "load and check ms", "findings", "undecided"]);
    for size in sizes {
        for (name, rule) in [("realistic mix", rule as hard::Set)].into_iter().chain(hard::SETS) {
            let routing = routing(*size, rule)?;
            let mut flaws = Vec::new();
            let load = || Policy::new(routing.clone()).map(|policy| router::check(&policy, now));
            let mut times = Vec::new();
            for _ in 0..rounds {
                let (checked, ms) = timed(|| black_box(load()));
                flaws = checked.map_err(|errors| format!("{name}: {:?}", errors.first()))?;
                times.push(ms);
            }
            let open = flaws.iter().filter(|flaw| flaw.what.starts_with("no example was found"));
            table.row([
                size.to_string(),
                name.to_string(),
                format!("{:.1} / {:.1}", quantile(&times, 0.5), quantile(&times, 0.99)),
                flaws.len().to_string(),
                if open.count() > 0 { "some" } else { "none" }.to_string(),
            ]);
        }
    }
    Ok(table)
}

/// Milliseconds of each decision by triage, judge and explain, which take turns.
fn times(policy: &Policy, facts: &Facts, rounds: usize) -> [Vec<f64>; 3] {
    let works = [Work::Triage, Work::Judge, Work::Explain];
    let mut times = [const { Vec::new() }; 3];
    let finding = Finding::Draft(Confidence::new(0.5).unwrap_or(Confidence::NONE));
    for round in 0..=rounds {
        for n in turns(works.len(), round) {
            for _ in 0..DECISIONS {
                let facts = facts.clone();
                let ((), ms) = timed(|| match works[n] {
                    Work::Triage => drop(black_box(triage(policy, &facts))),
                    Work::Judge => drop(black_box(judge(policy, &facts, &finding))),
                    Work::Explain => drop(black_box(explain(policy, &facts, &finding))),
                });
                // The first round warms up.
                if round > 0 {
                    times[n].push(ms);
                }
            }
        }
    }
    times
}

/// A desk with this many rules, each written by `rule`.
fn routing(n_rules: usize, rule: hard::Set) -> Result<Routing, Box<dyn std::error::Error>> {
    let mut text = String::new();
    for n in 0..TEAMS {
        let owns = format!("[\"product {n}\", \"module {n}\", \"contract {n}\"]");
        writeln!(text, "[[team]]\nslug = \"team{n}\"\nname = \"Team {n}\"\nowns = {owns}")?;
    }
    for n in 0..TOPICS {
        let team = n % TEAMS;
        writeln!(text, "[[topic]]\nslug = \"topic{n}\"\nteam = \"team{team}\"")?;
    }
    for n in 0..n_rules {
        let (when, then) = rule(n);
        writeln!(text, "[[rule]]\nname = \"rule {n}\"\nwhen = '''{when}'''\nthen = {{ {then} }}")?;
    }
    let File { mut rule, team, topic } = toml::from_str(&text)?;
    for (n, rule) in rule.iter_mut().enumerate() {
        rule.line = n + 1;
    }
    Ok(Routing {
        fallback_team: Slug::try_from("team0".to_owned())?,
        teams: team,
        slas: Vec::new(),
        topics: topic,
        signals: SIGNALS.map(String::from).into(),
        tiers: Vec::new(),
        attributes: [("company.seats".to_owned(), router::Kind::Number)].into(),
        rules: rule,
        replies: BTreeSet::new(),
        questions: BTreeSet::new(),
        webhooks: BTreeSet::new(),
        ladder: Ladder::default(),
        threshold: Confidence::NONE,
        speaks: true,
    })
}

/// The condition and the consequences of the n-th rule, of the kinds that desks have; a tenth of
/// them set something.
fn rule(n: usize) -> (String, String) {
    let (team, topic) = (n % TEAMS, n % (TOPICS - 1) + 1);
    let tagged = format!("tags = [\"tag{n}\"], priority = \"high\"");
    let to = format!("hand_off = \"team{team}\"");
    match n % 10 {
        0 => (format!("topic.name == \"topic{topic}\" && topic.confidence >= 0.6"), to),
        1 => (format!("customer.plan == \"plan{n}\" && !(\"vip\" in customer.tags)"), to),
        2 => (format!("company.arr > {n} && company.days_to_renewal < 30"), tagged),
        3 => (
            format!(
                "message.text.mentions([\"refund {n}\", \"money back {n}\", \"charged {n} times\", \
                 \"cancel*\", \"invoice {n}\"])"
            ),
            to,
        ),
        4 => (
            format!("!open(\"team{team}\") && time.weekday in [\"saturday\", \"sunday\"]"),
            "hand_off = \"owner\"".to_owned(),
        ),
        5 => (format!("shows(\"anger\") && conversation.turns >= {}", n % 5 + 1), to),
        6 => (format!("company.health_score < {} || company.tier == \"t{n}\"", n % 40), to),
        7 => (format!("\"tag{n}\" in customer.tags || \"tag{n}\" in company.tags"), to),
        8 => (format!("signals.regulated >= 0.{} && company.seats > {n}", n % 9 + 1), to),
        _ => (format!("channel in [\"mail{n}\", \"fax{n}\"] && wants_person"), to),
    }
}

fn facts(policy: &Policy) -> Result<Facts, router::FactError> {
    let mut facts = Facts::new(policy.catalogue());
    let tags = ["beta", "emea", "annual"].map(String::from);
    for (name, value) in [
        ("message.text", Value::text(MESSAGE)),
        ("message.words", Value::Number(68.0)),
        ("topic.name", Value::text("topic0")),
        ("topic.confidence", Value::Number(0.9)),
        ("customer.plan", Value::text("business")),
        ("customer.tags", Value::Texts(tags.clone().into())),
        ("company.tags", Value::Texts(tags.into())),
        ("company.arr", Value::Number(48_000.0)),
        ("company.days_to_renewal", Value::Number(12.0)),
        ("company.health_score", Value::Number(71.0)),
        ("company.seats", Value::Number(40.0)),
        ("channel", Value::text("web")),
        ("conversation.turns", Value::Number(2.0)),
    ] {
        facts.set(policy.catalogue(), name, value)?;
    }
    Ok(facts)
}
