//! Which properties callers received, as the record has it. What must not be in it first.

use catalog::{DataClass, Field};
use traffic::{FieldsSeen, Outcome};

use crate::kit::{Kit, Setup, State};
use crate::packed::{answering, coding, gzip};
use crate::screen::ask;

const ORDER: &str = r#"{"id": 42, "customer": {"name": "Ann", "card": "4111"},
    "by_mail": {"ann@x.example": {"seen": true}}, "lines": [{"sku": "A"}, {"sku": "B"}]}"#;

/// What a grant shows, how the document classifies names, and how many answers are looked at.
struct Case {
    shows: Option<&'static [&'static str]>,
    class: DataClass,
    one_in: u16,
}

const LOOKED_AT: Case = Case { shows: None, class: DataClass::Pii, one_in: 1 };

async fn kit(upstream: &testkit::Upstream, case: Case) -> Kit {
    let mut setup = Setup::default();
    setup.config.watch_one_in = case.one_in;
    setup.adjust = Box::new(move |state: &mut State| {
        let paths = ["customer.card", "customer.name", "id", "lines.sku", "tenant"];
        let class = |path: &str| if path == "id" { DataClass::Internal } else { case.class };
        let field = |path: &str| Field::new(path, class(path));
        for operation in &mut state.api.operations {
            operation.fields = paths.into_iter().map(field).collect();
        }
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        state.grant.fields = case.shows.map(named);
    });
    Kit::with(&upstream.url(), setup).await
}

async fn seen(kit: &Kit) -> Option<FieldsSeen> {
    ask(kit, "").await;
    let over_h1 = kit.record().await.fields_seen;
    crate::http2::get(kit, "/orders/42").await;
    assert_eq!(kit.record().await.fields_seen, over_h1, "over HTTP/2");
    over_h1
}

fn known(paths: &[&str], other: bool, more: bool) -> Option<FieldsSeen> {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    Some(FieldsSeen { paths, other, more })
}

#[tokio::test]
async fn names_that_the_document_does_not_have_are_not_in_the_record() {
    let upstream = answering("", ORDER.into()).await;
    let kit = kit(&upstream, LOOKED_AT).await;
    let all = ["customer.card", "customer.name", "id", "lines.sku"];
    let seen = seen(&kit).await;
    assert!(!format!("{seen:?}").contains("example"), "{seen:?}");
    assert_eq!(seen, known(&all, true, false));
}

#[tokio::test]
async fn what_is_removed_was_not_received() {
    let upstream = answering("", ORDER.into()).await;
    let shows = Some(["customer.name", "lines", "tenant"].as_slice());
    // Also where no answer is looked at for its own sake.
    let kit = kit(&upstream, Case { shows, class: DataClass::Internal, one_in: 0 }).await;
    assert_eq!(seen(&kit).await, known(&["customer.name", "lines.sku"], false, false));
}

#[tokio::test]
async fn what_never_left_was_not_received() {
    let upstream = answering("", br#"{"id": 1, "customer": {"name": "Ann"} "#.to_vec()).await;
    let shows = Some(["id"].as_slice());
    let kit = kit(&upstream, Case { shows, ..LOOKED_AT }).await;
    let response = ask_head(&kit).await;
    let record = kit.record().await;
    assert_eq!(record.outcome, Outcome::Withheld);
    assert_eq!(record.fields_seen.is_some(), response.starts_with("HTTP/1.1 200"));

    let upstream = answering("", b"<p>Ann</p>".to_vec()).await;
    let kit = self::kit(&upstream, Case { shows, ..LOOKED_AT }).await;
    assert!(ask_head(&kit).await.starts_with("HTTP/1.1 502"));
    assert_eq!(kit.record().await.fields_seen, None);
}

async fn ask_head(kit: &Kit) -> String {
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    client.head().await.unwrap()
}

#[tokio::test]
async fn an_answer_that_nobody_filters_is_looked_at_only_where_that_was_asked_for() {
    for case in [
        Case { one_in: 0, ..LOOKED_AT },
        Case { class: DataClass::Internal, ..LOOKED_AT },
        // The ids of the kit's calls draw none of these.
        Case { one_in: 10_000, ..LOOKED_AT },
    ] {
        let upstream = answering("", ORDER.into()).await;
        assert_eq!(seen(&kit(&upstream, case).await).await, None);
    }
}

#[tokio::test]
async fn an_answer_that_is_looked_at_goes_on_as_it_is() {
    let packed = gzip(ORDER.as_bytes());
    let upstream = answering(&coding("gzip"), packed.clone()).await;
    let kit = kit(&upstream, LOOKED_AT).await;
    let response = ask(&kit, "accept-encoding: gzip\r\n").await;
    assert_eq!(response.body, packed);
    assert_eq!(response.field("content-encoding"), Some("gzip"));
    assert_eq!(response.field("etag"), Some("\"x\""));
    assert_eq!(upstream.seen()[0].fields("accept-encoding"), ["gzip"]);
    let all = ["customer.card", "customer.name", "id", "lines.sku"];
    assert_eq!(kit.record().await.fields_seen, known(&all, true, false));

    // What cannot be read on is not known, and no reason to do anything.
    for (lines, body) in [(coding("gzip"), packed[..30].to_vec()), (String::new(), b"{".to_vec())] {
        let upstream = answering(&lines, body.clone()).await;
        let kit = self::kit(&upstream, LOOKED_AT).await;
        assert_eq!(ask(&kit, "").await.body, body);
        let record = kit.record().await;
        assert_eq!(record.outcome, Outcome::Allowed);
        assert!(record.fields_seen.unwrap().paths.is_empty());
    }
}

#[tokio::test]
async fn of_a_long_answer_only_the_beginning_is_looked_at() {
    let items = r#"{"id": 1, "tenant": "acme"},"#.repeat(50_000);
    let long = format!(r#"[{items} {{"customer": {{"name": "Ann"}}}}]"#);
    let upstream = answering("", long.clone().into_bytes()).await;
    let kit = kit(&upstream, LOOKED_AT).await;
    assert_eq!(ask(&kit, "").await.body.len(), long.len());
    assert_eq!(kit.record().await.fields_seen, known(&["id", "tenant"], false, true));
}
