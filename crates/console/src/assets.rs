//! Style sheet, script and icon: embedded, named by their content, cacheable for good.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base::Digest;

const CSS: &str = concat!(
    include_str!("../assets/css/base.css"),
    include_str!("../assets/css/layout.css"),
    include_str!("../assets/css/parts.css"),
    include_str!("../assets/css/table.css"),
    include_str!("../assets/css/review.css"),
);
const JS: &str = include_str!("../assets/js/console.js");
const ICON: &str = include_str!("../assets/icon.svg");

struct Asset {
    name: String,
    url: String,
    media_type: &'static str,
    body: &'static str,
}

fn asset(stem: &str, extension: &str, media_type: &'static str, body: &'static str) -> Asset {
    let digest = Digest::of(&[body.as_bytes()]).to_hex();
    let name = format!("{stem}-{}.{extension}", digest.get(..12).unwrap_or_default());
    Asset { url: format!("/assets/{name}"), name, media_type, body }
}

static STYLE: LazyLock<Asset> =
    LazyLock::new(|| asset("console", "css", "text/css; charset=utf-8", CSS));
static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| asset("console", "js", "text/javascript; charset=utf-8", JS));
static FAVICON: LazyLock<Asset> = LazyLock::new(|| asset("icon", "svg", "image/svg+xml", ICON));

/// Where the style sheet is.
pub fn style_url() -> &'static str {
    &STYLE.url
}

/// Where the script is.
pub fn script_url() -> &'static str {
    &SCRIPT.url
}

/// Where the icon is.
pub fn icon_url() -> &'static str {
    &FAVICON.url
}

/// Answers `GET /assets/{name}`.
pub(crate) async fn show(Path(name): Path<String>) -> Response {
    let known = [&STYLE, &SCRIPT, &FAVICON];
    match known.into_iter().find(|asset| asset.name == name) {
        Some(asset) => {
            let cache = "public, max-age=31536000, immutable";
            let headers =
                [(header::CONTENT_TYPE, asset.media_type), (header::CACHE_CONTROL, cache)];
            (headers, asset.body).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
