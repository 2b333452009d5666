use super::*;
use crate::{Article, Folder, Update};

const SPEC: &str = "test";

fn article(id: &str, locale: &str, body: &str) -> Article {
    Article {
        id: id.to_owned(),
        title: id.replace('-', " "),
        url: None,
        locale: locale.to_owned(),
        audience: Audience::default(),
        updated: None,
        draft: false,
        body: body.to_owned(),
        path: format!("{id}.md").into(),
        place: format!("x/{id}.md"),
    }
}

/// Vectors by what a text is about, so that meaning can be tested without a model.
fn vector(text: &str) -> Vec<f32> {
    let text = text.to_lowercase();
    let about = |words: &[&str]| f32::from(u8::from(words.iter().any(|w| text.contains(w))));
    vec![
        about(&["refund", "money", "geld"]),
        about(&["invoice", "rechnung"]),
        about(&["export"]),
        0.1,
    ]
}

fn knowledge(articles: Vec<Article>) -> Knowledge {
    let dir = tempfile::tempdir().unwrap();
    let embedder = EmbedderSpec { id: SPEC.to_owned(), dimension: 4 };
    let folder = Folder { articles, ..Folder::default() };
    let update = Update::plan(dir.path(), folder, &embedder).unwrap();
    let vectors = update.texts().iter().map(|t| vector(t)).collect();
    update.commit(vectors).unwrap()
}

fn centre() -> Knowledge {
    let mut internal = article("refund-rules", "en", "Refund at once when the customer is angry.");
    internal.audience.tags = vec!["internal".to_owned()];
    let mut draft = article("refund-plans", "en", "Refund plans of next year.");
    draft.draft = true;
    knowledge(vec![
        article(
            "refunds",
            "en",
            "Refunds take five days.\n\n## Cards\n\nRefunds to a card take ten days.",
        ),
        article("invoices", "en", "Invoices are sent monthly. Export them as PDF."),
        article("money-back", "en", "You get all of it returned."),
        article("erstattung", "de", "Das Geld kommt nach fünf Tagen zurück. Die Rechnung folgt."),
        internal,
        draft,
    ])
}

fn search(knowledge: &Knowledge, words: &str, mode: Mode, reader: &Reader) -> Findings {
    let vector = vector(words);
    let query = Query {
        words: &[(words, 1.0)],
        vector: Some(&vector),
        mode,
        fusion: Fusion::default(),
        reader,
        top: 10,
        without: &[],
    };
    knowledge.search(&query).unwrap()
}

fn ids(knowledge: &Knowledge, findings: &Findings) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for hit in &findings.hits {
        let id = &knowledge.articles()[hit.article].id;
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    ids
}

#[test]
fn each_mode_ranks_by_its_own() {
    let knowledge = centre();
    let reader = Reader::default();
    let by_words = search(&knowledge, "refunds to my card", Mode::Words, &reader);
    assert_eq!(ids(&knowledge, &by_words), ["refunds"]);
    let best = &by_words.hits[0];
    assert_eq!(knowledge.passages()[best.passage].heading, ["Cards"]);
    assert_eq!(best.cosine, None);
    assert_eq!(best.found_by, FoundBy { words: Some(1), meaning: None });
    assert!((best.score - 1.0).abs() < 1e-6);

    let by_meaning = search(&knowledge, "refund", Mode::Meaning, &reader);
    assert!(ids(&knowledge, &by_meaning).contains(&"money-back".to_owned()));
    assert!(by_meaning.hits.iter().all(|h| h.cosine == Some(h.score)));

    let fused = search(&knowledge, "refund", Mode::Fused, &reader);
    assert_eq!(ids(&knowledge, &fused)[0], "refunds");
    let money =
        fused.hits.iter().find(|h| knowledge.articles()[h.article].id == "money-back").unwrap();
    assert!(money.found_by.meaning.is_some() && money.found_by.words.is_none());
    assert!(fused.hits.windows(2).all(|w| w[0].score >= w[1].score));
}

#[test]
fn filters_act_before_ranking_in_every_mode() {
    let knowledge = centre();
    let customer = Reader::default();
    let teammate = Reader { tags: vec!["internal".to_owned()], drafts: true, ..Reader::default() };
    for mode in [Mode::Words, Mode::Meaning, Mode::Fused] {
        let seen = ids(&knowledge, &search(&knowledge, "refund rules plans", mode, &customer));
        assert!(
            !seen.iter().any(|id| id == "refund-rules" || id == "refund-plans"),
            "{mode:?} {seen:?}"
        );
        let seen = ids(&knowledge, &search(&knowledge, "refund rules plans", mode, &teammate));
        assert!(
            seen.contains(&"refund-rules".to_owned()) && seen.contains(&"refund-plans".to_owned())
        );
    }
}

