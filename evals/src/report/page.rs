use crate::gate::Judgement;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context, value::Value};

/// Every template, by the name under which others include it.
const TEMPLATES: [(&str, &str); 6] = [
    ("base.html", include_str!("base.html")),
    ("style.css", include_str!("style.css")),
    ("parts.html", include_str!("parts.html")),
    ("changes.html", include_str!("changes.html")),
    ("report.html", include_str!("report.html")),
    ("compare.html", include_str!("compare.html")),
];

/// Renders a page in which whatever it is given stays text.
pub(super) fn render(name: &str, values: Value) -> anyhow::Result<String> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    let page = environment.get_template(name)?.render(values)?;
    // Control characters have no place in HTML; some viewers stop reading at one.
    let visible = |c: char| {
        if c.is_control() && c != '\n' && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }
    };
    Ok(page.chars().map(visible).collect())
}

pub(super) fn show_gates(gates: &[Judgement]) -> Vec<Value> {
    let one = |judged: &Judgement| {
        context! { has_failed => judged.has_failed, is_idle => judged.is_idle, line => judged.line.as_str() }
    };
    gates.iter().map(one).collect()
}
