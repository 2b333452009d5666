use crate::config::{Answers, Fault};
use router::{Confidence, Policy, PolicyError, Rule, Slug, Team};
use serde::Deserialize;
use std::path::Path;

/// What `routing.toml` holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoutingFile {
    fallback_team: Slug,
    #[serde(default)]
    team: Vec<Team>,
    #[serde(default)]
    rule: Vec<Rule>,
}

/// Reads the policy of a desk from the text of its `routing.toml`.
///
/// # Errors
/// Every [`Fault`] in it, with its line.
pub fn read_policy(file: &Path, text: &str, answers: &Answers) -> Result<Policy, Vec<Fault>> {
    let parsed: RoutingFile =
        toml::from_str(text).map_err(|source| vec![Fault::of_toml(file, text, &source)])?;
    let threshold = Confidence::new(answers.threshold).ok_or_else(|| {
        let what = "answers.threshold is not a probability".into();
        vec![Fault {
            file: file.to_path_buf(),
            line: None,
            what,
            mend: "set it between 0 and 1".into(),
        }]
    })?;
    let policy = Policy::new(parsed.fallback_team, parsed.team, parsed.rule, threshold);
    let mut policy =
        policy.map_err(|errors| errors.iter().map(|e| fault(file, text, e)).collect::<Vec<_>>())?;
    policy.replies = answers.replies;
    Ok(policy)
}

fn fault(file: &Path, text: &str, error: &PolicyError) -> Fault {
    let (name, last) = match error {
        PolicyError::UnknownTeam { team, .. } => (team, false),
        PolicyError::Twice { name, .. } => (name, true),
        PolicyError::NeverMatches(name) => (name, false),
    };
    let holds = |line: &&(usize, &str)| line.1.contains(&format!("\"{name}\""));
    let lines: Vec<(usize, &str)> = text.lines().enumerate().collect();
    let found = if last { lines.iter().rfind(holds) } else { lines.iter().find(holds) };
    let message = error.to_string();
    let (what, mend) = message.split_once("; ").unwrap_or((message.as_str(), "mend the line"));
    Fault {
        file: file.to_path_buf(),
        line: found.map(|(index, _)| index + 1),
        what: what.into(),
        mend: mend.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn check(text: &str, expected: &str) {
        let answers = Config::load(None, std::iter::empty()).unwrap().answers;
        let faults = read_policy(Path::new("routing.toml"), text, &answers).unwrap_err();
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(faults.join("\n"), expected, "{text}");
    }

    #[test]
    fn faults_name_line_and_mend() {
        check(
            "fallback_team = \"front\"\n[[team]]\nslug = \"back\"\nname = \"Back\"",
            "routing.toml:1: fallback_team names team \"front\", which does not exist; known teams: back",
        );
        check(
            "fallback_team = \"a\"\n[[team]]\nslug = \"a\"\nname = \"A\"\nown = [\"x\"]",
            "routing.toml:5: unknown field `own`; did you mean \"owns\"?",
        );
        let team = "[[team]]\nslug = \"a\"\nname = \"A\"\n";
        check(
            &format!("fallback_team = \"a\"\n{team}{team}"),
            "routing.toml:6: team \"a\" is defined twice; rename one",
        );
        check(
            "fallback_team = \"A b\"",
            "routing.toml:1: \"A b\" is no short name: use lower-case letters, digits, - and _; mend the line, see docs/configuration.md",
        );
    }
}
