use super::ask::{as_text, ensure_index};
use crate::{Verdict, args, assembly, known, output, settings::Settings};
use bot::{Inquiry, Question};
use router::{Act, Author, Conversation, Event, Message};
use std::io::{BufRead, IsTerminal, Write};

pub(crate) async fn run(
    settings: Settings,
    explain: bool,
    reader: args::Reader,
    stated: &args::Known,
) -> anyhow::Result<Verdict> {
    let desk = assembly::desk(settings).await?;
    ensure_index(desk.library()).await?;
    let mut turns: Vec<Message> = Vec::new();
    let mut conversation = Conversation::default();
    let context = known::context(desk.policy(), &reader, stated)?;
    let reader = knowledge::Reader::from(reader);
    eprintln!("ask away; an empty line ends the chat");
    while let Some(text) = read_line()? {
        turns.push(Message { author: Author::Customer, text });
        conversation.apply(&Event::CustomerWrote)?;
        let mut context = context.clone();
        context.conversation = Some(conversation.clone());
        let question = Question::after(turns.clone());
        let inquiry = Inquiry { question, reader: reader.clone(), context };
        let answer = desk.answer(&inquiry).await;
        output::line(format!("{}\n", as_text(&answer, desk.policy(), explain)))?;
        // Nobody takes over in a terminal, so the bot stays responsible.
        let event = match answer.decision.act() {
            Act::Reply(_) => Some(Event::BotReplied),
            Act::Clarify(_) => Some(Event::BotAsked),
            Act::Offer => Some(Event::BotOffered),
            Act::Resolve => Some(Event::Closed),
            _ => None,
        };
        if let Some(event) = event {
            conversation.apply(&event)?;
            let said = answer.message.unwrap_or_default();
            turns.push(Message { author: Author::Bot, text: said });
        }
    }
    Ok(Verdict::Yes)
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
