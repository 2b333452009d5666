use crate::Office;
use async_trait::async_trait;
use jiff::Timestamp;
use router::Policy;
use std::collections::BTreeSet;
use store::{Ended, Errand, Notice, Post, Record};

/// A system that customers are written to through, or that is told of events, other than the
/// desk's own pages, which read the store.
///
/// Posts of one conversation come one after the other, in their order. A post whose attempt was
/// not noted, because this process died, comes again with `n_attempts` above 1.
///
/// A system that customers write through has three methods more: what it tells at the desk's door
/// is turned into notices by [`hear`](Self::hear), which are kept before they are acknowledged;
/// what they are about is then looked at by [`run`](Self::run), which reads the far side's own
/// record and has the office catch up with it ([`Office::catch_up`]).
#[async_trait]
pub trait Channel: Send + Sync {
    /// Whether posts for this destination are this channel's.
    fn takes(&self, destination: &str) -> bool;

    /// Whether the far side already has a post that was handed out before, and what it made of it.
    /// Asked before every repeated [`deliver`](Self::deliver); a far side that recognises the
    /// post's id by itself may be answered for with `None`.
    ///
    /// # Errors
    /// [`DeliveryError`].
    async fn has(&self, parcel: &Parcel<'_>) -> Result<Option<Delivered>, DeliveryError>;

    /// Sends a post.
    ///
    /// # Errors
    /// [`DeliveryError`].
    async fn deliver(&self, parcel: &Parcel<'_>) -> Result<Delivered, DeliveryError>;

    /// Why the bot cannot write to customers there, although people can; None: it can. What it would
    /// have said goes to people as a draft then.
    fn keeps_bot_silent(&self, _destination: &str) -> Option<&'static str> {
        None
    }

    /// Why people cannot write to customers there from here; None: they can.
    fn keeps_people_silent(&self, _destination: &str) -> Option<&'static str> {
        None
    }

    /// What has to be looked at to catch up with a conversation that the far side calls so; None:
    /// nothing can be.
    fn subject_of(&self, _external_id: &str) -> Option<String> {
        None
    }

    /// The last part of the address where the far side tells what happened, `/webhooks/NAME`;
    /// None: nobody tells anything.
    fn door(&self) -> Option<&str> {
        None
    }

    /// Proves that what came to the door is the far side's, and reads it. Quick, and without a
    /// look anywhere else: the far side waits.
    ///
    /// # Errors
    /// [`Unheard`].
    fn hear(&self, _told: &Call<'_>, _now: Timestamp) -> Result<Vec<Notice>, Unheard> {
        Ok(Vec::new())
    }

    /// What is to be looked at from the start on, by itself; each is due at once.
    fn rounds(&self) -> Vec<String> {
        Vec::new()
    }

    /// Looks at something of the far side.
    async fn run(&self, _office: &Office, _errand: &Errand) -> Ended {
        Ended::Done
    }
}

/// A post on its way out.
#[derive(Debug)]
pub struct Parcel<'a> {
    /// What is sent.
    pub post: &'a Post,
    /// The conversation that it belongs to.
    pub record: &'a Record,
    /// The far side's names for what came from there or went there before.
    pub taken: &'a BTreeSet<String>,
    /// The desk's teams and rules.
    pub policy: &'a Policy,
}

/// What became of a post.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// What the far side said, such as `HTTP 200`, without customer data.
    pub said: String,
    /// The far side's names for what it made of the post, where it tells: when they come back from
    /// there, they are known.
    pub names: Vec<String>,
}

/// What came to a channel's door.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// Finds a header by its name in lower case.
    pub header: &'a (dyn Fn(&str) -> Option<&'a str> + Sync),
    /// The body as it came.
    pub body: &'a [u8],
}

/// Why what came to the door is not heard; the texts hold nothing of what came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unheard {
    /// It is not proven to be the far side's.
    #[error("{0}")]
    Forged(String),
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

/// How long what was broken off may take its effect, in seconds: the far side heard the request and
/// answers nobody any more.
const AFTER_SILENCE_S: u64 = 30;

/// Why a post did not arrive; the texts hold no customer data and no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// It may arrive later: try again, not before so many seconds where the far side said so.
    #[error("{what}")]
    Later {
        /// What happened.
        what: String,
        /// Seconds that the far side asks to wait.
        after_s: Option<u64>,
    },
    /// No answer came in time: try again later, and the others first.
    #[error("no answer in time")]
    TimedOut,
    /// It will never arrive.
    #[error("{0}")]
    Never(String),
    /// It is not wanted any more, as things stand there.
    #[error("{0}")]
    Unwanted(String),
    /// It is kept back, as the channel is set; all is as if it had been done.
    #[error("{0}")]
    KeptBack(String),
}

impl Delivered {
    /// Notes what the far side said.
    pub fn said(said: impl Into<String>) -> Self {
        Self { said: said.into(), names: Vec::new() }
    }
}

impl DeliveryError {
    /// Whether no further attempt can change it.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Never(_) | Self::Unwanted(_) | Self::KeptBack(_))
    }

    /// Returns for how many seconds the far side wants quiet, where it said so, or may still be doing
    /// what it was asked for.
    pub(crate) fn after_s(&self) -> Option<u64> {
        match self {
            Self::Later { after_s, .. } => *after_s,
            Self::TimedOut => Some(AFTER_SILENCE_S),
            Self::Never(_) | Self::Unwanted(_) | Self::KeptBack(_) => None,
        }
    }
}
