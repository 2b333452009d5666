use super::{ROOT, asked::slug, repetition::KEY};
use crate::{Front, buckets::Buckets, problem::Problem, secret};
use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bot::ByRequest;
use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, sync::Arc};
use store::{Actor, ApiToken, Audit, Id, KeyedRequest};

/// What tokens may be used for. `admin` includes all the others.
pub const SCOPES: [&str; 9] = [
    "conversations:read",
    "conversations:write",
    "customers:read",
    "customers:write",
    "articles:read",
    "teams:read",
    "decisions:read",
    "webhooks:read",
    "admin",
];

/// Requests of one token in a minute: a program that keeps another system in step stays below, one
/// that goes round in circles does not take the desk from its customers.
pub(super) const REQUESTS_PER_MINUTE: u32 = 1_200;

/// What every request has to pass.
#[derive(Clone)]
pub(super) struct Checkpoint {
    pub(super) front: Front,
    /// The scope that each method of each path needs.
    needs: Arc<BTreeMap<String, BTreeMap<Method, String>>>,
    /// How much each token may ask for, in memory of one node.
    requests: Arc<Buckets<Id<ApiToken>>>,
}

/// The program that asks, and the key by which a repetition of the request is known.
#[derive(Debug, Clone)]
pub(super) struct Program(pub(super) ApiToken, pub(super) Option<String>);

impl Program {
    /// Returns in whose name the program acts.
    pub(super) fn actor(&self) -> Actor {
        Actor::Program(self.0.name.clone())
    }

    /// Returns the request as the store knows it.
    pub(super) fn request(&self) -> Option<KeyedRequest> {
        self.1.clone().map(|key| KeyedRequest { token: self.0.id, key })
    }

    /// Returns in whose name it acts for a teammate, who has an account that is not closed, or none
    /// and belongs to a team; without one in its own.
    ///
    /// # Errors
    /// 422 that names the field `teammate`.
    pub(super) async fn actor_for(
        &self,
        front: &Front,
        teammate: Option<&str>,
    ) -> Result<Actor, Problem> {
        let Some(teammate) = teammate else { return Ok(self.actor()) };
        let teammate = slug("teammate", teammate)?;
        let desk = front.office.desk();
        let mut teams = desk.policy().teams().iter();
        match front.office.store().account(&teammate).await? {
            Some(account) if account.disabled => {
                let detail = format!("the account of {teammate} is closed");
                Err(Problem::at("teammate", detail))
            }
            None if !teams.any(|team| team.member(&teammate).is_some()) => {
                let detail = format!("{teammate} has no account and belongs to no team");
                Err(Problem::at("teammate", detail))
            }
            _ => Ok(Actor::Teammate(teammate)),
        }
    }

    /// Returns what is kept of the request with what it brings about. Where that is done in a
    /// teammate's name, the audit log says by `action` that it was the program.
    pub(super) fn request_by(&self, by: &Actor, (action, subject): (&str, &str)) -> ByRequest {
        let audit = match by {
            Actor::Teammate(teammate) => Some(Audit {
                actor: self.actor(),
                action: action.into(),
                subject: subject.into(),
                detail: json!({ "teammate": teammate }),
            }),
            _ => None,
        };
        ByRequest { keyed: self.request(), audit }
    }

    /// Whether the program may do what needs a scope.
    pub(super) fn may(&self, scope: &str) -> bool {
        self.0.scopes.iter().any(|has| has == scope || has == "admin")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Program {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| unknown("no token was sent"))
    }
}

impl Checkpoint {
    /// Reads from the document what each operation needs, so that both are always the same.
    pub(super) fn new(front: Front, document: &Json) -> Self {
        let mut needs: BTreeMap<String, BTreeMap<Method, String>> = BTreeMap::new();
        let paths = document["paths"].as_object().into_iter().flatten();
        for (path, operations) in paths {
            for (method, operation) in operations.as_object().into_iter().flatten() {
                let method = Method::from_bytes(method.to_uppercase().as_bytes());
                let scope = operation["security"][0]["token"][0].as_str();
                if let (Ok(method), Some(scope)) = (method, scope) {
                    needs.entry(path.clone()).or_default().insert(method, scope.to_string());
                }
            }
        }
        let requests = Arc::new(Buckets::new(REQUESTS_PER_MINUTE));
        Self { front, needs: Arc::new(needs), requests }
    }

