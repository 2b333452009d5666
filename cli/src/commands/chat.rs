use super::ask::{as_text, ensure_index};
use crate::{Verdict, args, assembly, known, output, settings::Settings};
use bot::{Inquiry, Question};
use router::{Act, Author, Conversation, Decision, Event, Message, Status};
use std::io::{BufRead, IsTerminal, Write};

pub(crate) async fn run(settings: Settings, wanted: args::Chat) -> anyhow::Result<Verdict> {
    let desk = assembly::desk(settings).await?;
    let context = known::context(desk.policy(), &wanted.known)?;
    ensure_index(desk.library()).await?;
    let mut turns: Vec<Message> = Vec::new();
    let mut conversation = Conversation::default();
    let reader = knowledge::Reader::from(wanted.known.reader);
    eprintln!("ask away; an empty line ends the chat");
    while let Some(text) = read_line()? {
        turns.push(Message { author: Author::Customer, text });
        conversation.apply(&Event::CustomerWrote)?;
        let mut context = context.clone();
        context.conversation = Some(conversation.clone());
        let question = Question::after(turns.clone());
        let inquiry = Inquiry { question, reader: reader.clone(), context };
        let answer = desk.answer(&inquiry).await;
        output::line(format!("{}\n", as_text(&answer, desk.policy(), wanted.explain)))?;
        for event in events(&answer.decision) {
            conversation.apply(&event)?;
        }
        if conversation.status() == Status::Closed {
            turns.clear();
        } else if let Some(told) = answer.message {
            turns.push(Message { author: Author::Bot, text: told.to_string() });
        }
    }
    Ok(Verdict::Yes)
}

/// What a decision does to the conversation. Nobody takes over in a terminal, so that whatever is
/// handed off comes back to the bot at once.
fn events(decision: &Decision) -> Vec<Event> {
    let mut events = match decision.act() {
        Act::Reply(_) => vec![Event::BotReplied],
        Act::Clarify(_) => vec![Event::BotAsked],
        Act::Offer => vec![Event::BotOffered],
        Act::Resolve => vec![Event::Closed],
        Act::HandOff { team, .. } | Act::DraftOnly { team } => vec![
            Event::HandedOff { team: team.clone(), by_person: true },
            Event::HandedBack { by_person: true },
        ],
        Act::Hold | Act::Ignore => Vec::new(),
    };
    if decision.effects().close && matches!(decision.act(), Act::Reply(_)) {
        events.push(Event::Closed);
    }
    events
}

/// Reads a line from the terminal; `None` at its end or when it is empty.
fn read_line() -> anyhow::Result<Option<String>> {
    if std::io::stdin().is_terminal() {
        write!(std::io::stderr(), "> ")?;
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_until(b'\n', &mut bytes)?;
    let line = String::from_utf8_lossy(&bytes);
    let line = line.trim();
    Ok((!line.is_empty()).then(|| line.to_string()))
}
