use super::ask::{as_text, ensure_index};
use crate::{Verdict, assembly, output, settings::Settings};
use bot::Question;
use router::{Act, Author, Message};
use std::io::{BufRead, IsTerminal, Write};

pub(crate) async fn run(
    settings: Settings,
    explain: bool,
    reader: knowledge::Reader,
) -> anyhow::Result<Verdict> {
    let desk = assembly::desk(settings).await?;
    ensure_index(desk.library()).await?;
    let mut turns: Vec<Message> = Vec::new();
    eprintln!("ask away; an empty line ends the chat");
    while let Some(text) = read_line()? {
        turns.push(Message { author: Author::Customer, text });
        let answer = desk.answer(&Question::after(turns.clone()), &reader).await;
        output::line(format!("{}\n", as_text(&answer, desk.policy(), explain)))?;
        let reply = answer.draft.filter(|_| *answer.decision.act() == Act::Reply);
        turns.extend(reply.map(|draft| Message { author: Author::Bot, text: draft.text }));
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
