//! The sample services behind the demo's gate, in the same process: enough of an answer to see
//! that a request came through.

use std::net::SocketAddr;

use axum::extract::Path;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::serve::console::Console;

/// Starts the services on a free loopback port.
pub(super) async fn start() -> Result<Console, Failure> {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = tokio::net::TcpListener::bind(address).await?;
    Ok(Console::start(listener, router(), None)?)
}

fn router() -> Router {
    let mut router = Router::new();
    for path in ["/orders", "/invoices", "/customers"] {
        router = router
            .route(path, get(several).post(changed))
            .route(&format!("{path}/{{id}}"), get(one).patch(changed))
            .route(&format!("{path}/{{id}}/{{part}}"), get(several).post(changed));
    }
    router
}

async fn one(Path(id): Path<u64>) -> Json<Value> {
    Json(json!({"id": id, "state": "paid"}))
}

async fn several() -> Json<Value> {
    Json(json!([{"id": 41, "state": "sent"}, {"id": 42, "state": "paid"}]))
}

async fn changed() -> Json<Value> {
    Json(json!({"done": true}))
}
