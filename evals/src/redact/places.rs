//! What is told by the words around it: where somebody lives, when they were born, how old they are.

use super::{Kind, words::is_word};
use regex::{Captures, Regex};

#[derive(Debug, Clone)]
pub(super) struct Places {
    /// Ways of writing an address; group 1 is what is taken out, words in group 2 must be no words.
    streets: Vec<Regex>,
    /// What may follow a street, up to a postcode.
    rest: Regex,
    /// What may follow a street on the same line: a flat, a postcode.
    unit: Regex,
    /// What is called a postcode.
    called: Regex,
    born: Regex,
    age: Regex,
}

/// A word of a name: capital first, or in capitals, with `'`, `-` and `.` within.
const CAPITAL: &str = r"\p{Lu}[^\s\d,;:?!]*";

/// What English streets end with.
const ENDS: &str = "Street|St|Road|Rd|Avenue|Ave|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Terrace|Crescent|Cres|Parkway|Pkwy|Highway|Hwy|Square|Squares|Sq|Close|Way|Place|Pl|Circle|Cir|Trail|Grove|Gardens|Mews|Row|Wharf|Quay|Bypass|Junction|Extension|Extensions|Isle|Mount|Heights|Ridge|Loop|Pike|Alley|Walk";

/// What streets are called that have it in one word with their name: German, Dutch, Scandinavian,
/// Finnish.
const JOINED: &str = "stra(?:ß|ss)e|str\\.|gasse|weg|platz|allee|damm|ufer|gürtel|steig|katu|kuja|tie|polku|raitti|rinne|tori|vägen|gatan|gränd|stigen|gade|vej|stræde|veien|vegen|gata|gate|laan|straat|plein|kade|dreef|singel|gracht|steenweg|hof";

/// What streets are called before their name.
const BEFORE: &str = r"ul\.|ulica|al\.|os\.|rue|avenue|av\.|avda\.?|avenida|boulevard|bd|calle|c/|carrer|rúa|rua|via|viale|vicolo|piazza|corso|plaza|paseo|place|chemin|impasse|quai|allée|travessa|largo|strada|str\.|travesía|camino|ctra\.?|estrada|λεωφόρος|οδός|ул\.|улица";

/// What stands behind the name of a street in Hungarian, Czech and Turkish.
const BEHIND: &str = "utca|útja|út|tér|köz|ulice|náměstí|nám\\.|sokak|caddesi|puistikko|puistotie";

