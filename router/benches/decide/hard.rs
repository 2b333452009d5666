//! Sets of rules that are hard to check.

/// Writes the condition and the consequences of the n-th rule of a set.
pub(crate) type Set = fn(usize) -> (String, String);

/// The sets, by what makes them hard.
pub(crate) const SETS: [(&str, Set); 11] = [
    ("settings, all apart", apart),
    ("settings, all overlapping", overlapping),
    ("one number in steps", steps),
    ("one number, all apart", numbers),
    ("phrases but for others", phrases),
    ("sums of numbers", sums),
    ("sums of numbers, all apart", totals),
    ("terms of four tags", terms),
    ("patterns", patterns),
    ("long lists of phrases, all apart", lists),
    ("texts that begin alike", beginnings),
];

/// No two fit one conversation, and each must be told from each.
fn apart(n: usize) -> (String, String) {
    (format!("customer.plan == \"plan{n}\""), setting(n))
}

/// Any two fit one conversation.
fn overlapping(n: usize) -> (String, String) {
    let fact = ["company.arr", "company.seats", "company.health_score", "conversation.turns"];
    (format!("{} > {}", fact[n % 4], n / 4 % 90), setting(n / 4))
}

/// Each is reachable in one step of a number alone, or in none.
fn steps(n: usize) -> (String, String) {
    (format!("company.arr > {} && company.seats < {n}", 1_000_000 - n * 7), to(n))
}

/// Each sets something for one number.
fn numbers(n: usize) -> (String, String) {
    (format!("company.seats == {n}"), setting(n))
}

/// Each wants a phrase without the phrases of many others.
fn phrases(n: usize) -> (String, String) {
    let others: Vec<String> = (1..9).map(|k| format!("\"word{}*\"", (n * k) % 97)).collect();
    let others = others.join(", ");
    (
        format!("message.text.mentions(\"word{n} thing\") && !message.text.mentions([{others}])"),
        to(n),
    )
}

/// Each reckons with two numbers.
fn sums(n: usize) -> (String, String) {
    (format!("company.arr * 2 - company.seats > {} && company.seats > {n}", 9_000 - n), to(n))
}

/// Each sets something for one sum.
fn totals(n: usize) -> (String, String) {
    (format!("company.arr * 2 - company.seats == {n}"), setting(n))
}

/// Each is a term of four literals over twenty tags: whether a rule is reachable is as hard as the
/// complement of satisfiability.
fn terms(n: usize) -> (String, String) {
    let mut state = n as u64 + 1;
    let literals: Vec<String> = (0..4)
        .map(|_| {
            // Knuth's 64-bit linear congruential generator (MMIX).
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let not = if state >> 40 & 1 == 1 { "!" } else { "" };
            format!("{not}(\"tag{}\" in customer.tags)", (state >> 33) % 20)
        })
        .collect();
    (literals.join(" && "), to(n))
}

/// Each wants a text that fits its pattern and none of many others.
fn patterns(n: usize) -> (String, String) {
    (
        format!(
            "message.text.matches(\"(?i)order #?[0-9]{{{}}} .*item {n}\") && !message.text.matches(\"\\\\b[a-z]{{{}}}\\\\b\")",
            n % 9 + 1,
            n % 12 + 1
        ),
        to(n),
    )
}

/// Each sets something for one of forty phrases, none of which another has.
fn lists(n: usize) -> (String, String) {
    let phrases: Vec<String> = (0..40).map(|k| format!("\"thing {n} part {k}\"")).collect();
    (format!("message.text.mentions([{}])", phrases.join(", ")), setting(n))
}

/// Each wants a text with another beginning, middle and end.
fn beginnings(n: usize) -> (String, String) {
    (
        format!(
            "message.text.startsWith(\"a{n}\") && message.text.contains(\"b{}\") && !message.text.endsWith(\"c{}\")",
            n % 50,
            n % 7
        ),
        setting(n),
    )
}

fn setting(n: usize) -> String {
    format!("priority = \"{}\"", ["low", "normal", "high", "urgent"][n % 4])
}

fn to(n: usize) -> String {
    format!("hand_off = \"team{}\"", n % 10)
}