    async fn admit(&self, asked: &Parts) -> Result<Program, Problem> {
        let place = asked.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
        let methods = place.and_then(|place| self.needs.get(place));
        let methods = methods.ok_or_else(|| Problem::not_found("place"))?;
        // A HEAD is a GET whose answer has no body.
        let method = Some(&asked.method).filter(|method| **method != Method::HEAD);
        let scope = methods.get(method.unwrap_or(&Method::GET));
        let token = bearer(asked)?;
        let now = self.front.office.now();
        let found = self.front.office.store().use_token(&secret::hash(token), now).await?;
        let found = found.ok_or_else(|| unknown("the token is unknown or revoked"))?;
        self.requests.take(found.id, now).map_err(Problem::too_many)?;
        let key = asked.headers.get(KEY).filter(|_| asked.method == Method::POST);
        let key = key.map(|key| key.to_str().unwrap_or_default().to_string());
        let program = Program(found, key);
        let Some(scope) = scope else {
            let detail = "this place does not know the method; see Allow";
            return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail));
        };
        if !program.may(scope) {
            let detail = format!("the token may not be used for this; it needs the scope {scope}");
            let mut problem = Problem::new(StatusCode::FORBIDDEN, "scope_missing", detail);
            problem.more.insert("scope".into(), scope.as_str().into());
            return Err(problem);
        }
        Ok(program)
    }

    fn allowed(&self, asked: &Parts) -> Option<HeaderValue> {
        let place = asked.extensions.get::<MatchedPath>()?;
        let methods = self.needs.get(place.as_str())?;
        let methods: Vec<&str> = methods.keys().map(Method::as_str).collect();
        methods.join(", ").parse().ok()
    }
}

/// Lets requests pass whose token exists and may be used for what is asked.
pub(super) async fn authorise(
    State(checkpoint): State<Checkpoint>,
    request: Request,
    next: Next,
) -> Response {
    let (mut asked, body) = request.into_parts();
    let admitted = checkpoint.admit(&asked).await;
    let mut answer = match admitted {
        Ok(program) => {
            asked.extensions.insert(program);
            next.run(Request::from_parts(asked, body)).await
        }
        Err(problem) => {
            let allowed = checkpoint.allowed(&asked);
            let status = problem.status;
            let mut answer = problem.into_response();
            let challenge = match status {
                StatusCode::UNAUTHORIZED => Some("Bearer realm=\"frontdesk\""),
                StatusCode::FORBIDDEN => {
                    Some("Bearer realm=\"frontdesk\", error=\"insufficient_scope\"")
                }
                _ => None,
            };
            if let Some(challenge) = challenge {
                let challenge = HeaderValue::from_static(challenge);
                answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
            if let (StatusCode::METHOD_NOT_ALLOWED, Some(allowed)) = (status, allowed) {
                answer.headers_mut().insert(header::ALLOW, allowed);
            }
            answer
        }
    };
    // Answers are for this program alone, and may be kept only when they are asked for again.
    let private = HeaderValue::from_static("private, no-cache");
    answer.headers_mut().insert(header::CACHE_CONTROL, private);
    let as_said = HeaderValue::from_static("nosniff");
    answer.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, as_said);
    answer
}

fn bearer(asked: &Parts) -> Result<&str, Problem> {
    let header = asked.headers.get(header::AUTHORIZATION);
    let header = header.ok_or_else(|| unknown("no token was sent"))?.to_str().unwrap_or_default();
    let (kind, token) = header.split_once(' ').unwrap_or_default();
    if kind.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() {
        return Ok(token.trim());
    }
    Err(unknown("the header Authorization is not \"Bearer\" and a token"))
}

fn unknown(what: &str) -> Problem {
    let detail = format!(
        "{what}; send one as \"Authorization: Bearer …\", made by `frontdesk tokens add`; see {ROOT}/docs"
    );
    Problem::new(StatusCode::UNAUTHORIZED, "token_unknown", detail)
}
