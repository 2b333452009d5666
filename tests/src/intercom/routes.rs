//! Which request does what. A request is answered in one go, with the workspace in hand.

mod content;
mod conversations;
mod labels;
mod people;
mod search;

use super::{Json, Refusal, request::Request, workspace::Workspace};

/// Answers a request with a status and a body; null is no body.
pub(crate) fn answer(workspace: &mut Workspace, request: &Request) -> Result<(u16, Json), Refusal> {
    if request.method == "DELETE" && request.segments.first().is_some_and(|first| first == "ai") {
        return content::remove(workspace, request);
    }
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let body = match segments[..] {
        ["conversations", ..] => conversations::answer(workspace, request, &segments[1..])?,
        ["me" | "admins" | "teams" | "contacts" | "companies", ..] => {
            people::answer(workspace, request, &segments)?
        }
        ["tags" | "data_attributes" | "ticket_types", ..] => {
            labels::answer(workspace, request, &segments)?
        }
        ["articles" | "ai", ..] => content::answer(workspace, request, &segments)?,
        _ => return Err(Refusal::not_found()),
    };
    Ok((200, body))
}