#[test]
fn an_article_in_another_language_comes_later_and_is_found() {
    let knowledge = knowledge(vec![
        article("one", "en", "Widget refund."),
        article("zwei", "de", "Widget refund."),
        // As many passages in each language, so that a word is as rare in the one as in the other.
        article("invoices", "en", "Invoices are sent monthly."),
        article("wetter", "de", "Heute scheint die Sonne."),
    ]);
    let reader = |locale: &str| Reader { locale: Some(locale.to_owned()), ..Reader::default() };
    for mode in [Mode::Words, Mode::Meaning, Mode::Fused] {
        let first = |reader: &Reader| {
            let findings = search(&knowledge, "widget refund", mode, reader);
            assert!(findings.hits.windows(2).all(|w| w[0].score >= w[1].score), "{mode:?}");
            ids(&knowledge, &findings)[0].clone()
        };
        assert_eq!(first(&reader("de-AT")), "zwei", "{mode:?}");
        assert_eq!(first(&reader("en")), "one", "{mode:?}");
        let found = search(&knowledge, "invoices", mode, &reader("de"));
        assert_eq!(ids(&knowledge, &found)[0], "invoices", "{mode:?}");
    }
}

#[test]
fn articles_can_be_left_out() {
    let knowledge = centre();
    let query = Query {
        words: &[("refunds", 1.0)],
        vector: None,
        mode: Mode::Fused,
        fusion: Fusion::default(),
        reader: &Reader::default(),
        top: 9,
        without: &[0],
    };
    assert!(knowledge.search(&query).unwrap().hits.is_empty());
}

#[test]
fn terms_carry_idf_and_where_they_stand() {
    let knowledge = centre();
    let findings = search(
        &knowledge,
        "How do I export unicorn refunds, Refund?",
        Mode::Fused,
        &Reader::default(),
    );
    let texts: Vec<_> = findings.terms.iter().map(|t| t.text.as_str()).collect();
    assert_eq!(texts, ["export", "unicorn", "refund"]);
    let idf: Vec<f32> = findings.terms.iter().map(|t| t.idf).collect();
    assert!(idf[1] > idf[0] && idf[0] > idf[2], "{idf:?}");
    let refunds =
        findings.hits.iter().find(|h| knowledge.articles()[h.article].id == "refunds").unwrap();
    assert_eq!(refunds.terms, [false, false, true]);
    let german = search(&knowledge, "Wann kommt das Geld", Mode::Words, &Reader::default());
    assert_eq!(ids(&knowledge, &german), ["erstattung"]);
    assert_eq!(
        german.terms.iter().map(|t| t.text.as_str()).collect::<Vec<_>>(),
        ["wann", "kommt", "geld"]
    );
}

#[test]
fn earlier_turns_weigh_less() {
    let knowledge = centre();
    let reader = Reader::default();
    let ask = |invoice: f32, export: f32| {
        let query = Query {
            words: &[("refund", invoice), ("invoices", export)],
            vector: None,
            mode: Mode::Fused,
            fusion: Fusion::default(),
            reader: &reader,
            top: 1,
            without: &[],
        };
        ids(&knowledge, &knowledge.search(&query).unwrap())[0].clone()
    };
    assert_eq!(ask(1.0, 0.3), "refunds");
    assert_eq!(ask(0.3, 1.0), "invoices");
}

#[test]
fn odd_questions_are_answered_or_refused_plainly() {
    let knowledge = centre();
    let reader = Reader::default();
    for words in ["", "   ", "how do I", "?!", "\u{0}\u{1b}", "\u{202e}مرحبا"] {
        let says_nothing = !words.contains('م');
        for mode in [Mode::Words, Mode::Meaning, Mode::Fused] {
            if mode == Mode::Words || says_nothing {
                let findings = search(&knowledge, words, mode, &reader);
                assert!(findings.hits.is_empty(), "{words:?} {mode:?}");
            }
        }
    }
    let long = "refund export nonsense abc ".repeat(4_000);
    let many: String = (0..30_000).map(|n| format!("w{n} ")).collect::<String>() + "refund";
    for words in [&long, &many] {
        let findings = search(&knowledge, words, Mode::Fused, &reader);
        assert!(findings.terms.len() <= 64);
        assert_eq!(findings, search(&knowledge, words, Mode::Fused, &reader));
    }
    for vector in [vec![1.0; 3], vec![f32::NAN; 4]] {
        let query = Query {
            words: &[],
            vector: Some(&vector),
            mode: Mode::Meaning,
            fusion: Fusion::default(),
            reader: &reader,
            top: 1,
            without: &[],
        };
        assert!(matches!(knowledge.search(&query), Err(Error::BadVectors { .. })));
    }
}

#[test]
fn articles_are_found_by_id_and_by_place() {
    let knowledge = centre();
    assert_eq!(knowledge.article_named("invoices"), Some(1));
    assert_eq!(knowledge.article_named("x/invoices.md"), Some(1));
    assert_eq!(knowledge.article_named("nothing"), None);
    assert!(Knowledge::schema() >= 1);
}

#[test]
fn knowledge_can_be_shared_between_threads() {
    fn shareable<T: Send + Sync + Clone>() {}
    shareable::<Knowledge>();
}

#[test]
fn the_best_of_a_list_come_in_order_with_ties_by_place() {
    let scores = [Some(1.0), Some(3.0), None, Some(3.0), Some(f32::NAN), Some(2.0)];
    assert_eq!(best(scores.into_iter(), 3), [1, 3, 5]);
    assert_eq!(best(scores.into_iter(), 100), [1, 3, 5, 0]);
}
