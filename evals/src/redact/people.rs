//! Names that nobody listed, told by what stands around them: "my name is", a greeting, a title, the
//! end of a letter. Words that help centres use are no names; see `words.rs`.

use super::words::{is_name_too, is_word};
use regex::Regex;

/// Finds names.
#[derive(Debug, Clone)]
pub(super) struct People {
    contexts: Vec<Context>,
    /// What stands behind a name, and behind little else.
    behind: Regex,
    /// A name at the beginning of a text: words with a capital, initials and particles.
    here: Regex,
    /// The same anywhere, two words or more.
    row: Regex,
    /// The same, one word or more.
    any: Regex,
    /// Names in lower case, behind words that only a name follows.
    bare: Regex,
}

/// What stands before a name.
#[derive(Debug, Clone)]
struct Context {
    before: Regex,
    told: Told,
    /// Whether nothing else stands on the line of the name.
    is_last: bool,
}

/// How sure the words around a name make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Sure,
    Likely,
    /// By nothing but being several words that are none.
    Row,
}

/// Words of German that tell a text in it: there every noun has a capital.
const GERMAN: [&str; 12] =
    ["und", "ich", "nicht", "der", "die", "das", "ist", "mein", "meine", "für", "bitte", "wie"];

/// Words that follow the names of companies, streets and places.
const COMPANIES: [&str; 30] = [
    "ag",
    "associates",
    "bank",
    "city",
    "co",
    "company",
    "consulting",
    "corp",
    "corporation",
    "county",
    "foundation",
    "gmbh",
    "group",
    "holdings",
    "inc",
    "incorporated",
    "insurance",
    "island",
    "islands",
    "labs",
    "llc",
    "llp",
    "ltd",
    "orchestra",
    "partners",
    "road",
    "solutions",
    "street",
    "tv",
    "university",
];

/// More words than this share, all with a capital, are a heading or shouting, and tell no names.
const MOST_CAPITALS: f64 = 0.6;

/// Words from which on that share says something.
const LEAST_WORDS: usize = 6;

/// Words behind which only a name stands.
const SURE: [&str; 4] = [
    r"\b(?:mr|mrs|ms|miss|mx|dr|prof|professor|herrn?|frau|mme|mlle|monsieur|madame|señora?|sra|srta|signora?|dhr|mevr|pani?)\b\.?[ ]+",
    r"\b(?:(?:my|his|her|their|whose|full|real|the)[ ]names?(?:[ ]is|['’]s|[ ]are|[ ]was)?|mein[ ]name[ ]ist|ich[ ]hei(?:ß|ss)e|je[ ]m['’]appelle|mon[ ]nom[ ]est|me[ ]llamo|mi[ ]nombre[ ]es|mi[ ]chiamo|mijn[ ]naam[ ]is|ik[ ]heet|meu[ ]nome[ ]é|jag[ ]heter|jeg[ ]hedder)[ :]+",
    r"(?:^|\n|[,;>])[ \t>]*(?:your[ ]|full[ ]|first[ ]|last[ ]|card[ ]?holder[ ]|account[ ])?(?:name|surname|nachname|vorname|nom|prénom|nombre|attn|account[ ]holder|cardholder|recipient)[ \t]*[:=][ \t]*",
    r"name\?[ \n]+",
];

/// Words behind which a name may be the end of a letter.
const ENDS: [&str; 2] = [
    r"(?:regards|best|cheers|thanks|thank[ ]you|sincerely|yours|faithfully|greetings|wishes|gr(?:ü|ue)(?:ß|ss)en?|gru(?:ß|ss)|cordialement|saludos|atentamente|saluti|mvh|mfg|lg)[,.!]*[ \t]*\n\s*",
    r"\n[ \t]*(?:[-–—~]+|(?:from|signed)[:,]?)[ \t]*",
];

/// Words behind which a name or something else stands: what is no word counts.
const LIKELY: [&str; 3] = [
    r"\b(?:hi|hello|hey|dear|hallo|lieber?|moin|bonjour|salut|hola|ciao|olá|hej|good[ ](?:morning|afternoon|evening)|thanks|thank[ ]you|merci|danke|gracias|grazie|welcome|sorry|ok|okay|yes|no)[, ]+(?:again[, ]+)?",
    r"\b(?:i['’]?m|i[ ]am|this[ ]is|it['’]s|it[ ]is|ich[ ]bin|je[ ]suis|soy|sono|speak(?:ing)?[ ](?:to|with)|spoke[ ](?:to|with)|talk(?:ed|ing)?[ ](?:to|with)|named|called|calls?[ ]me|under|signed[ ]by|written[ ]by|directed[ ]by:?|starring|says|said|ask(?:ed)?[ ]for|on[ ]behalf[ ]of|attention[ ]of|belongs[ ]to|met)[ ]+",
    r"\b(?:wife|husband|partner|son|daughter|kid|child|mother|father|mom|mum|dad|brother|sister|boss|manager|colleague|co-?worker|friend|assistant|roommate|boyfriend|girlfriend|fiancée?|cousin|uncle|aunt|nephew|niece|grandmother|grandfather|neighbou?r|teacher|landlord|tenant|client)(?:['’]s[ ]name)?(?:[ ]is|,)?[ ]+",
];

