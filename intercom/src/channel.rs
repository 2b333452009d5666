use crate::{
    client::{ApiError, Class, Client, Clock},
    directory::{Directory, NAME},
    notice::{self, Subject},
    posts, signature,
    sync::Sightings,
    wire::ExternalId,
};
use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use bot::{Call, Channel, Delivered, DeliveryError, Office, Parcel, Unheard, config::Secret};
use jiff::{SignedDuration, Timestamp};
use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};
use store::{Ended, Errand};
use tokio::sync::Notify;

/// The channel of conversations that are held by e-mail, where a bot's reply is not sent.
pub(crate) const BY_EMAIL: &str = "intercom-email";

/// How long a post waits until they have been read for the first time.
const DIRECTORY: Duration = Duration::from_secs(20);

/// How often the workspace's teams and teammates are read again.
const PEOPLE_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// What the bot does in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It answers and hands over.
    Live,
    /// It leaves notes of what it would do, and does nothing else.
    Notes,
    /// It leaves no trace there; what it would do is kept here.
    Silent,
}

/// A workspace of Intercom as a channel of the desk: `intercom`, and `intercom-email` for what is
/// held by e-mail.
pub struct Intercom {
    pub(crate) client: Client,
    pub(crate) mode: Mode,
    pub(crate) clock: Clock,
    bot: ExternalId,
    secret: Secret,
    directory: ArcSwapOption<Directory>,
    directory_read: Notify,
    /// What the last polls found.
    pub(crate) sightings: Mutex<Sightings>,
}

/// What an [`Intercom`] is made of.
pub struct IntercomParts {
    /// Talks to the workspace.
    pub client: Client,
    /// The seat that the bot writes from.
    pub bot: ExternalId,
    /// Signs what the workspace tells (the app's client secret); unset: nothing is heard.
    pub secret: Secret,
    /// What the bot does.
    pub mode: Mode,
    /// Tells the time.
    pub clock: Clock,
}

impl Intercom {
    /// Prepares the channel; connects to nothing yet.
    pub fn new(parts: IntercomParts) -> Self {
        let IntercomParts { client, bot, secret, mode, clock } = parts;
        Self {
            client,
            mode,
            clock,
            bot,
            secret,
            directory: ArcSwapOption::empty(),
            directory_read: Notify::new(),
            sightings: Mutex::default(),
        }
    }

    /// Returns who is who, as it was read last; reads it when it never was.
    ///
    /// # Errors
    /// [`ApiError`].
    pub(crate) async fn directory(&self, office: &Office) -> Result<Arc<Directory>, ApiError> {
        match self.directory.load_full() {
            Some(directory) => Ok(directory),
            None => self.read_directory(office).await,
        }
    }

    async fn read_directory(&self, office: &Office) -> Result<Arc<Directory>, ApiError> {
        let client = self.client.of_class(Class::Context);
        let (teams, admins) = (client.teams().await?, client.admins().await?);
        let desk = office.desk();
        let directory = Arc::new(Directory::new(desk.policy(), &teams, &admins, &self.bot));
        self.directory.store(Some(Arc::clone(&directory)));
        self.directory_read.notify_waiters();
        Ok(directory)
    }

    /// Returns who is who, for posts, which have no office at hand. What waits to be sent when the
    /// desk starts waits here until that is read, for an attempt that comes too early would have it
    /// wait much longer.
    ///
    /// # Errors
    /// [`DeliveryError::Later`].
    pub(crate) async fn known_directory(&self) -> Result<Arc<Directory>, DeliveryError> {
        let read = self.directory_read.notified();
        tokio::pin!(read);
        read.as_mut().enable();
        if self.directory.load().is_none() {
            // Late or not: what counts is whether it is there.
            let _ = tokio::time::timeout(DIRECTORY, read).await;
        }
        self.directory.load_full().ok_or_else(|| DeliveryError::Later {
            what: "the workspace's teams have not been read yet".into(),
            after_s: None,
        })
    }

