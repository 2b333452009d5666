//! The chat template of a model: turns in, the text that the model was trained on out.

use crate::{Error, Turn};
use minijinja::{Environment, ErrorKind, Value, context, syntax::SyntaxConfig};
use minijinja_contrib::pycompat::unknown_method_callback;

/// ChatML, for models whose file has no template: the form most chat models are trained on.
const CHAT_ML: &str = r"{% for message in messages %}
{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}
{%- endfor %}
{{ '<|im_start|>assistant\n' }}";

/// A template that has been read once; templates are Jinja, which minijinja runs with the string
/// methods of Python that model authors use.
///
/// `strftime_now` is deliberately undefined: templates that would date the prompt then take their
/// fixed date, and the shared prefix stays the same from day to day.
pub(crate) struct Template {
    environment: Environment<'static>,
    source: String,
    begin: String,
    end: String,
}

impl Template {
    /// Reads `source`, or takes ChatML; `begin` and `end` are the texts of the tokens that the
    /// model calls by these names, empty where it has none.
    ///
    /// # Errors
    /// The line and kind of the mistake.
    pub(crate) fn new(source: Option<&str>, begin: &str, end: &str) -> Result<Self, String> {
        let mut environment = Environment::new();
        // As the Python library that authors try their templates with sets it.
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| place(&error))?);
        environment.set_unknown_method_callback(unknown_method_callback);
        environment.add_function("raise_exception", |reason: String| -> Result<Value, _> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, reason))
        });
        let source = source.unwrap_or(CHAT_ML).to_owned();
        let fault = environment.template_from_named_str("chat", &source).err();
        match fault {
            Some(error) => Err(format!("the chat template cannot be read: {}", place(&error))),
            None => Ok(Self { environment, source, begin: begin.into(), end: end.into() }),
        }
    }

    /// Writes `turns` down, up to where the model's own turn begins.
    ///
    /// # Errors
    /// [`Error::Model`] when the template refuses these turns; never quotes them.
    pub(crate) fn render(&self, turns: &[Turn]) -> Result<String, Error> {
        let messages: Vec<Value> = turns
            .iter()
            .map(|turn| context! { role => turn.role.name(), content => turn.text.as_str() })
            .collect();
        let values = context! {
            messages => messages,
            add_generation_prompt => true,
            bos_token => self.begin.as_str(),
            eos_token => self.end.as_str(),
            tools => Value::from(()),
            documents => Value::from(()),
            // qwen3 otherwise writes its thoughts before the answer.
            enable_thinking => false,
        };
        self.environment.render_named_str("chat", &self.source, values).map_err(|error| {
            Error::Model(format!("the chat template refuses the prompt: {}", self.explain(&error)))
        })
    }

    /// Returns whether the template itself writes `mark`.
    pub(crate) fn writes(&self, mark: &str) -> bool {
        self.source.contains(mark)
    }

    /// Quotes the author's own words where there are some; anything else could be a customer's.
    fn explain(&self, error: &minijinja::Error) -> String {
        match error.detail() {
            Some(detail) if self.source.contains(detail) => {
                format!("{detail} ({})", place(error))
            }
            _ => place(error),
        }
    }
}

fn place(error: &minijinja::Error) -> String {
    format!("{}, line {}", error.kind(), error.line().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;

    fn turns() -> Vec<Turn> {
        [(Role::System, " Be brief. "), (Role::User, "Hello"), (Role::Assistant, "Hi")]
            .map(|(role, text)| Turn { role, text: text.into() })
            .into()
    }

    fn rendered(source: Option<&str>) -> Result<String, String> {
        let template = Template::new(source, "<s>", "</s>")?;
        template.render(&turns()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_model_without_template_speaks_chat_ml() {
        insta::assert_snapshot!(rendered(None).unwrap(), @r"
        <|im_start|>system
         Be brief. <|im_end|>
        <|im_start|>user
        Hello<|im_end|>
        <|im_start|>assistant
        Hi<|im_end|>
        <|im_start|>assistant
        ");
    }

    #[test]
    fn python_methods_and_special_tokens_work_as_authors_expect() {
        let source = "{{- bos_token }}\n{%- for m in messages %}\n    \
            {%- if m['role'].startswith('sys') %}\n[{{ m['content'].strip() | upper }}]\n    \
            {%- elif not loop.last %}\n{{ m.content + eos_token }}\n    {%- endif %}\n{%- endfor %}\
            {%- if strftime_now is defined %}dated{% endif %}\
            {%- if tools is not none %}tools{% endif %}\
            {%- if add_generation_prompt %}>{% endif %}";
        insta::assert_snapshot!(rendered(Some(source)).unwrap(), @"<s>[BE BRIEF.]Hello</s>>");
    }

    #[test]
    fn a_refusal_names_the_authors_reason_and_never_the_prompt() {
        let said = rendered(Some("{{ raise_exception('no system turns') }}")).unwrap_err();
        assert!(said.contains("no system turns"), "{said}");
        let said = rendered(Some("{{ raise_exception(messages[1].content) }}")).unwrap_err();
        assert!(said.contains("line 1") && !said.contains("Hello"), "{said}");
        let said = rendered(Some("{{ strftime_now('%Y') }}")).unwrap_err();
        assert!(said.contains("refuses"), "{said}");
        let said = rendered(Some("\n{% for")).unwrap_err();
        assert!(said.contains("cannot be read") && said.contains("line 2"), "{said}");
    }
}