impl Places {
    pub(super) fn new() -> Result<Self, regex::Error> {
        let word = CAPITAL;
        let few = format!(
            r"{word}(?:[ \t]+(?:{word}|de|da|do|dos|des|du|la|le|las|los|del|della|di|van|von|der|den|of|the|\d{{1,2}}th|\d{{1,2}}nd|\d{{1,2}}rd)){{0,4}}"
        );
        let ways = [
            // 221b Baker Street; 1659 Hoog St
            format!(r"\b(\d{{1,6}}[a-zA-Z]?[ ,]+(?:\d{{1,6}}[ ,]+)?(?:{word}[ ]+){{1,4}}(?:{ENDS})\b\.?)"),
            r"(?i:\b(\d{1,6}[a-z]?[ ,]+(?:\d{1,6}[ ,]+)?(?:[^\s\d,;:?!]+[ ]+){1,3}(?:street|road|avenue|lane|boulevard)))\b".to_string(),
            // Puruntie 82, Wingertweg 126, in lower case too
            format!(r"(?i:\b((?:\d{{1,6}}[ ,]+)?(?:[^\s\d,;:?!]+[ ]){{0,2}}[^\s\d,;:?!]{{2,}}[ -]?(?:{JOINED})[ ]\d{{1,5}}(?:[ ]?[a-z])?))(?:[^\p{{L}}\p{{N}}]|$)"),
            // Rue de Piétrain 371, ul. Jesionowa 127
            format!(r"(?:^|[^\p{{L}}\p{{N}}])((?:\d{{1,6}}[ ,]+)?(?i:{BEFORE})[ ]*(?:(?i:de|des|du|da|do|dos|del|della|dei|di|la|le|las|los|l'|d')[ ]*)*{few},?[ ]\d{{1,5}}[a-zA-Z]?)\b"),
            // 12 rue de la Paix
            format!(r"\b(\d{{1,5}}(?:[ ]?(?:bis|ter|[a-dA-D]))?,?[ ](?i:rue|avenue|boulevard|place|chemin|impasse|quai|allée)[ ](?:(?:de|des|du|la|le|l'|d')[ ]?)*{few})"),
            // Árpád fejedelem útja 3.
            format!(r"\b((?:\d{{1,6}}[ ,]+)?{word}(?:[ ]\p{{L}}+)?[ ](?i:{BEHIND})[ ]\d{{1,5}}\.?)"),
            // P.O. Box 104; PSC 7951, Box 9972 APO AA 69974
            r"(?i:\b((?:p\.?[ ]?o\.?[ ]?box|postfach|boîte postale|apartado)[ ]\d{1,6}))\b".to_string(),
            r"\b((?:PSC|CMR|Unit|USNS|USS|USCGC)[ ][\w ]{1,20},?(?:[ ]Box[ ]\d{1,6})?\s+[AFD]PO,?[ ]A[AEP][ ]\d{5}(?:-\d{4})?)\b".to_string(),
            // Apt. 595, Suite 501
            r"(?i:\b((?:apt|apartment|suite|ste|flat)\b\.?[ ]?#?\d{1,5}[a-z]?))\b".to_string(),
            // 5049 Harjukuja 54: a house before and behind a name that is no word
            format!(r"\b(\d{{2,6}}[ ]((?:{word}[ ]){{1,4}})\d{{1,4}}[A-Za-z]?)\b"),
            // CA 94107; SW1A 2AA
            r"\b((?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])[ ]\d{5}(?:-\d{4})?)\b".to_string(),
            r"\b([A-Z]{1,2}\d[A-Z\d]?[ ]\d[ABD-HJLNP-UW-Z]{2})\b".to_string(),
        ];
        let streets = ways.iter().map(|way| Regex::new(way)).collect::<Result<_, _>>()?;
        Ok(Self {
            streets,
            rest: Regex::new(
                r"(?i)^(?:[ ][^\n,\d]{1,30})?(?:[ \t]*[,\n](?:[ \t>]*(?:apt|suite|ste|unit|flat)\.?[ ]?\d{1,5}|[^\n,\d]{0,40})){1,5}?[ \t,>]*\b(\d{4,6}(?:-\d{3,4})?|[a-z]{1,2}\d[a-z\d]?[ ]\d[a-z]{2})\b",
            )?,
            unit: Regex::new(
                r"(?i)^,?[ ]*\n?[ >]*(?:apt|apartment|suite|ste|flat|unit)\b\.?[ ]?#?\d{1,5}[a-z]?\b",
            )?,
            called: Regex::new(
                r"(?i)\b(?:zip(?:[ ]?code)?|post[ ]?code|postal[ ]code|plz|code postal|código postal|cap)\b(?:[ ](?:number|is|to|was))*[ ]*[:#]?[ ]*([a-z]{0,2}-?\d[a-z\d]{1,5}(?:[- ]\d[a-z\d]{1,3})?)\b",
            )?,
            born: Regex::new(
                r"(?i)\b(?:born(?:[ ]on)?|date[ ]of[ ]birth|d\.?o\.?b\.?|birth[ ]?da(?:y|te)|geboren(?:[ ]am)?|geburtsdatum|née?[ ]le|date[ ]de[ ]naissance|nacid[oa][ ]el)\b(?:[ ](?:is|was|on))*[ ]*[:-]?[ ]*(\d{1,4}[./-]\d{1,2}[./-]\d{2,4}|(?:\d{1,2}(?:st|nd|rd|th)?[. ]+)?\p{L}{3,9}\.?[ ]+(?:\d{1,2}(?:st|nd|rd|th)?,?[ ]+)?\d{4})\b",
            )?,
            age: Regex::new(
                r"(?i)(?:\b(?:i['’]?m|i[ ]am|he['’]?s|she['’]?s|he[ ]is|she[ ]is|is[ ]an?|and|who[ ]is|turn(?:s|ed|ing)?|patient[ ]is|my[ ]\p{L}+[ ]is|age[ ]of|aged|age[ ]?:)[ ]*)(\d{1,3})\b([ -]*(?:years?[ -]old|y/?o\b|yrs?\b|year[ -]old)?)",
            )?,
        })
    }

