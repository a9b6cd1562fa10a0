//! Every path of the console, once: the router is built from this table, and the access test reads
//! it, so a page cannot be added without saying who may see it.

use axum::http::{Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{self, MethodRouter};

use crate::{Console, Desk, assets, guard, page};

/// A method and a path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `GET` or `POST`.
    pub method: Method,
    /// As axum writes it, e.g. `/reviews/{id}`.
    pub path: &'static str,
}

struct Entry<D> {
    route: Route,
    handler: MethodRouter<Console<D>>,
}

macro_rules! table {
    ($desk:ident: $($verb:ident $path:literal => $handler:expr;)*) => {
        vec![$(Entry {
            route: Route { method: table!(@method $verb), path: $path },
            handler: routing::$verb($handler),
        },)*]
    };
    (@method get) => { Method::GET };
    (@method post) => { Method::POST };
}

fn table<D: Desk>() -> Vec<Entry<D>> {
    table! { D:
        get "/" => page::today::show::<D>;
        get "/sign-in" => page::sign_in::show;
        post "/sign-out" => page::sign_in::leave::<D>;
        post "/choices" => page::choices::save::<D>;
        get "/search" => page::search::show::<D>;
        get "/reviews" => page::reviews::show::<D>;
        get "/reviews/{id}" => page::review::show::<D>;
        post "/reviews/{id}/items/{item}/decision" => page::review::decide::<D>;
        post "/reviews/{id}/items/{item}/undo" => page::review::undo::<D>;
        get "/reviews/{id}/sign-off" => page::sign_off::show::<D>;
        post "/reviews/{id}/sign-off" => page::sign_off::sign::<D>;
        get "/reviews/{id}/result" => page::result::show::<D>;
        get "/reviews/{id}/evidence" => page::result::evidence::<D>;
        get "/identities" => page::identities::show::<D>;
        get "/identities/{id}" => page::identity::show::<D>;
        post "/identities/{id}/suspend" => page::act::suspend::<D>;
        post "/identities/{id}/resume" => page::act::resume::<D>;
        post "/keys/{id}/revoke" => page::act::revoke_key::<D>;
        post "/grants/{id}/revoke" => page::act::revoke_grant::<D>;
        get "/apis" => page::apis::show::<D>;
        get "/apis/{id}" => page::api::show::<D>;
        get "/calls" => page::calls::show::<D>;
        get "/explain" => page::explain::show::<D>;
        get "/findings" => page::findings::show::<D>;
        get "/audit" => page::audit::show::<D>;
    }
}

/// Every page and form of the console. Assets, which anybody may fetch, are not among them.
pub fn routes<D: Desk>() -> Vec<Route> {
    table::<D>().into_iter().map(|entry| entry.route).collect()
}

pub(crate) fn router<D: Desk>(console: Console<D>) -> axum::Router {
    let mut pages = axum::Router::new();
    for entry in table::<D>() {
        pages = pages.route(entry.route.path, entry.handler);
    }
    pages
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(from_fn_with_state(console.clone(), guard::guard::<D>))
        .route("/assets/{name}", routing::get(assets::show))
        .layer(from_fn(guard::harden))
        .with_state(console)
}
