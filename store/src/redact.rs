use crate::{
    Error, Id, Record, Store,
    column::{Columns, plain},
    entry, post,
};
use serde_json::{Value as Json, json};

/// What stands where something was taken away.
const TAKEN_AWAY: &str = "[removed]";

impl Store {
    /// Erases a conversation and all that was kept of it; of the audit log remains who did what
    /// when, without circumstances.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn erase_conversation(&self, conversation: Id<Record>) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        let id = conversation.to_string();
        self.blot_out(&mut transaction, &id).await?;
        let gone = sqlx::query("DELETE FROM conversation WHERE id = $1").bind(&id);
        if gone.execute(&mut *transaction).await?.rows_affected() == 0 {
            return Err(Error::NotFound("conversation"));
        }
        transaction.commit().await?;
        self.leave_no_copy().await
    }

    /// Takes the words of a delivery away, and whatever the bot kept that may repeat them: drafts
    /// and traces of decisions from then on, and what was sent, or noted for people, because of it. Returns whether
    /// anything was still there.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn redact(&self, channel: &str, external_id: &str) -> Result<bool, Error> {
        let mut transaction = self.begin().await?;
        let sql = "SELECT l.conversation, l.number, e.kind, e.content FROM ledger l
             JOIN entry e ON e.conversation = l.conversation AND e.number = l.number
             WHERE l.channel = $1 AND l.external_id = $2";
        let query = sqlx::query(sql).bind(plain(channel)).bind(plain(external_id));
        let Some(row) = query.fetch_optional(&mut *transaction).await? else { return Ok(false) };
        let columns = Columns(&row);
        let (id, number) = (columns.text("conversation")?, columns.number("number")?);
        let mut content: Json = columns.json("content")?;
        if content.get("text").is_none_or(|text| text == TAKEN_AWAY) {
            return Ok(false);
        }
        content["text"] = json!(TAKEN_AWAY);
        sqlx::query("UPDATE entry SET content = $3 WHERE conversation = $1 AND number = $2")
            .bind(&id)
            .bind(number)
            .bind(content.to_string())
            .execute(&mut *transaction)
            .await?;
        for sql in [
            "UPDATE decision SET trace = 'null', draft = NULL
             WHERE conversation = $1 AND about >= $2",
            "UPDATE post SET body = 'null' WHERE conversation = $1 AND state <> 'pending'
                AND created_at >= (SELECT at FROM entry WHERE conversation = $1 AND number = $2)",
            // A note that waits repeats the words; replies are the bot's own, and are needed.
            "UPDATE post SET body = 'null', state = 'cancelled', head = 0
             WHERE conversation = $1 AND state = 'pending' AND kind = 'note'
                AND created_at >= (SELECT at FROM entry WHERE conversation = $1 AND number = $2)",
            "UPDATE conversation SET preview = '' WHERE id = $1 AND n_entries >= $2",
        ] {
            let query = sqlx::query(sql).bind(&id).bind(number);
            query.execute(&mut *transaction).await?;
        }
        let channels = sqlx::query("SELECT DISTINCT destination FROM post WHERE conversation = $1");
        for row in channels.bind(&id).fetch_all(&mut *transaction).await? {
            let line = (id.clone(), Columns(&row).text("destination")?);
            post::advance(&mut transaction, &line).await?;
        }
        entry::index_anew(&mut transaction, self.dialect, &id).await?;
        self.blot_out(&mut transaction, &id).await?;
        transaction.commit().await?;
        self.leave_no_copy().await?;
        Ok(true)
    }
}
