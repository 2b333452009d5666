use jiff::Timestamp;
use std::{fs, io::Write, sync::Arc, time::Duration};
use tempfile::TempDir;
use tests::{
    intercom::{Pace, StandIn, StandInParts, WebhookFaults},
    program::Serving,
    sample,
};

/// One team that takes what the bot gives to people.
const ROUTING: &str = r#"
fallback_team = "support"

[ladder]
unsure = "hand_off"

[[team]]
slug = "support"
name = "Support"
[[team.member]]
slug = "ada"
name = "Ada"

[[rule]]
name = "Whoever wants a person is marked"
when = 'wants_person'
then = { tags = ["wants-person"], priority = "high" }
"#;

/// A desk of the built program, and the Intercom that it is connected to.
pub(crate) struct Desk {
    pub(crate) intercom: Arc<StandIn>,
    /// A teammate there, and the team.
    pub(crate) ada: String,
    pub(crate) support: String,
    folder: TempDir,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        let pace = Pace { n_at_once: 8, ..Pace::default() };
        let parts = StandInParts { pace, ..StandInParts::new(Arc::new(now)) };
        let intercom = StandIn::start(parts).await;
        let ada = intercom.with_admin("Ada");
        let support = intercom.with_team("Support", &[&ada]);
        let folder = tempfile::tempdir().unwrap();
        sample::write_settings(folder.path());
        let file = folder.path().join("frontdesk.toml");
        let settings = fs::read_to_string(&file).unwrap().replace("lease_s = 2", "lease_s = 10");
        let (bot, url) = (intercom.bot_admin(), intercom.url());
        let connected = format!(
            "{settings}\n[intercom]\naccess_token = \"stand-in-token\"\n\
             client_secret = \"stand-in-client-secret\"\nadmin_id = \"{bot}\"\napi_url = \"{url}\"\n"
        );
        fs::write(file, connected).unwrap();
        fs::write(folder.path().join("routing.toml"), ROUTING).unwrap();
        Self { intercom: Arc::new(intercom), ada, support, folder }
    }

    /// Address of the database.
    pub(crate) fn store(&self) -> String {
        format!("sqlite:{}", self.folder.path().join(".frontdesk/frontdesk.db").display())
    }

    pub(crate) fn serve(&self) -> Serving {
        let mut command = sample::command(env!("CARGO_BIN_EXE_frontdesk"), self.folder.path());
        command.env("FRONTDESK_STORE", self.store());
        Serving::start(command)
    }

    pub(crate) fn hear_at(&self, address: &str) {
        self.intercom.webhooks_to(Some(&format!("http://{address}/webhooks/intercom")));
    }

    /// Has everything go wrong at once.
    pub(crate) fn go_wrong(&self) {
        self.intercom.faults(|faults| {
            faults.rate_per_10s = Some(2_000);
            faults.failing = 0.01;
            faults.burst = 5;
            faults.failing_after = 0.02;
            faults.lost_answers = 0.02;
            faults.lost_requests = 0.02;
            faults.slow = 0.02;
            faults.slow_ms = 500;
            faults.webhooks = WebhookFaults {
                dropped: 0.05,
                duplicated: 0.1,
                reordered: 0.2,
                delayed: 0.05,
                delay_ms: 2_000,
            };
        });
    }

    /// Prints past the test harness, which would keep what a passing test prints.
    pub(crate) fn report(&self, figures: &str) {
        let requests = self.intercom.requests();
        let count =
            |status: Option<u16>| requests.iter().filter(|logged| logged.status == status).count();
        let failed = requests.iter().filter(|logged| logged.status >= Some(500)).count();
        let webhooks = self.intercom.webhooks();
        let mut took: Vec<u64> = webhooks.iter().map(|sent| sent.took_ms).collect();
        took.sort_unstable();
        let at = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
        let _ = writeln!(
            std::io::stderr(),
            "{figures}; {} calls, of which {} were refused with 429, {failed} failed and {} were \
             cut; {} notifications, acknowledged within {} ms (p50) and {} ms (p99)",
            requests.len(),
            count(Some(429)),
            count(None),
            webhooks.len(),
            at(50),
            at(99),
        );
    }
}

/// What time it is; both sides run by it.
#[expect(clippy::disallowed_methods, reason = "the server runs by the clock of the machine")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// How often somebody looks whether something has happened.
pub(crate) const LOOK: Duration = Duration::from_millis(100);