    /// Returns where the first thing of a kind stands, in bytes.
    pub(super) fn first(&self, kind: Kind, text: &str) -> Option<(usize, usize)> {
        if !text.bytes().any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        match kind {
            Kind::Birth => group(&self.born.captures(text)?, 1),
            Kind::Age => self.age.captures_iter(text).find_map(|found| years(&found)),
            Kind::Address => self.address(text),
            _ => None,
        }
    }

    fn address(&self, text: &str) -> Option<(usize, usize)> {
        let streets = self.streets.iter().filter_map(|street| first_street(street, text));
        // The longest of those that begin first.
        let street = streets.min_by_key(|(start, end)| (*start, usize::MAX - end));
        let street = street.map(|(start, end)| (start, self.whole(text, end)));
        let called = self.called.captures(text).and_then(|found| group(&found, 1));
        street.into_iter().chain(called).min()
    }

    /// Returns where an address ends whose street ends at `end`.
    fn whole(&self, text: &str, end: usize) -> usize {
        let after = |end: usize| text.get(end..).unwrap_or_default();
        let longer =
            |pattern: &Regex, end: usize| pattern.find(after(end)).map(|more| end + more.end());
        longer(&self.rest, end).or_else(|| longer(&self.unit, end)).unwrap_or(end)
    }
}

/// Returns the first street that is none of what people write otherwise: `12 ways to get close`.
fn first_street(street: &Regex, text: &str) -> Option<(usize, usize)> {
    street.captures_iter(text).find_map(|found| {
        let words = found.get(2).map_or("", |words| words.as_str()).split(' ');
        if words.filter(|word| !word.is_empty()).any(|word| is_word(&word.to_lowercase())) {
            return None;
        }
        let (start, end) = group(&found, 1)?;
        let whole = text.get(start..end)?;
        // Of a name there is a capital, or a word that is none of the language's.
        let names = whole.split(|c: char| !c.is_alphabetic()).filter(|part| part.len() > 1);
        let is_named =
            |part: &str| part.starts_with(char::is_uppercase) || !is_word(&part.to_lowercase());
        let is_box =
            whole.to_lowercase().contains("box") || found.len() == 2 && names.clone().count() < 2;
        (is_box || names.into_iter().any(is_named)).then_some((start, end))
    })
}

fn group(found: &Captures<'_>, number: usize) -> Option<(usize, usize)> {
    found.get(number).map(|part| (part.start(), part.end()))
}

/// Returns where the years of somebody's age stand. A bare number is one only behind words that say
/// so: "I am 2 days late" is none.
fn years(found: &Captures<'_>) -> Option<(usize, usize)> {
    let years = found.get(1)?;
    let is_said = found.get(2).is_some_and(|unit| unit.as_str().trim_matches([' ', '-']).len() > 1);
    let before = found.get(0)?.as_str().to_lowercase();
    let says = ["age", "turn"].iter().any(|word| before.starts_with(word));
    let n: u32 = years.as_str().parse().ok()?;
    ((is_said || says) && (1..=120).contains(&n)).then_some((years.start(), years.end()))
}
