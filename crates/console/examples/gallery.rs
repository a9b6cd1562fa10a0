//! Every page of the console in every state, from sample data, on a loopback port:
//! `cargo run -p portreeve-console --example gallery [PORT]`.
//!
//! `/gallery` lists the states; the other paths are the console itself over the sample world, where
//! the review can be decided, undone and signed. The printed line is JSON:
//! `{"console": …, "sign_in": …, "gallery": …}`.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use portreeve_console::page::states;
use portreeve_console::sample::{self, SampleDesk};

async fn list() -> Response {
    let links: Vec<_> = states::all()
        .iter()
        .map(|s| format!("<li><a href=\"/gallery/{0}/{1}\">{0}: {1}</a></li>", s.page, s.state))
        .collect();
    Html(format!(
        "<!doctype html><html lang=\"en\"><title>Gallery</title><h1>Gallery</h1><ul>{}</ul></html>",
        links.concat()
    ))
    .into_response()
}

async fn one(Path((page, state)): Path<(String, String)>) -> Response {
    match states::all().into_iter().find(|known| known.page == page && known.state == state) {
        Some(found) => Html(found.html).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(0u16);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let console = format!("http://{}", listener.local_addr()?);
    let desk = Arc::new(SampleDesk::default());
    let app = Router::new()
        .route("/gallery", get(list))
        .route("/gallery/{page}/{state}", get(one))
        .merge(portreeve_console::router(desk, sample::config()));
    println!(
        "{{\"console\":\"{console}\",\"sign_in\":\"{console}/?once=admin\",\
         \"gallery\":\"{console}/gallery\"}}"
    );
    axum::serve(listener, app).await
}
