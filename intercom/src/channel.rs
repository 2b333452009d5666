use crate::{
    client::{ApiError, Class, Client, Clock},
    deletions::DELETIONS,
    directory::{Directory, NAME},
    notice::{self, Subject},
    posts, signature,
    sync::{FOUND, POLL, Sightings, ended},
    wire::ExternalId,
    workspace::{ELSEWHERE, PEOPLE, PEOPLE_EVERY, Seen},
};
use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use bot::{Call, Channel, Delivered, DeliveryError, Office, Parcel, Unheard, config::Secret};
use jiff::Timestamp;
use router::Policy;
use std::{
    fmt,
    sync::{Arc, Mutex},
};
use store::{Ended, Errand, Store};
use tokio::sync::Semaphore;

/// The channel of conversations that are held by e-mail, where a bot's reply is not sent.
pub(crate) const BY_EMAIL: &str = "intercom-email";

/// What an errand is called that is about a company.
const COMPANY: &str = "company";

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
    pub(crate) bot: ExternalId,
    secret: Secret,
    /// The workspace as it was read last, and who may read it anew.
    pub(crate) seen: ArcSwapOption<Seen>,
    pub(crate) reading: Semaphore,
    pub(crate) store: Store,
    /// The vendor's name of the workspace that the desk was connected to, once it is known.
    pub(crate) home: ArcSwapOption<String>,
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
    /// Keeps which workspace the desk was connected to.
    pub store: Store,
    /// Tells the time.
    pub clock: Clock,
}

impl Intercom {
    /// Prepares the channel; connects to nothing yet.
    pub fn new(parts: IntercomParts) -> Self {
        let IntercomParts { client, bot, secret, mode, store, clock } = parts;
        Self {
            client,
            mode,
            clock,
            bot,
            secret,
            seen: ArcSwapOption::empty(),
            reading: Semaphore::new(1),
            store,
            home: ArcSwapOption::empty(),
            sightings: Mutex::default(),
        }
    }

    /// Returns who is who, for posts.
    ///
    /// # Errors
    /// [`DeliveryError::Later`].
    pub(crate) async fn known_directory(
        &self,
        policy: &Policy,
    ) -> Result<Arc<Directory>, DeliveryError> {
        match self.is_elsewhere(policy).await {
            Ok(false) => {}
            Ok(true) => {
                let after_s = Some(PEOPLE_EVERY.as_secs().unsigned_abs());
                return Err(DeliveryError::Later { what: ELSEWHERE.into(), after_s });
            }
            Err(failure) => return Err(unread(&failure)),
        }
        self.directory(policy).await.map_err(|failure| unread(&failure))
    }

    /// Reads the workspace, and remembers which one it is.
    async fn read_people(&self, office: &Office, errand: &Errand) -> Ended {
        let desk = office.desk();
        match self.read_workspace(desk.policy()).await {
            Ok(_) => {
                let at = office.now().saturating_add(PEOPLE_EVERY).unwrap_or(Timestamp::MAX);
                let app = self.app();
                if errand.memo.is_some() && app.is_some() && errand.memo != app {
                    tracing::error!("{ELSEWHERE}");
                }
                let home = errand.memo.clone().or(app);
                self.home.store(home.clone().map(Arc::new));
                Ended::Again(at, home)
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

    fn keeps_people_silent(&self, _: &str) -> Option<&'static str> {
        (self.mode != Mode::Live).then_some(posts::NO_REPLIES)
    }

    fn subject_of(&self, external_id: &str) -> Option<String> {
        Some(format!("conversation:{external_id}"))
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
        // What happened in another workspace than the desk's own is nobody's business here, whatever
        // the token is of.
        let home = self.home.load_full();
        let is_elsewhere = told.app_id.zip(home).is_some_and(|(told, home)| told != *home);
        let subject = match told.subject {
            _ if is_elsewhere => None,
            Subject::Conversation { id, .. } if told.topic == "conversation.deleted" => {
                Some(format!("deleted:{id}"))
            }
            Subject::Conversation { id, .. } => Some(format!("conversation:{id}")),
            Subject::Contact { id } if gone => Some(format!("gone:{id}")),
            Subject::Contact { id } => Some(format!("contact:{id}")),
            Subject::Company { id } => Some(format!("{COMPANY}:{id}")),
            Subject::Ping | Subject::Article { .. } | Subject::Other => None,
        };
        let (channel, topic) = (NAME.to_string(), told.topic);
        Ok(vec![store::Notice { channel, external_id: told.id, topic, subject }])
    }

    fn rounds(&self) -> Vec<String> {
        vec![PEOPLE.into(), POLL.into(), DELETIONS.into()]
    }

    async fn run(&self, office: &Office, errand: &Errand) -> Ended {
        let (kind, id) = errand.subject.split_once(':').unwrap_or((&errand.subject, ""));
        // What asks the workspace nothing is done whichever it is.
        if kind != PEOPLE && kind != COMPANY {
            match self.is_elsewhere(office.desk().policy()).await {
                Ok(false) => {}
                Ok(true) => return Ended::Failed(office.now(), ELSEWHERE.into()),
                Err(failure) => return unending(office, ended(office, Err(failure))),
            }
        }
        match (kind, ExternalId::parse(id)) {
            (PEOPLE, _) => unending(office, self.read_people(office, errand).await),
            (POLL, _) => unending(office, self.poll(office, errand.memo.as_deref()).await),
            (DELETIONS, _) => {
                let looked = self.look_for_deletions(office, errand.memo.as_deref()).await;
                unending(office, looked)
            }
            ("conversation", Some(id)) => {
                self.catch_up_with(office, (&id, Class::Customer), errand.memo.as_deref()).await
            }
            // Customers whose webhook came go first.
            (FOUND, Some(id)) => {
                self.catch_up_with(office, (&id, Class::Context), errand.memo.as_deref()).await
            }
            ("deleted", Some(id)) => self.forget_if_gone(office, &id).await,
            (COMPANY, Some(id)) => self.outdate_company(office, &id).await,
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

fn unread(failure: &dyn fmt::Display) -> DeliveryError {
    let what = format!("the workspace's teams have not been read yet: {failure}");
    DeliveryError::Later { what, after_s: None }
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
