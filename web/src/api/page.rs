use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use store::Page;
use utoipa::{IntoParams, ToSchema};

/// Items of a page unless asked otherwise.
const USUAL: u32 = 20;

/// Most items of a page.
pub(super) const MOST: u32 = 100;

/// Which part of a long list, newest first, is asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// At most so many, 1 to 100; 20 unless given.
    #[param(minimum = 1, maximum = 100)]
    pub(super) limit: Option<u32>,
    /// Only what is older than this: the `next` of the page before.
    pub(super) before: Option<String>,
}

/// A part of a long list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Listed<T> {
    /// The items.
    pub(super) items: Vec<T>,
    /// What to ask with for the part that follows; null: this was the last one.
    pub(super) next: Option<String>,
}

/// Returns how many items are asked for.
///
/// # Errors
/// 422 beyond the bounds.
pub(super) fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked.unwrap_or(USUAL) {
        limit @ 1..=MOST => Ok(limit),
        other => Err(Problem::at("limit", format!("limit is from 1 to {MOST}, not {other}"))),
    }
}

impl Part {
    /// Returns what the store is asked for: one item more than the page has, which tells whether
    /// another page follows.
    ///
    /// # Errors
    /// 422 for a limit beyond the bounds or a cursor that is no id.
    pub(super) fn page(&self) -> Result<Page, Problem> {
        let limit = limit(self.limit)? + 1;
        let before = self.before.as_deref();
        let before = before.map(|id| super::asked::field::<store::Id<()>>("before", id));
        Ok(Page { before: before.transpose()?.map(|id| id.to_string()), limit })
    }
}

impl<T> Listed<T> {
    /// Makes the page of what the store found for [`Part::page`].
    pub(super) fn of<F>(
        mut found: Vec<F>,
        page: &Page,
        (id, show): (impl Fn(&F) -> String, impl FnMut(F) -> T),
    ) -> Self {
        let limit = usize::try_from(page.limit.saturating_sub(1)).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(id);
        Self { items: found.into_iter().map(show).collect(), next }
    }
}
