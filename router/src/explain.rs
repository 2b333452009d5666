use crate::walk::Outcome;
use crate::{Decision, Facts, Finding, Policy, Value, judge, rule::CheckedRule};

/// One rule of an [`Explanation`].
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Name of the rule.
    pub rule: String,
    /// Line of the file where it starts; 0 for a built-in rule.
    pub line: usize,
    /// Its condition; empty for a rule that always fits.
    pub when: String,
    /// The facts that its condition asks for, with what is known of each.
    pub saw: Vec<(String, Option<Value>)>,
    /// What became of it.
    pub outcome: Outcome,
}

/// Why a conversation took its way: every rule in the order in which it was read, and the decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// All rules.
    pub steps: Vec<Step>,
    /// What came of them.
    pub decision: Decision,
}

/// Judges, and keeps what every rule saw and why it fired or did not.
pub fn explain(policy: &Policy, facts: &Facts, finding: &Finding) -> Explanation {
    let seen = judge::with_finding(policy, facts, finding);
    let mut steps = Vec::new();
    let decision = judge::judge_seen(policy, facts, finding, &mut |rule, outcome| {
        steps.push(step(policy, &seen, rule, outcome));
    });
    Explanation { steps, decision }
}

fn step(policy: &Policy, facts: &Facts, rule: &CheckedRule, outcome: Outcome) -> Step {
    let reads = rule.condition.as_ref().map_or(&[][..], |condition| condition.reads());
    let saw =
        reads.iter().map(|id| (policy.catalogue().fact(*id).name.clone(), facts.get(*id).cloned()));
    Step {
        rule: rule.rule.name.clone(),
        line: rule.rule.line,
        when: rule.condition.as_ref().map_or(String::new(), |c| c.source().into()),
        saw: saw.collect(),
        outcome,
    }
}
