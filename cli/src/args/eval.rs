use super::Since;
use clap::{Args as Group, Subcommand, builder::PossibleValuesParser};
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum Eval {
    /// Run cases through the whole path; writes results.jsonl, summary.json, report.html,
    /// report.md and junit.xml
    Run(EvalRun),
    /// Compare two runs, or two desks over the same cases: what changes, for better or worse
    Compare(EvalCompare),
    /// Make cases of past conversations, without the people in them; exit 1 when a record is bad
    #[command(after_help = IMPORT)]
    Import(EvalImport),
    /// Part cases into those to learn from, to prove thresholds with and to measure on, as `calibrate`
    /// and `budget` do; writes train.jsonl, val.jsonl and test.jsonl
    Part {
        /// Files of cases
        #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
        cases: Vec<PathBuf>,
        /// The folder to write
        #[arg(short, long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Measure how well personal data is found in labelled texts, kind by kind
    Redaction {
        /// Labelled texts, in the format of Presidio's research data
        file: PathBuf,
    },
    /// Measure retrieval alone: words, meaning and both
    Retrieval {
        /// Files of cases; those that name no article are left out
        #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
        cases: Vec<PathBuf>,
    },
    /// Measure how well a signal is read from labelled messages: precision and recall
    Signals {
        /// The signal; messages with it as their topic show it, all others do not
        #[arg(long, default_value = "wants_person", value_name = "NAME")]
        signal: String,
        /// Files of messages, each line {"text", "topic": the signal or null, "split"?}; where some
        /// have "test" as their split, only those are measured
        #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
        utterances: Vec<PathBuf>,
    },
    /// Measure what the bot decided in live traffic by what people did; writes what `run` writes
    Shadow {
        #[command(flatten)]
        since: Since,
        /// The folder to write
        #[arg(short, long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Show how error budgets fare by what people say of answers; exit 1 when one is raised
    Live(EvalLive),
    /// Write what teammates said of drafts as cases, without personal data
    Labels {
        #[command(flatten)]
        since: Since,
        /// The file of cases to write
        #[arg(short, long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Compare the embedder with vectors of another implementation; exit 1 when they differ
    Embeddings {
        /// A file of lines {"text", "embedding": a list of numbers}
        #[arg(long, value_name = "FILE")]
        reference: PathBuf,
    },
    /// Fit the confidence to labelled cases
    Calibrate {
        /// Cases of this desk
        #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
        cases: Vec<PathBuf>,
        /// Further desks, each with its cases, as DIR=FILE; all are weighed alike
        #[arg(long, value_name = "DIR=FILE")]
        also: Vec<String>,
        /// The calibration file to write
        #[arg(short, long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Find the thresholds by which no more than a promised share of answers is wrong; exit 1 when
    /// the cases support none
    Budget(EvalBudget),
}

#[derive(Group)]
pub(crate) struct EvalBudget {
    /// Files of cases; those that `eval calibrate` learns from say where to begin, those marked test
    /// are left out
    #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
    pub(crate) cases: Vec<PathBuf>,
    /// Largest share of wrong answers, such as 0.05; those of the rules when left out
    #[arg(long, num_args = 1.., value_name = "SHARE", value_parser = inner_share)]
    pub(crate) error: Vec<f64>,
    /// Probability that a promise is kept
    #[arg(long, default_value = "0.95", value_name = "SHARE", value_parser = inner_share)]
    pub(crate) certainty: f64,
    /// Prove with what `eval calibrate` learns from too; for a calibration fitted to other cases
    #[arg(long)]
    pub(crate) all: bool,
    /// The file of budgets to write
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Group)]
pub(crate) struct EvalLive {
    /// Lift what was raised of this rule's budget as it burnt; its answers are counted anew
    #[arg(long, value_name = "RULE")]
    pub(crate) lift: Option<String>,
    /// Lift it for this topic alone
    #[arg(long, value_name = "TOPIC", requires = "lift")]
    pub(crate) topic: Option<String>,
}

#[derive(Group)]
pub(crate) struct EvalImport {
    /// Files that another program exported
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Which program: jsonl (cases), intercom, zendesk, chatwoot, csv; told by the fields of each
    /// record, and csv by the name of the file, when left out
    #[arg(long, value_name = "PROGRAM", value_parser = PossibleValuesParser::new(evals::import::From::NAMES.map(|(name, _)| name)))]
    pub(crate) from: Option<String>,
    /// The file of cases to write
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Which column of a table is what, such as question=Subject; may be given more than once
    #[arg(long, value_name = "WHAT=NAME")]
    pub(crate) column: Vec<String>,
    /// The same in a file of TOML, such as question = "Subject"
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Option<PathBuf>,
    /// What stands between columns: , ; | or tab; told by the first line, when left out
    #[arg(long, value_name = "SIGN")]
    pub(crate) delimiter: Option<String>,
    /// What routing.toml calls a team that the export names by its id alone, such as 8=billing; may
    /// be given more than once
    #[arg(long, value_name = "ID=TEAM")]
    pub(crate) team: Vec<String>,
    /// The same in a file of TOML, such as 8 = "billing"
    #[arg(long, value_name = "FILE")]
    pub(crate) teams: Option<PathBuf>,
    /// Leave names, addresses and numbers of people in the cases
    #[arg(long)]
    pub(crate) keep_personal: bool,
}

const IMPORT: &str = "A column is question, answer, conversation, team, rating, tags, channel, locale, \
at, page or customer; those that have such a name need not be mapped.";

#[derive(Group)]
pub(crate) struct EvalRun {
    /// Files of cases, one JSON object a line
    #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
    pub(crate) cases: Vec<PathBuf>,
    /// The folder to write
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Run every case anew, whatever an earlier run has left in the folder
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Where vectors and drafts are kept for later runs; .frontdesk/cache of the desk when left out
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
    /// Compute every vector and draft anew
    #[arg(long, conflicts_with = "cache")]
    pub(crate) no_cache: bool,
    /// Fail (exit 1) when fewer acts are right than this share, 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) least_act_accuracy: Option<f64>,
    /// Fail (exit 1) when more of the replies are wrong than this share, 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) most_wrong_replies: Option<f64>,
    /// The folder of an earlier run to compare with, in the report and by gates
    #[arg(long, value_name = "DIR")]
    pub(crate) baseline: Option<PathBuf>,
    /// What a million tokens of the generator cost, read and written, such as 0.15,0.60; tells what a
    /// thousand cases cost
    #[arg(long, value_name = "READ,WRITTEN", value_parser = price)]
    pub(crate) price: Option<evals::Price>,
    #[command(flatten)]
    pub(crate) gates: GateArgs,
}

#[derive(Group)]
pub(crate) struct GateArgs {
    /// Fail (exit 1) when this holds beyond chance: a figure, one of < <= > >=, and a number or
    /// `baseline`, such as "hit@5 < 0.8", "team_accuracy{billing} < 90 %" or
    /// "act_accuracy < baseline - 0.02"; can be given several times
    #[arg(long, value_name = "GATE")]
    pub(crate) fail_if: Vec<evals::Gate>,
    /// Let the values alone decide in --fail-if, however few cases are behind them
    #[arg(long)]
    pub(crate) strict: bool,
    /// Where the random numbers of intervals and tests begin; the same number gives the same figures
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub(crate) seed: u64,
}

#[derive(Group)]
pub(crate) struct EvalCompare {
    /// Two folders that `eval run` wrote: what was, and what is new
    #[arg(num_args = 2, value_name = "DIR", required_unless_present = "cases")]
    pub(crate) runs: Vec<PathBuf>,
    /// Files of cases to run through this desk and through another, instead of two folders
    #[arg(long, num_args = 1.., value_name = "FILE", conflicts_with = "runs")]
    pub(crate) cases: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) other: OtherDesk,
    /// The folder to write comparison.html, comparison.md and comparison.json to
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) gates: GateArgs,
}

/// What the second desk has that the first has not.
#[derive(Group)]
pub(crate) struct OtherDesk {
    /// Another desk's folder
    #[arg(long, value_name = "DIR", requires = "cases")]
    pub(crate) with: Option<PathBuf>,
    /// Other rules than the desk's routing.toml
    #[arg(long, value_name = "FILE", requires = "cases")]
    pub(crate) routing: Option<PathBuf>,
    /// Other folders with articles; they have an index of their own
    #[arg(long, num_args = 1.., value_name = "DIR", requires = "cases")]
    pub(crate) articles: Vec<PathBuf>,
    /// Another value of a setting, as in frontdesk.toml, such as answers.threshold=0.8; can be given
    /// several times
    #[arg(long, value_name = "KEY=VALUE", requires = "cases")]
    pub(crate) set: Vec<String>,
}

/// Reads a share that is neither none nor all.
fn inner_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "not a number above 0 and below 1".into())
}

/// Reads two prices.
fn price(text: &str) -> Result<evals::Price, String> {
    let number = |text: &str| {
        let number = text.trim().parse().ok();
        number.filter(|number: &f64| number.is_finite() && *number >= 0.0)
    };
    let prices =
        text.split_once(',').and_then(|(read, written)| Some((number(read)?, number(written)?)));
    let (read, written) = prices.ok_or("not two prices, such as 0.15,0.60")?;
    Ok(evals::Price { read, written })
}

/// Reads a share; what is no number would pass every comparison of a gate.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "not a number between 0 and 1".into())
}
