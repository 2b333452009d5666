//! A title for an article that has none.

/// Makes a place readable: `guides/how_to-pay.md` becomes `How to pay`, `billing/index.md`
/// becomes `Billing`.
pub(crate) fn of_place(place: &str) -> String {
    let stem_of = |name: &str| name.rsplit_once('.').map_or(name.to_owned(), |(s, _)| s.to_owned());
    let mut parts = place.rsplit('/');
    let mut stem = parts.next().map(stem_of).unwrap_or_default();
    if matches!(stem.to_lowercase().as_str(), "index" | "readme" | "_index")
        && let Some(folder) = parts.next()
    {
        stem = folder.to_owned();
    }
    let words: Vec<&str> = stem.split(['-', '_', ' ', '.']).filter(|w| !w.is_empty()).collect();
    let title = words.join(" ");
    let mut letters = title.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => place.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_made_readable() {
        for (place, expected) in [
            ("how_to-pay.md", "How to pay"),
            ("a/b/reset-password.html", "Reset password"),
            ("billing/index.md", "Billing"),
            ("index.md", "Index"),
            ("über-uns.md", "Über uns"),
            ("---.md", "---.md"),
        ] {
            assert_eq!(of_place(place), expected);
        }
    }
}
