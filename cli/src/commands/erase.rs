use crate::{Verdict, assembly, known, output, settings::Settings};
use anyhow::Context;
use models::Shelf;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{
    io::{IsTerminal, Write},
    path::Path,
};
use store::{Actor, Audit, Customer, Id, Identity, Store};

/// Erases a customer for good and prints what may be kept as a proof: nothing of it tells who.
pub(crate) async fn run(
    settings: &Settings,
    as_json: bool,
    customer: &str,
    yes: bool,
) -> anyhow::Result<Verdict> {
    let store = Store::open(&settings.store_url()).await?;
    let cache = assembly::cache_folder(settings);
    let outcome = erase(&store, as_json, (customer, yes), &cache).await;
    store.close().await;
    outcome
}

async fn erase(
    store: &Store,
    as_json: bool,
    (customer, yes): (&str, bool),
    cache: &Path,
) -> anyhow::Result<Verdict> {
    let found = find(store, customer).await?;
    if !yes && !confirmed(&found)? {
        eprintln!("nothing was erased");
        return Ok(Verdict::No);
    }
    let n_conversations = store.erase(found.id).await?;
    // What models made of the words lies there under digests: nobody can tell whose it is.
    let n_cleared = Shelf::clear(cache).context(
        "the customer is erased, but not what evals kept of the words; remove the folder by hand",
    )?;
    let now = known::now();
    let id_sha256 = sha256(&found.id.to_string());
    let receipt = json!({
        "erased_at": now.to_string(),
        "customer_id_sha256": id_sha256,
        "conversations": n_conversations,
        "cache_bytes": n_cleared,
    });
    let audit = Audit {
        actor: Actor::Frontdesk,
        action: "customer.erased".into(),
        subject: id_sha256.clone(),
        detail: json!({"conversations": n_conversations}),
    };
    store.note(&audit, now).await.context("the customer is erased, but the audit log is not")?;
    if as_json {
        output::json(&receipt)?;
    } else {
        output::line(format!(
            "erased one customer with {n_conversations} conversations at {now}\nSHA-256 of the customer's id: {id_sha256}\ncleared from {}: {n_cleared} bytes",
            cache.display()
        ))?;
    }
    eprintln!(
        "backups, the logs of other systems, and files that eval wrote (cases, results, reports, --cache \
         elsewhere) hold copies of their own, see docs/running.md"
    );
    Ok(Verdict::Yes)
}

/// Finds a customer by the id here, else by how the desk's own site names them: that may look like
/// an id, too.
async fn find(store: &Store, customer: &str) -> anyhow::Result<Customer> {
    if let Ok(id) = customer.parse::<Id<Customer>>() {
        match store.customer(id).await {
            Err(store::Error::NotFound(_)) => {}
            found => return Ok(found?),
        }
    }
    let identity = Identity { realm: "desk".into(), external_id: customer.to_string() };
    let named = store.customer_named(&identity).await?;
    named.context("there is no such customer; give the id, as inbox and API show it")
}

fn confirmed(customer: &Customer) -> anyhow::Result<bool> {
    let terminal = std::io::stdin().is_terminal();
    anyhow::ensure!(
        terminal,
        "this cannot be undone; say --yes, as there is no terminal to ask on"
    );
    eprint!("Erase customer {} and all that was said, for good? Type yes: ", customer.id);
    std::io::stderr().flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim() == "yes")
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