/// What people do, and what is theirs.
const BEHIND: &str = r"^(?:,?[ ](?:said|says|told|wrote|writes|asked|asks|lives|lived|thinks|thought|replied|speaks?|spoke|had given|retired|married|was born|is from|is very|and I)\b|['’]s\b)";

impl People {
    pub(super) fn new() -> Result<Self, regex::Error> {
        let part = r"\p{Lu}[\p{L}'’-]*\p{L}";
        let particle = "(?:(?:d[aeiou]s?|della|van|von|der|den|bin|al|el|la|le|y|ten|ter|zu)[ ])";
        let more = format!(r"(?:[ \t]+(?:{particle}{{0,2}}{part}|\p{{Lu}}\b\.?))");
        let mut contexts = Vec::new();
        let all = [
            (&SURE[..], Told::Sure, false),
            (&ENDS, Told::Sure, true),
            (&LIKELY, Told::Likely, false),
        ];
        for (ways, told, is_last) in all {
            for way in ways {
                contexts.push(Context {
                    before: Regex::new(&format!("(?i){way}"))?,
                    told,
                    is_last,
                });
            }
        }
        let bare = Regex::new(
            r"(?i)\b(?:my[ ]name[ ](?:is|['’]s)|calls?[ ]me|mein[ ]name[ ]ist|ich[ ]hei(?:ß|ss)e|je[ ]m['’]appelle|me[ ]llamo|mi[ ]chiamo)[ ]+([^\s\d,.;:!?]{2,}(?:[ ]\p{L}\.)?(?:[ ][^\s\d,.;:!?]{2,})?)",
        )?;
        Ok(Self {
            contexts,
            behind: Regex::new(BEHIND)?,
            here: Regex::new(&format!(r"^(?:{part}|\p{{Lu}}\.){more}{{0,3}}"))?,
            row: Regex::new(&format!(r"{part}{more}{{1,3}}"))?,
            any: Regex::new(&format!(r"{part}{more}{{0,3}}"))?,
            bare,
        })
    }

    /// Returns where the first name stands, in bytes.
    pub(super) fn first(&self, text: &str) -> Option<(usize, usize)> {
        if let Some(found) = self.bare.captures(text).and_then(|found| uncommon(found.get(1)?)) {
            return Some(found);
        }
        if !text.chars().any(char::is_uppercase) {
            return None;
        }
        let find = |is_one: fn(Told) -> bool| {
            let some = self.contexts.iter().filter(|context| is_one(context.told));
            let firsts = some.filter_map(|context| self.behind_context(context, text));
            firsts.min_by_key(|(start, end)| (*start, usize::MAX - end))
        };
        if let Some(found) = find(|told| told == Told::Sure) {
            return Some(found);
        }
        // Where every noun has a capital, or every word, capitals tell less.
        if is_german(text) {
            return None;
        }
        let likely = if is_heading(text) {
            None
        } else {
            find(|told| told == Told::Likely).into_iter().chain(self.before_verb(text)).min()
        };
        let row = first_of(&self.row, text, Told::Row, |_| true);
        likely.into_iter().chain(row).min_by_key(|(start, end)| (*start, usize::MAX - end))
    }

    fn behind_context(&self, context: &Context, text: &str) -> Option<(usize, usize)> {
        context.before.find_iter(text).find_map(|before| {
            let rest = text.get(before.end()..)?;
            let found = self.here.find(rest)?;
            let after = rest.get(found.end()..)?.trim_start_matches([' ', '\t', ',', '.']);
            if context.is_last && !after.is_empty() && !after.starts_with('\n') {
                return None;
            }
            let (start, end) = name_in(found.as_str(), context.told)?;
            let taken = (before.end() + start, before.end() + end);
            is_person(text, taken).then_some(taken)
        })
    }

    /// Returns the first name that says or has something, or begins a line as who speaks.
    fn before_verb(&self, text: &str) -> Option<(usize, usize)> {
        first_of(&self.any, text, Told::Likely, |(start, end)| {
            let before = text.get(..start).unwrap_or_default().trim_end_matches([' ', '\t', '>']);
            let after = text.get(end..).unwrap_or_default();
            let speaks = after.starts_with(':') && (before.is_empty() || before.ends_with('\n'));
            speaks || self.behind.is_match(after)
        })
    }
}

