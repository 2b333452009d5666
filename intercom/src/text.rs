//! Intercom's HTML as text, and Markdown as Intercom's HTML.

mod reading;
mod writing;

pub use reading::to_text;
pub use writing::from_markdown;