    async fn read_people(&self, office: &Office) -> Ended {
        match self.read_directory(office).await {
            Ok(_) => {
                let at = office.now().saturating_add(PEOPLE_EVERY).unwrap_or(Timestamp::MAX);
                Ended::Again(at, None)
            }
            Err(failure) => failed(office, &failure),
        }
    }
}

#[async_trait]
impl Channel for Intercom {
    fn takes(&self, destination: &str) -> bool {
        destination == NAME || destination == BY_EMAIL
    }

    async fn has(&self, parcel: &Parcel<'_>) -> Result<Option<Delivered>, DeliveryError> {
        posts::find(self, parcel).await
    }

    async fn deliver(&self, parcel: &Parcel<'_>) -> Result<Delivered, DeliveryError> {
        posts::deliver(self, parcel).await
    }

    fn keeps_bot_silent(&self, destination: &str) -> Option<&'static str> {
        (destination == BY_EMAIL)
            .then_some("Intercom keeps what a bot replies to an e-mail and does not send it")
    }

    fn door(&self) -> Option<&str> {
        Some(NAME)
    }

    fn hear(&self, call: &Call<'_>, _: Timestamp) -> Result<Vec<store::Notice>, Unheard> {
        let secret = self.secret.reveal().ok_or_else(|| {
            Unheard::Forged("intercom.client_secret is not set, so nothing can be proven".into())
        })?;
        signature::verify(secret, (call.header)(signature::HEADER), call.body)
            .map_err(|why| Unheard::Forged(why.to_string()))?;
        let told =
            notice::Notice::parse(call.body).map_err(|why| Unheard::Unreadable(why.to_string()))?;
        let gone = told.topic == "contact.deleted";
        let subject = match told.subject {
            Subject::Conversation { id, .. } => Some(format!("conversation:{id}")),
            Subject::Contact { id } if gone => Some(format!("gone:{id}")),
            Subject::Contact { id } => Some(format!("contact:{id}")),
            Subject::Ping | Subject::Company { .. } | Subject::Article { .. } | Subject::Other => {
                None
            }
        };
        let (channel, topic) = (NAME.to_string(), told.topic);
        Ok(vec![store::Notice { channel, external_id: told.id, topic, subject }])
    }

    fn rounds(&self) -> Vec<String> {
        vec!["people".into(), "poll".into()]
    }

    async fn run(&self, office: &Office, errand: &Errand) -> Ended {
        let (kind, id) = errand.subject.split_once(':').unwrap_or((&errand.subject, ""));
        match (kind, ExternalId::parse(id)) {
            ("people", _) => unending(office, self.read_people(office).await),
            ("poll", _) => unending(office, self.poll(office, errand.memo.as_deref()).await),
            ("conversation", Some(id)) => self.catch_up_with(office, &id).await,
            ("contact", Some(id)) => self.refresh_customer(office, &id).await,
            ("gone", Some(id)) => self.erase_customer(office, &id).await,
            _ => Ended::GivenUp("nothing is known of this kind".into()),
        }
    }
}

impl fmt::Debug for Intercom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intercom").field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// Keeps a round from being given up: nobody else would ask for it again.
fn unending(office: &Office, ended: Ended) -> Ended {
    match ended {
        Ended::GivenUp(why) => Ended::Failed(office.now(), why),
        ended => ended,
    }
}

/// Says when what failed is tried again; what can never work is given up.
pub(crate) fn failed(office: &Office, failure: &ApiError) -> Ended {
    match failure {
        ApiError::RateLimited { until } => Ended::Failed(*until, failure.to_string()),
        ApiError::Invalid { .. } => Ended::GivenUp(failure.to_string()),
        // A token or an address can be mended, a plan be changed, the vendor recover.
        _ => Ended::Failed(office.now(), failure.to_string()),
    }
}
