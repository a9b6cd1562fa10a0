//! Who may see every page and send every form of the console. A route that is not in this list
//! fails the test, and so does an entry whose route is gone.

use std::sync::Arc;

use app::App;
use app::view::{NewCredential, NewGrant, ReviewDefinition};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, header};
use portreeve_console::{ConsoleConfig, router, routes};
use testkit::World;
use tower::ServiceExt;

/// Statuses for nobody, a member who owns nothing, an auditor, and an administrator. `{…}` is
/// replaced by objects of the administrator's; what a member may not see is not found (404).
const LIST: &[(Method, &str, &str, [u16; 4])] = &[
    (Method::GET, "/", "/", [303, 200, 200, 200]),
    (Method::GET, "/sign-in", "/sign-in", [200, 200, 200, 200]),
    (Method::GET, "/search", "/search?q=orders", [303, 200, 200, 200]),
    (Method::GET, "/reviews", "/reviews", [303, 200, 200, 200]),
    (Method::GET, "/reviews/{id}", "/reviews/{review}", [303, 404, 200, 200]),
    (Method::GET, "/reviews/{id}/sign-off", "/reviews/{review}/sign-off", [303, 404, 200, 200]),
    (Method::GET, "/reviews/{id}/result", "/reviews/{review}/result", [303, 404, 200, 200]),
    (Method::GET, "/reviews/{id}/evidence", "/reviews/{review}/evidence", [303, 403, 200, 200]),
    (Method::GET, "/identities", "/identities", [303, 200, 200, 200]),
    (Method::GET, "/identities/{id}", "/identities/svc", [303, 404, 200, 200]),
    (Method::GET, "/apis", "/apis", [303, 200, 200, 200]),
    (Method::GET, "/apis/{id}", "/apis/orders", [303, 404, 200, 200]),
    (Method::GET, "/calls", "/calls", [303, 200, 200, 200]),
    (Method::GET, "/explain", "/explain", [303, 200, 200, 200]),
    (Method::GET, "/findings", "/findings", [303, 200, 200, 200]),
    (Method::GET, "/audit", "/audit", [303, 403, 200, 200]),
    (
        Method::POST,
        "/reviews/{id}/items/{item}/decision",
        "/reviews/{review}/items/{item}/decision",
        [401, 404, 403, 303],
    ),
    (
        Method::POST,
        "/reviews/{id}/items/{item}/undo",
        "/reviews/{review}/items/{item}/undo",
        [401, 404, 403, 303],
    ),
    (Method::POST, "/reviews/{id}/sign-off", "/reviews/{review}/sign-off", [401, 404, 403, 303]),
    (Method::POST, "/identities/{id}/suspend", "/identities/svc/suspend", [401, 404, 403, 303]),
    (Method::POST, "/identities/{id}/resume", "/identities/svc/resume", [401, 404, 403, 303]),
    (Method::POST, "/keys/{id}/revoke", "/keys/{key}/revoke", [401, 404, 403, 303]),
    (Method::POST, "/grants/{id}/revoke", "/grants/{grant}/revoke", [401, 404, 403, 303]),
    (Method::POST, "/choices", "/choices", [401, 303, 303, 303]),
    // Last: it ends the session.
    (Method::POST, "/sign-out", "/sign-out", [401, 303, 303, 303]),
];

struct Seeded {
    world: World,
    router: Router,
    review: String,
    item: String,
    key: String,
    grant: String,
}

impl Seeded {
    async fn new() -> Self {
        let world = World::builder()
            .settings(|settings| settings.auditors = vec!["ada".to_owned()])
            .open()
            .await;
        world.member("ada").await;
        world.member("mia").await;
        world.service("svc", Some("robin")).await;
        world.api("orders", Some("robin")).await;
        let (app, admin) = (&world.app, &world.admin);
        let new = NewCredential { identity: "svc".to_owned(), ..NewCredential::default() };
        let key = app.issue_key(admin, new).await.unwrap().credential.id;
        let new = NewGrant {
            subject: "svc".to_owned(),
            api: "orders".to_owned(),
            can: vec!["all".to_owned()],
            ..NewGrant::default()
        };
        let grant = app.give_grant(admin, new).await.unwrap().id;
        let definition = ReviewDefinition {
            name: "machines".to_owned(),
            fallback: "robin".to_owned(),
            ..ReviewDefinition::default()
        };
        let review = app.start_review(admin, definition).await.unwrap().id;
        let item = app.review_items(admin, &review).await.unwrap()[0].id.clone();
        let router = serve(&world);
        Self { world, router, review, item, key, grant }
    }

    fn path(&self, template: &str) -> String {
        template
            .replace("{review}", &self.review)
            .replace("{item}", &self.item)
            .replace("{key}", &self.key)
            .replace("{grant}", &self.grant)
    }

    async fn cookie(&self, person: &str) -> String {
        let code = self.world.app.sign_in_link(&self.world.admin, person).await.unwrap();
        self.world.app.redeem(&code).await.unwrap().cookie
    }

    async fn status(&self, method: &Method, path: &str, cookie: Option<&str>) -> u16 {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let mut csrf = String::new();
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, format!("portreeve={cookie}"));
            csrf = self.world.app.session(cookie).await.unwrap().csrf;
        }
        let digest = match self.world.app.sign_off(&self.world.admin, &self.review).await {
            Ok(preview) => preview.drafts_digest,
            Err(_) => String::new(),
        };
        let form = format!(
            "csrf={csrf}&reason=test&verdict=keep&note=test&accept=yes&drafts_digest={digest}"
        );
        let body = if *method == Method::POST { Body::from(form) } else { Body::empty() };
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        response.status().as_u16()
    }
}

fn serve(world: &World) -> Router {
    let config = ConsoleConfig {
        secure_cookies: false,
        gate_url: "http://127.0.0.1:8443".to_owned(),
        clock: Arc::new(world.clock.clone()),
    };
    router(Arc::clone(&world.app), config)
}

#[test]
fn every_route_is_in_the_list_and_every_entry_has_a_route() {
    let listed: Vec<_> = LIST.iter().map(|(method, path, ..)| (method.clone(), *path)).collect();
    for route in routes::<App>() {
        let known = listed.contains(&(route.method.clone(), route.path));
        assert!(known, "{} {} is not in the access list", route.method, route.path);
    }
    assert_eq!(listed.len(), routes::<App>().len());
}

#[tokio::test]
async fn each_person_sees_what_the_list_says() {
    let mut wrong = Vec::new();
    for (column, person) in [None, Some("mia"), Some("ada"), Some("robin")].iter().enumerate() {
        // A world per person: what one changed must not answer for the next.
        let seeded = Seeded::new().await;
        let cookie = match person {
            Some(person) => Some(seeded.cookie(person).await),
            None => None,
        };
        for (method, _, template, statuses) in LIST {
            let path = seeded.path(template);
            // Each signature needs a draft, which the undo before it took back.
            if path.ends_with("/sign-off") && *method == Method::POST {
                let decision = app::view::NewDecision {
                    verdict: "keep".to_owned(),
                    note: Some("needed".to_owned()),
                };
                seeded.world.app.decide(&seeded.world.admin, &seeded.item, decision).await.unwrap();
            }
            let status = seeded.status(method, &path, cookie.as_deref()).await;
            if status != statuses[column] {
                let person = person.unwrap_or("nobody");
                wrong
                    .push(format!("{person}: {method} {path}: {status}, not {}", statuses[column]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
