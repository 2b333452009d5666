use crate::{
    Decided, Entry, Error, Id, Label, Outcome, Page, Record, Store,
    column::{Columns, plain},
    decision, entry, outcome, record,
};
use jiff::Timestamp;
use std::{collections::HashMap, sync::Arc};

/// How a conversation went, as far as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Where it stands now.
    pub record: Record,
    /// Its whole timeline, in order.
    pub entries: Vec<Entry>,
    /// What became of its episodes, with episode and time, oldest first.
    pub outcomes: Vec<(u32, Timestamp, Outcome)>,
}

/// A decision, with what came before and after it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The decision.
    pub decided: Decided,
    /// What a teammate made of its draft.
    pub label: Option<Label>,
    /// The conversation; decisions of one share it.
    pub course: Arc<Course>,
}

impl Store {
    /// Lists decisions of all conversations with how those went, newest first: for looking back
    /// over thousands, in a few queries a page. A conversation that is erased meanwhile is left out.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Damaged`].
    pub async fn judged(&self, page: &Page) -> Result<Vec<Judged>, Error> {
        let decisions = self.all_decisions(page).await?;
        let Some(last) = decisions.last() else { return Ok(Vec::new()) };
        let bounds = (page.end(), last.id.to_string());
        let mut labels = self.labels_within(&bounds).await?;
        let courses = self.courses_within(&bounds).await?;
        let judged = decisions.into_iter().filter_map(|decided| {
            let course = courses.get(&decided.conversation)?.clone();
            Some(Judged { label: labels.remove(&decided.id), course, decided })
        });
        Ok(judged.collect())
    }

    async fn labels_within(
        &self,
        (end, first): &(String, String),
    ) -> Result<HashMap<Id<Decided>, Label>, Error> {
        let sql = "SELECT * FROM label WHERE decision < $1 AND decision >= $2";
        let query = sqlx::query(sql).bind(end).bind(first);
        let rows = query.fetch_all(&self.reader).await?;
        let labels = rows.iter().map(|row| {
            let (_, label) = decision::read_label(row)?;
            Ok((label.decision, label))
        });
        labels.collect()
    }

    /// Reads the conversations that decisions of a range of ids are about.
    async fn courses_within(
        &self,
        (end, first): &(String, String),
    ) -> Result<HashMap<Id<Record>, Arc<Course>>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM conversation WHERE id IN
                (SELECT conversation FROM decision WHERE id < $1 AND id >= $2)",
        );
        let rows = rows.bind(plain(end)).bind(first).fetch_all(&self.reader).await?;
        let mut courses: HashMap<Id<Record>, Course> = HashMap::with_capacity(rows.len());
        for row in &rows {
            let record = record::read(row)?;
            let (entries, outcomes) = (Vec::new(), Vec::new());
            courses.insert(record.id, Course { record, entries, outcomes });
        }
        let rows = sqlx::query(
            "SELECT * FROM entry WHERE conversation IN
                (SELECT conversation FROM decision WHERE id < $1 AND id >= $2)
             ORDER BY conversation, number",
        );
        for row in rows.bind(end).bind(first).fetch_all(&self.reader).await? {
            if let Some(course) = courses.get_mut(&Columns(&row).id("conversation")?) {
                course.entries.push(entry::read(&row)?);
            }
        }
        let rows = sqlx::query(
            "SELECT * FROM outcome WHERE conversation IN
                (SELECT conversation FROM decision WHERE id < $1 AND id >= $2)
             ORDER BY at, episode, kind",
        );
        for row in rows.bind(end).bind(first).fetch_all(&self.reader).await? {
            if let Some(course) = courses.get_mut(&Columns(&row).id("conversation")?) {
                course.outcomes.push(outcome::read(&row)?);
            }
        }
        Ok(courses.into_iter().map(|(id, course)| (id, Arc::new(course))).collect())
    }
}