/// Returns how far words go on that are none, from the first.
fn uncommon(words: regex::Match<'_>) -> Option<(usize, usize)> {
    let mut end = 0;
    for word in words.as_str().split_inclusive(' ') {
        let bare = word.trim_end_matches([' ', '.']);
        let is_initial = bare.chars().count() == 1 && end > 0;
        if !is_initial && is_word(&bare.to_lowercase()) {
            break;
        }
        end += word.len();
    }
    let taken = words.as_str().get(..end)?.trim_end();
    (!taken.is_empty()).then(|| (words.start(), words.start() + taken.len()))
}

/// Returns where the first name of a pattern stands that `counts`.
fn first_of(
    pattern: &Regex,
    text: &str,
    told: Told,
    counts: impl Fn((usize, usize)) -> bool,
) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(found) = pattern.find_at(text, from) {
        let taken = name_in(found.as_str(), told);
        let taken = taken.map(|(start, end)| (found.start() + start, found.start() + end));
        let taken = taken.filter(|taken| is_person(text, *taken) && counts(*taken));
        if taken.is_some() {
            return taken;
        }
        // The next one may begin with a word of this one.
        from = found.as_str().find([' ', '\t']).map_or(found.end(), |at| found.start() + at);
    }
    None
}

fn is_person(text: &str, (start, end): (usize, usize)) -> bool {
    let last = text.get(start..end).and_then(|name| name.rsplit(' ').next()).unwrap_or_default();
    !is_company(text, end) && !COMPANIES.contains(&last.to_lowercase().as_str())
}

/// Whether what ends there is the name of a company, a street or a place: the next word says so.
fn is_company(text: &str, end: usize) -> bool {
    let after = text.get(end..).unwrap_or_default();
    let after = after.strip_prefix([' ', ',']).unwrap_or(after).trim_start_matches(' ');
    let next = after.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    next.starts_with(char::is_uppercase) && COMPANIES.contains(&next.to_lowercase().as_str())
}

/// Returns the part of some words that is a name. Behind sure words that is everything up to the
/// first plain word ("Ada Lovelace Account"); elsewhere a stretch of words that are none, with
/// initials and names like "Mark" beside them.
fn name_in(words: &str, told: Told) -> Option<(usize, usize)> {
    let mut stretch: Option<(usize, usize)> = None;
    let mut n_sure = 0;
    let mut at = 0;
    for word in words.split([' ', '\t']) {
        let (start, end) = (at, at + word.len());
        at = end + 1;
        if word.is_empty() {
            continue;
        }
        let bare = word.split(['\'', '’']).next().unwrap_or_default().trim_end_matches('.');
        let lower = bare.to_lowercase();
        let is_initial = bare.chars().count() == 1;
        let is_particle = word.starts_with(char::is_lowercase);
        let is_unknown = !is_initial && !is_particle && !is_word(&lower) && !is_code(bare);
        let is_first = stretch.is_none();
        let fits = is_unknown
            || (is_name_too(&lower) && !is_particle)
            || (!is_first
                && (is_initial
                    || is_particle
                    || told == Told::Sure && n_sure > 0 && !is_listed_end(&lower)));
        if !fits {
            if n_sure > 0 {
                break;
            }
            (stretch, n_sure) = (None, 0);
            continue;
        }
        n_sure += usize::from(is_unknown || (told == Told::Sure && is_name_too(&lower)));
        // What ends in a particle or an initial ends before it.
        let until =
            if is_unknown || is_name_too(&lower) || told == Told::Sure { end } else { stretch?.1 };
        stretch = Some((stretch.map_or(start, |(start, _)| start), until));
    }
    let least = if told == Told::Row { 2 } else { 1 };
    stretch.filter(|_| n_sure >= least)
}

/// Words that end a name, however sure its beginning is.
fn is_listed_end(lower: &str) -> bool {
    is_word(lower) && !is_name_too(lower)
}

/// Whether letters are an abbreviation or a name like `iPhone`, `GmbH` rather than a person's.
fn is_code(word: &str) -> bool {
    let n_upper = word.chars().filter(|c| c.is_uppercase()).count();
    let n_letters = word.chars().count();
    n_upper == n_letters && n_letters < 5
}

fn is_german(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_alphabetic());
    words.filter(|word| GERMAN.contains(&word.to_lowercase().as_str())).count() > 1
}

fn is_heading(text: &str) -> bool {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 2).collect();
    let n_capital = words.iter().filter(|word| word.starts_with(char::is_uppercase)).count();
    words.len() >= LEAST_WORDS && n_capital as f64 > MOST_CAPITALS * words.len() as f64
}
