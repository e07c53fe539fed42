//! Cross-origin requests (CORS, Fetch standard): which pages may read the answers.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;

use super::peers::{Origin, required_origin};

/// Answers the question that browsers ask before a request, for pages that may ask.
async fn preflight(request: Request, origins: Arc<Vec<Origin>>) -> Response {
    if let Err(problem) = required_origin(request.headers(), &origins) {
        return problem.into_response();
    }
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// The answers to one address: those of `methods`, and of the question before.
pub(super) fn route<S: Clone + Send + Sync + 'static>(
    path: &str,
    methods: MethodRouter<S>,
    origins: Vec<Origin>,
) -> Router<S> {
    let origins = Arc::new(origins);
    let own = Arc::clone(&origins);
    let methods = methods.options(move |request| preflight(request, own));
    Router::new().route(path, methods).layer(from_fn_with_state(origins, allow))
}

/// Lets pages of these origins read all answers, also those that refuse.
async fn allow(State(origins): State<Arc<Vec<Origin>>>, request: Request, next: Next) -> Response {
    let origin = required_origin(request.headers(), &origins).ok().cloned();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin.and_then(|origin| HeaderValue::from_str(origin.as_str()).ok()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let exposed = HeaderValue::from_static("retry-after");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    response
}
