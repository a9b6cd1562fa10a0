//! A router to send requests to, and tokens of every role.

use std::sync::Arc;

use app::Role;
use app::view::ReviewDefinition;
use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use portreeve_admin::facts::Checking;
use portreeve_admin::{Check, Facts, Metrics};
use serde_json::Value;
use testkit::{SeededEntropy, World};
use tower::ServiceExt;

/// The API, and a token for each role.
pub(crate) struct Door {
    pub(crate) world: World,
    router: Router,
    tokens: [Option<String>; 4],
}

/// Who asks. A member owns nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Anonymous = 0,
    Member = 1,
    Auditor = 2,
    Admin = 3,
}

pub(crate) const EVERYBODY: [Who; 4] = [Who::Anonymous, Who::Member, Who::Auditor, Who::Admin];

struct Process;

impl Facts for Process {
    fn proxy_url(&self) -> String {
        "http://127.0.0.1:8443".to_owned()
    }

    fn console_url(&self) -> String {
        "https://console.example.test/".to_owned()
    }

    fn review_definitions(&self) -> Vec<ReviewDefinition> {
        Vec::new()
    }

    fn checks(&self) -> Checking<'_> {
        let problem = Some("away".to_owned());
        Box::pin(async { vec![Check { name: "store".to_owned(), problem }] })
    }

    fn measure(&self, metrics: &mut Metrics) {
        metrics.single("build_info", "gauge", "The running program.", 1);
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }
}

impl Door {
    pub(crate) async fn open() -> Self {
        let world = World::new().await;
        world.member("maria").await;
        world.member("otto").await;
        let mut tokens = [None, None, None, None];
        for (who, id, role) in [
            (Who::Member, "maria", Role::Member),
            (Who::Auditor, "otto", Role::Auditor),
            (Who::Admin, "robin", Role::Admin),
        ] {
            let token = world.app.issue_admin_token(&world.admin, id, role).await.unwrap();
            tokens[who as usize] = Some(token);
        }
        let router = portreeve_admin::router(portreeve_admin::Parts {
            app: Arc::clone(&world.app),
            facts: Arc::new(Process),
            clock: Arc::new(world.clock.clone()),
            entropy: Box::new(SeededEntropy::new(99)),
        });
        Self { world, router, tokens }
    }

    pub(crate) async fn ask(
        &self,
        who: Who,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = &self.tokens[who as usize] {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) fn token(&self, who: Who) -> &str {
        self.tokens[who as usize].as_deref().unwrap()
    }
}
