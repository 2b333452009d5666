use super::{
    Arithmetic, Comparison, ConditionError, NUMBER, Node, Of, Read, Reader, TEXT, TEXTS, TRUTH,
};
use crate::{Fact, Language, Phrases};
use cel::common::ast::{CallExpr, Expr, IdedExpr};

/// The words of the language that are calls, for the error that says what there is.
const KNOWN: &str = "has, size, contains, startsWith, endsWith, matches, mentions, shows, open";

/// A signal shows from here on: it is likelier than not.
const LIKELY: f64 = 0.5;

/// Facts with a name of their own in quotes: what they are, and how the catalogue writes them.
struct Named {
    what: &'static str,
    before: &'static str,
    after: &'static str,
}

const TEAM: Named = Named { what: "team", before: "open(\"", after: "\")" };
const SIGNAL: Named = Named { what: "signal", before: "signals.", after: "" };

impl Reader<'_> {
    pub(super) fn call(&self, at: &IdedExpr, call: &CallExpr) -> Read {
        let truth = |node: Node| Ok((node, TRUTH));
        if let (Some(comparison), [a, b]) = (comparison(&call.func_name), call.args.as_slice()) {
            return self.compare(comparison, a, b);
        }
        match (call.func_name.as_str(), call.target.as_deref(), call.args.as_slice()) {
            ("_&&_", None, _) => truth(Node::And(self.pair(call, TRUTH)?)),
            ("_||_", None, _) => truth(Node::Or(self.pair(call, TRUTH)?)),
            ("!_", None, [inner]) => truth(Node::Not(Box::new(self.expect(inner, TRUTH)?))),
            ("_+_" | "_-_" | "_*_" | "_/_", None, _) => self.arithmetic(call),
            ("-_", None, [inner]) => self.negate(inner),
            ("@in", None, [a, b]) => self.is_in(a, b),
            ("_?_:_", None, [condition, yes, no]) => self.choose(condition, yes, no),
            ("contains", Some(several), [one]) => match self.one_of_several(several, one) {
                Some(slip) => Err(slip),
                None => truth(Node::Contains(self.pair(call, TEXT)?)),
            },
            ("startsWith", Some(_), [_]) => truth(Node::StartsWith(self.pair(call, TEXT)?)),
            ("endsWith", Some(_), [_]) => truth(Node::EndsWith(self.pair(call, TEXT)?)),
            ("matches", Some(text), [pattern]) => self.matches(text, pattern),
            ("mentions", Some(text), [_, ..]) => self.mentions(text, &call.args),
            ("size", None, [inner]) | ("size", Some(inner), []) => self.size(inner),
            ("open", None, [team]) => self.named(team, &TEAM),
            ("shows", None, [signal]) => {
                let likely = Box::new([self.named(signal, &SIGNAL)?.0, Node::Number(LIKELY)]);
                truth(Node::Compare(Comparison::AtLeast, likely))
            }
            ("contains" | "startsWith" | "endsWith" | "matches" | "mentions", None, _) => {
                let name = call.func_name.as_str();
                let what = format!("{name:?} needs the text that it looks at before it");
                Err(self.error(at, what, &format!("write message.text.{name}(\"…\")")))
            }
            (name, ..) => {
                let name = name.trim_matches(['_', '@']);
                let what = format!("{name:?} cannot stand here like this");
                Err(self.error(at, what, &format!("conditions know {KNOWN} and operators")))
            }
        }
    }

    fn arithmetic(&self, call: &CallExpr) -> Read {
        let kind = match call.func_name.as_str() {
            "_+_" => Arithmetic::Add,
            "_-_" => Arithmetic::Subtract,
            "_*_" => Arithmetic::Multiply,
            _ => Arithmetic::Divide,
        };
        Ok((Node::Arithmetic(kind, self.pair(call, NUMBER)?), NUMBER))
    }

    fn compare(&self, comparison: Comparison, a: &IdedExpr, b: &IdedExpr) -> Read {
        let (left, of) = self.read(a)?;
        if let Some(slip) = self.one_of_several(a, b).or_else(|| self.one_of_several(b, a)) {
            return Err(slip);
        }
        let right = self.expect(b, of)?;
        if !matches!(comparison, Comparison::Equal | Comparison::NotEqual) && of != NUMBER {
            let what = format!("{of} is neither more nor less than another");
            return Err(self.error(a, what, "compare with == or !="));
        }
        if of == Of::Numbers {
            let what = "lists of numbers are not compared".into();
            return Err(self.error(a, what, "use `in`"));
        }
        self.possible(&left, &right, b)?;
        self.possible(&right, &left, a)?;
        Ok((Node::Compare(comparison, Box::new([left, right])), TRUTH))
    }

    /// Refuses a list of texts that is treated as one text, and says how it is asked for one.
    fn one_of_several(&self, several: &IdedExpr, one: &IdedExpr) -> Option<ConditionError> {
        let name = self.fact_of(several, TEXTS)?;
        let Expr::Literal(literal) = &one.expr else { return None };
        let Ok((Node::Text(text), _)) = self.literal(one, literal) else { return None };
        let what = format!("{name} is a list of texts, not one");
        Some(self.error(several, what, &format!("write {:?} in {name}", text.as_str())))
    }

    /// Returns the name of a fact of this kind that stands alone.
    fn fact_of(&self, at: &IdedExpr, of: Of) -> Option<&str> {
        match &at.expr {
            Expr::Ident(_) | Expr::Select(_) => match self.fact(at) {
                Ok((Node::Fact(id), kind)) if kind == of => Some(&self.catalogue.fact(id).name),
                _ => None,
            },
            _ => None,
        }
    }

    fn is_in(&self, a: &IdedExpr, b: &IdedExpr) -> Read {
        let (left, of) = self.read(a)?;
        let wanted = match of {
            NUMBER => Of::Numbers,
            TEXT => TEXTS,
            _ => {
                let what = format!("this is {of}, but a text or a number is needed before `in`");
                return Err(self.error(a, what, "write \"vip\" in customer.tags"));
            }
        };
        if let Some(name) = self.fact_of(b, TEXT).filter(|_| of == TEXT) {
            let what = format!("{name} is one text, not a list");
            let mend = format!("write {name} == \"…\" or {name}.contains(\"…\")");
            return Err(self.error(b, what, &mend));
        }
        let right = self.expect(b, wanted)?;
        let texts = if let Node::Texts(texts) = &right { texts.as_slice() } else { &[] };
        for text in texts {
            self.possible(&left, &Node::Text(text.as_str().into()), b)?;
        }
        let numbers = if let Node::Numbers(numbers) = &right { numbers.as_slice() } else { &[] };
        for number in numbers {
            self.possible(&left, &Node::Number(*number), b)?;
        }
        Ok((Node::In(Box::new([left, right])), TRUTH))
    }

    /// Refuses what a fact can never be.
    fn possible(&self, fact: &Node, value: &Node, at: &IdedExpr) -> Result<(), ConditionError> {
        let Node::Fact(id) = fact else { return Ok(()) };
        let fact = self.catalogue.fact(*id);
        let Fact { name, allowed, range, .. } = fact;
        match value {
            Node::Text(text)
                if !allowed.is_empty() && !allowed.iter().any(|a| a == text.as_str()) =>
            {
                let what = format!("{name} is never {:?}", text.as_str());
                Err(self.error(at, what, &format!("it is one of {}", allowed.join(", "))))
            }
            Node::Text(text) if name == "language" => match Language::of_locale(text.as_str()) {
                Some(language) if language.as_str() == text.as_str() => Ok(()),
                language => {
                    let what = format!("{name} is never {:?}", text.as_str());
                    let code = language.as_ref().map_or("en", Language::as_str);
                    let mend = format!("write a code in lower case without a region: {code:?}");
                    Err(self.error(at, what, &mend))
                }
            },
            Node::Number(number) if *number < range.0 || *number > range.1 => {
                let what = format!("{name} is never {number}");
                Err(self.error(at, what, &fact.bounds()))
            }
            _ => Ok(()),
        }
    }

    fn choose(&self, condition: &IdedExpr, yes: &IdedExpr, no: &IdedExpr) -> Read {
        let condition = self.expect(condition, TRUTH)?;
        let (left, of) = self.read(yes)?;
        let right = self.expect(no, of)?;
        Ok((Node::If(Box::new([condition, left, right])), of))
    }

    fn negate(&self, inner: &IdedExpr) -> Read {
        let node = match self.expect(inner, NUMBER)? {
            Node::Number(number) => Node::Number(-number),
            node => Node::Arithmetic(Arithmetic::Subtract, Box::new([Node::Number(0.0), node])),
        };
        Ok((node, NUMBER))
    }

    fn size(&self, inner: &IdedExpr) -> Read {
        match self.read(inner)? {
            (node, TEXT | TEXTS) => Ok((Node::Size(Box::new(node)), NUMBER)),
            (_, of) => {
                let what = format!("{of} has no size");
                Err(self.error(inner, what, "ask for the size of a text or of tags"))
            }
        }
    }

    fn matches(&self, text: &IdedExpr, pattern: &IdedExpr) -> Read {
        let node = self.expect(text, TEXT)?;
        let Node::Text(source) = self.expect(pattern, TEXT)? else {
            let what = "the pattern must be written out".into();
            return Err(self.error(pattern, what, "write matches(\"…\")"));
        };
        let regex = regex::RegexBuilder::new(source.as_str()).size_limit(1 << 20).build();
        let regex = regex.map_err(|source| {
            let text = source.to_string();
            let what = text.lines().next_back().unwrap_or_default();
            let what = what.trim_start_matches("error: ");
            let what = format!("the pattern cannot be read: {what}");
            self.error(pattern, what, "mend the pattern, or use mentions([\"…\"])")
        })?;
        Ok((Node::Matches(Box::new(node), regex), TRUTH))
    }

    fn mentions(&self, text: &IdedExpr, arguments: &[IdedExpr]) -> Read {
        let node = self.expect(text, TEXT)?;
        let mut phrases = Vec::new();
        for argument in arguments {
            match self.read(argument)? {
                (Node::Text(text), _) => phrases.push(text.as_str().to_string()),
                (Node::Texts(texts), _) => phrases.extend(texts),
                _ => {
                    let what = "mentions takes phrases".into();
                    return Err(self.error(argument, what, "write mentions([\"refund\"])"));
                }
            }
        }
        let phrases = Phrases::from(phrases);
        if phrases.is_empty() {
            let at = arguments.first().unwrap_or(text);
            let what = "mentions has no words to look for".into();
            return Err(self.error(at, what, "write at least one phrase"));
        }
        Ok((Node::Mentions(Box::new(node), phrases), TRUTH))
    }

    fn named(&self, at: &IdedExpr, named: &Named) -> Read {
        let Named { what, before, after } = named;
        let Node::Text(name) = self.expect(at, TEXT)? else {
            let error = format!("the name of the {what} must be written out");
            return Err(self.error(at, error, "write it in quotes"));
        };
        if let Some(id) = self.catalogue.find(&format!("{before}{}{after}", name.as_str())) {
            return Ok((Node::Fact(id), Of::Kind(self.catalogue.fact(id).kind)));
        }
        let names = self.catalogue.facts().iter();
        let known: Vec<&str> =
            names.filter_map(|fact| fact.name.strip_prefix(before)?.strip_suffix(after)).collect();
        let error = format!("there is no {what} {:?}", name.as_str());
        let mend = match known.as_slice() {
            [] => format!("define the {what} first"),
            known => format!("known: {}", known.join(", ")),
        };
        Err(self.error(at, error, &mend))
    }
}

fn comparison(name: &str) -> Option<Comparison> {
    Some(match name {
        "_==_" => Comparison::Equal,
        "_!=_" => Comparison::NotEqual,
        "_<_" => Comparison::Less,
        "_<=_" => Comparison::AtMost,
        "_>_" => Comparison::More,
        "_>=_" => Comparison::AtLeast,
        _ => return None,
    })
}
