use crate::{EVIDENCE_VERSION, config::Fault};
use knowledge::{Fusion, Knowledge};
use router::{Budgets, Calibration, FittedFor};
use sha2::{Digest, Sha256};
use std::path::Path;

/// Calibrations that ship with the binary; each was written by `frontdesk eval calibrate`.
const BUILT_IN: [(&str, &str); 2] = [
    ("all-minilm-l6-v2, quotes", include_str!("calibration/minilm-quotes.toml")),
    ("hashed, quotes", include_str!("calibration/hashed-quotes.toml")),
];

/// Says what a calibration has to be fitted for to be used with this embedder and search. A
/// written draft claims no more than the passages that it cites, which is checked, so it is judged
/// by the evidence of the quotes it could have been.
pub fn fitted_for(embedder: &str, fusion: Fusion) -> FittedFor {
    let Fusion { meaning, passage_words, article_words } = fusion;
    let layout = Knowledge::schema();
    FittedFor {
        embedder: embedder.into(),
        drafter: "quotes".into(),
        schema: EVIDENCE_VERSION,
        search: format!("layout {layout}, {meaning} + {passage_words} + {article_words}"),
    }
}

/// Returns the mark by which a file of budgets names the calibration that its thresholds belong to.
pub(crate) fn mark(calibration: &Calibration) -> String {
    let Calibration { fitted_for, intercept, topics, factors, .. } = calibration;
    let topics = if topics.is_empty() { String::new() } else { format!(" {topics:?}") };
    let digest = Sha256::digest(format!("{fitted_for:?} {intercept:?} {factors:?}{topics}"));
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Reads budgets from the text of their file.
///
/// # Errors
/// A [`Fault`] when they cannot be read, or were certified with another calibration.
pub(crate) fn read_budgets(
    file: &Path,
    text: &str,
    calibration: Option<&Calibration>,
) -> Result<Budgets, Fault> {
    let budgets = parse_budgets(file, text)?;
    let used = calibration.map(mark).unwrap_or_default();
    if budgets.calibration == used {
        return Ok(budgets);
    }
    let what = format!(
        "the budgets were certified with the calibration {}, this desk uses {used}",
        budgets.calibration
    );
    Err(certify_again(file, what))
}

/// Reads budgets from the text of their file, for whichever calibration they were certified.
///
/// # Errors
/// A [`Fault`] when they cannot be read, or a number in them makes no sense.
pub fn parse_budgets(file: &Path, text: &str) -> Result<Budgets, Fault> {
    let budgets: Budgets =
        toml::from_str(text).map_err(|source| Fault::of_toml(file, text, &source))?;
    budgets.flaw().map_or(Ok(budgets), |what| Err(certify_again(file, what)))
}

fn certify_again(file: &Path, what: String) -> Fault {
    let mend = "certify them again with `frontdesk eval budget`".into();
    Fault { file: file.to_path_buf(), line: None, what, mend }
}

/// Returns the built-in calibration for `used`; `None` when there is none.
pub(crate) fn built_in(used: &FittedFor) -> Option<Calibration> {
    let parsed = BUILT_IN.iter().filter_map(|(_, text)| toml::from_str::<Calibration>(text).ok());
    parsed.into_iter().find(|calibration| calibration.check(used).is_ok())
}

/// Reads a calibration from the text of its file.
///
/// # Errors
/// A [`Fault`] when it cannot be read, or was fitted for something else than `used`.
pub(crate) fn read(file: &Path, text: &str, used: &FittedFor) -> Result<Calibration, Fault> {
    let calibration: Calibration =
        toml::from_str(text).map_err(|source| Fault::of_toml(file, text, &source))?;
    calibration.check(used).map_err(|source| {
        let message = source.to_string();
        let (what, mend) = message.split_once("; ").unwrap_or((message.as_str(), "fit it again"));
        Fault { file: file.to_path_buf(), line: None, what: what.into(), mend: mend.into() }
    })?;
    Ok(calibration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedders_that_ship_have_a_calibration() {
        let hashed = models::Embedder::id(&models::HashedEmbedder).to_string();
        assert!(built_in(&fitted_for(&hashed, Fusion::default())).is_some(), "none for {hashed}");
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../.frontdesk/models/all-minilm-l6-v2");
        let Ok(encoder) = models::Encoder::open(Path::new(folder), 1) else {
            eprintln!("skipped: the default model is absent; run ./test");
            return;
        };
        let id = models::Embedder::id(&encoder).to_string();
        assert!(
            built_in(&fitted_for(&id, Fusion::default())).is_some(),
            "none for {id}; fit it again"
        );
    }

    #[test]
    fn built_in_calibrations_are_usable() {
        for (name, text) in BUILT_IN {
            let calibration: Calibration = toml::from_str(text).unwrap();
            let own = calibration.fitted_for.clone();
            assert_eq!(calibration.check(&own), Ok(()), "{name}");
            assert_eq!(own.schema, EVIDENCE_VERSION, "{name} was fitted for older evidence");
        }
    }
}
