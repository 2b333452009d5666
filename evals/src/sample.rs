//! Records for tests: what came of cases that nobody ran.

use crate::{
    case::{Expect, ExpectedAct},
    record::Record,
};
use serde_json::json;

/// A case that expects an answer from `refunds`, drafted from it and sent.
pub(crate) fn replied(id: &str) -> Record {
    serde_json::from_value(json!({
        "id": id,
        "act": "reply",
        "confidence": 0.9,
        "articles": ["refunds", "invoices"],
        "text": "Within 14 days.",
        "sources": ["refunds"],
        "team": null,
        "topic": "billing",
        "timings_ms": {"meaning": 1.0, "search": 2.0, "draft": 1.0, "total": 4.0},
        "sent": true,
        "question": format!("Can I get my money back? ({id})"),
        "expect": {"act": "answer", "articles": ["refunds"]},
        "tags": ["billing"],
        "citations": [{"article": "refunds", "quote": "Refunds: 14 days."}],
        "reasons": ["confidence 0.90 reaches the threshold 0.70"],
        "evidence": {"margin": 0.25},
        "trace": {"facts": {"signals.urgent": true}, "fired": [{"rule": "vip", "did": ["tag"]}]},
    }))
    .unwrap()
}

/// A case for the team `due`, passed on to the team `to`.
pub(crate) fn passed_on(id: &str, due: &str, to: &str) -> Record {
    Record {
        act: "handoff".into(),
        sent: false,
        team: Some(to.into()),
        confidence: 0.3,
        expect: expected(ExpectedAct::Handoff, &[], Some(due)),
        ..replied(id)
    }
}

/// A reply where a person was due.
pub(crate) fn wrong(id: &str) -> Record {
    Record { expect: expected(ExpectedAct::Handoff, &[], Some("billing")), ..replied(id) }
}

/// An answerable case that went to people.
pub(crate) fn missed(id: &str) -> Record {
    let expect = expected(ExpectedAct::Answer, &["refunds"], None);
    Record { expect, ..passed_on(id, "billing", "support") }
}

fn expected(act: ExpectedAct, articles: &[&str], team: Option<&str>) -> Expect {
    Expect {
        act,
        judged: true,
        articles: articles.iter().map(|it| (*it).to_string()).collect(),
        team: team.map(str::to_string),
        answer: None,
        topic: None,
        route: None,
    }
}
