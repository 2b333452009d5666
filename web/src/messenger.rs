//! Customers: the script in a company's pages and what it talks to.
//!
//! `script.rs` hands out the script and a page that shows it. The script opens a visit (`visit.rs`:
//! a token that cannot be guessed, for a visitor or for a customer whose identity is proven, see
//! `identity.rs`), sends messages and reads conversations (`talk.rs`, in the shapes of `shown.rs`),
//! and follows one of them (`feed.rs`). `limits.rs` says when it is enough, `said.rs` reads bodies.
//!
//! Deliberately absent: cookies, so that no other page can act in a visitor's name; and any way to
//! name another's conversation: what is not the visitor's own is not found.

mod feed;
mod identity;
mod limits;
mod opening;
mod origin;
mod said;
mod script;
mod shown;
mod talk;
mod texts;
mod visit;

pub use origin::Origin;
pub use texts::Texts;

use crate::{Front, Problem, Settings, caller::Caller};
use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use limits::Limits;
use std::{sync::Arc, time::Duration};
use tower_http::{
    cors::{AllowOrigin, CorsLayer},
    set_header::SetResponseHeaderLayer,
};

/// Largest body of a request, in bytes: a long message with every character escaped, and a token.
const LARGEST_BODY: usize = 128 * 1024;

/// What the messenger's requests are answered from. Cheap to clone.
#[derive(Clone)]
struct Porch {
    front: Front,
    limits: Arc<Limits>,
    /// Origins of pages that may ask; None: any.
    allowed: Option<Arc<[Origin]>>,
}

impl FromRef<Porch> for Front {
    fn from_ref(porch: &Porch) -> Self {
        porch.front.clone()
    }
}

/// Returns the routes.
pub(crate) fn router(front: &Front) -> Router<Front> {
    let limits = Arc::new(Limits::new(front.settings.limit_per_minute));
    let allowed = allowed(&front.settings).map(Arc::from);
    let porch = Porch { front: front.clone(), limits, allowed };
    let v1 = Router::new()
        .route("/config", get(opening::config))
        .route("/visits", post(visit::open))
        .route("/suggestions", post(opening::suggest))
        .route("/messages", post(talk::send))
        .route("/conversations", get(talk::list))
        .route("/conversations/{id}", get(talk::read))
        .route("/conversations/{id}/rating", post(talk::rate))
        .route("/conversations/{id}/events", get(feed::follow))
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_so)
        .layer(middleware::from_fn_with_state(porch.clone(), admit))
        .layer(cors(porch.allowed.as_deref()))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
        .layer(SetResponseHeaderLayer::overriding(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ));
    Router::new().nest("/messenger/v1", v1).merge(script::router()).with_state(porch)
}

/// Lets pages of the allowed origins read answers; never with credentials, as there are none.
fn cors(allowed: Option<&[Origin]>) -> CorsLayer {
    let allowed = match allowed {
        None => AllowOrigin::any(),
        Some(origins) => {
            AllowOrigin::list(origins.iter().filter_map(|origin| origin.to_string().parse().ok()))
        }
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([header::RETRY_AFTER])
        .max_age(Duration::from_secs(24 * 3600))
}

/// Returns the origins of pages that may show the messenger, the desk's own among them; None: any.
fn allowed(settings: &Settings) -> Option<Vec<Origin>> {
    let named = &settings.allowed_origins;
    let own = || Origin::of_address(&settings.public_url).into_iter();
    (!named.is_empty()).then(|| own().chain(named.iter().cloned()).collect())
}

/// Turns away pages of other origins than the allowed ones, and addresses that ask too much.
async fn admit(
    State(porch): State<Porch>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let origin = request.headers().get(header::ORIGIN);
    if let (Some(origin), Some(allowed)) = (origin, &porch.allowed)
        && !allowed.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes())
    {
        let detail = "the messenger is not for pages of this origin; \
                      messenger.allowed_origins names those it is for";
        return Err(Problem::new(StatusCode::FORBIDDEN, "foreign_origin", detail));
    }
    porch.limits.request(caller.network(), porch.front.office.now()).map_err(Problem::too_many)?;
    Ok(next.run(request).await)
}

async fn nothing_here() -> Problem {
    Problem::not_found("address")
}

async fn not_so() -> Problem {
    let detail = "this address takes another method";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "not_allowed", detail)
}
