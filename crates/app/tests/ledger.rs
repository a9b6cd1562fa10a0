//! The ledger as auditors use it: who reads it, what it vouches for, and evidence that stands
//! without us.

mod desk;

use app::view::AuditQuery;
use app::{Actor, Role};
use audit::evidence;
use base::problem::ProblemKind::{Conflict, Forbidden, Invalid, NotFound};
use base::{Span, Timestamp};
use desk::{Desk, note};
use portreeve_app as app;
use testkit::world::actor;

fn auditor() -> Actor {
    actor("lee", Role::Auditor)
}

async fn events(desk: &Desk, actor: &Actor, query: AuditQuery) -> Vec<(u64, String)> {
    let page = desk.app.audit_events(actor, query).await.unwrap();
    page.items.into_iter().map(|row| (row.sequence, row.event)).collect()
}

#[tokio::test]
async fn members_neither_check_the_ledger_nor_see_acts_of_others() {
    let desk = Desk::new().await;
    let app = &desk.app;
    assert_eq!(app.chain_status(&desk.kim).await.unwrap_err().kind, Forbidden);
    assert_eq!(app.check_call_records(&desk.kim).await.unwrap_err().kind, Forbidden);
    assert_eq!(app.build_evidence(&desk.kim, "machines").await.unwrap_err().kind, Forbidden);
    assert_eq!(events(&desk, &desk.kim, AuditQuery::default()).await, []);
    let ask = AuditQuery { actor: Some("robin".into()), ..AuditQuery::default() };
    assert_eq!(events(&desk, &desk.kim, ask).await, [], "also when they ask for them");
}

#[tokio::test]
async fn an_event_that_does_not_exist_is_refused() {
    let desk = Desk::new().await;
    let query = AuditQuery { event: Some("grant.revokd".into()), ..AuditQuery::default() };
    let problem = desk.app.audit_events(&auditor(), query).await.unwrap_err();
    assert_eq!((problem.kind, problem.place.as_deref()), (Invalid, Some("event")));
}

#[tokio::test]
async fn events_are_found_by_subject_event_and_page() {
    let desk = Desk::new().await;
    let all = events(&desk, &auditor(), AuditQuery::default()).await;
    assert_eq!(all.last().unwrap(), &(0, "ledger.started".to_owned()), "never empty");
    assert!(all.windows(2).all(|pair| pair[0].0 == pair[1].0 + 1));
    let given = AuditQuery { event: Some("grant.given".into()), ..AuditQuery::default() };
    assert_eq!(events(&desk, &auditor(), given).await.len(), 3);
    for subject in [desk.idle.clone(), format!("grant/{}", desk.idle)] {
        let about = AuditQuery { subject: Some(subject), ..AuditQuery::default() };
        assert_eq!(events(&desk, &auditor(), about).await.len(), 1);
    }
    let mut query = AuditQuery { limit: Some(3), ..AuditQuery::default() };
    let mut paged = Vec::new();
    while paged.len() < all.len() {
        let page = events(&desk, &auditor(), query.clone()).await;
        query.before = page.last().map(|row| row.0);
        paged.extend(page);
    }
    assert_eq!(paged, all);
}

#[tokio::test]
async fn call_records_that_vanish_after_they_were_put_on_record_are_missed() {
    let desk = Desk::new().await;
    desk.log.seal().await.unwrap();
    desk.app.anchor_call_records().await.unwrap();
    assert!(desk.app.chain_status(&auditor()).await.unwrap().intact);
    let gone = desk.log.expire(Timestamp::MAX, &|_| true).unwrap().len();
    let status = desk.app.chain_status(&auditor()).await.unwrap();
    assert_eq!(status.problem.as_deref(), Some("call records: segment 1 is missing"));
    assert!(!status.intact);
    let found = desk.app.check_call_records(&auditor()).await.unwrap();
    assert_eq!(found, ["call records: segment 1 is missing"], "the first of {gone}");
}

#[tokio::test]
async fn a_sealed_segment_is_put_on_record_once_and_expires_on_record() {
    let desk = Desk::new().await;
    let anchored =
        AuditQuery { event: Some("call_records.anchored".into()), ..AuditQuery::default() };
    assert_eq!(events(&desk, &auditor(), anchored.clone()).await, []);
    desk.log.seal().await.unwrap();
    let sealed = desk.log.seals().len();
    desk.app.anchor_call_records().await.unwrap();
    desk.app.anchor_call_records().await.unwrap();
    assert_eq!(events(&desk, &auditor(), anchored).await.len(), sealed);
    assert_eq!(desk.app.check_call_records(&auditor()).await.unwrap(), Vec::<String>::new());

    desk.app.expire_call_records().await.unwrap();
    assert_eq!(desk.log.seals().len(), sealed, "younger than the retention time");
    desk.clock.advance(desk.app.settings().call_retention);
    desk.clock.advance(Span::from_days(1));
    desk.app.expire_call_records().await.unwrap();
    desk.app.expire_call_records().await.unwrap();
    assert_eq!(desk.log.seals().len(), 0);
    let expired =
        AuditQuery { event: Some("call_records.expired".into()), ..AuditQuery::default() };
    assert_eq!(events(&desk, &auditor(), expired).await.len(), sealed);
    let status = desk.app.chain_status(&auditor()).await.unwrap();
    assert_eq!(status.problem, None, "what retention deletes is not missed");
}

#[tokio::test]
async fn there_is_no_evidence_of_what_never_was() {
    let desk = Desk::new().await;
    let unknown = desk.app.build_evidence(&auditor(), "ghosts").await.unwrap_err();
    assert_eq!(unknown.kind, NotFound);
    let definition = app::view::ReviewDefinition {
        name: "nobody".into(),
        of: app::view::ReviewScope { kinds: vec!["workload".into()], ..Default::default() },
        ..desk::machines()
    };
    desk.app.start_review(&desk.robin, definition).await.unwrap_err();
    let reviews = desk.app.reviews(&desk.robin).await.unwrap();
    let failed = desk.app.build_evidence(&auditor(), &reviews[0].id).await.unwrap_err();
    assert_eq!(failed.kind, Conflict, "{failed}");
}

#[tokio::test]
async fn a_finished_review_is_proved_to_whoever_has_the_key() {
    let desk = Desk::new().await;
    desk.review().await;
    let trusted = desk.app.verifier_key();
    let running = desk.app.build_evidence(&auditor(), "machines").await.unwrap();
    let report = evidence::verify(&running, Some(&trusted));
    assert!(report.is_ok(), "{report:#?}");
    assert!(report.summary.starts_with("chain ok · 0 of 3 items"), "{}", report.summary);

    desk.decide_all().await;
    desk.app.sign(&desk.robin, "machines", None).await.unwrap();
    desk.app.remediate().await.unwrap();
    let version = desk.app.review_status(&desk.robin, "machines").await.unwrap();
    assert_eq!(version.review.state, "COMPLETED");
    let bundle = desk.app.build_evidence(&auditor(), "machines").await.unwrap();
    let report = evidence::verify(&bundle, Some(&trusted));
    assert!(report.is_ok(), "{report:#?}");
    let expected = format!(
        "chain ok · 3 of 3 items · population matches ruleset {}",
        version.population_version
    );
    assert_eq!(report.summary, expected);

    let text = String::from_utf8(bundle).unwrap();
    let forged = text.replacen("\"verdict\":\"remove\"", "\"verdict\":\"narrow\"", 1);
    assert_ne!(forged, text);
    let report = evidence::verify(forged.as_bytes(), Some(&trusted));
    assert!(report.summary.starts_with("not authentic: decisions["), "{}", report.summary);
    assert!(desk.app.chain_status(&auditor()).await.unwrap().intact);
}

#[tokio::test]
async fn evidence_accounts_for_items_that_were_overtaken() {
    let desk = Desk::new().await;
    desk.review().await;
    for (item, verdict) in [("002", "narrow"), ("003", "keep")] {
        desk.app.decide(&desk.robin, &format!("machines-{item}"), note(verdict)).await.unwrap();
    }
    desk.app.revoke_grant(&desk.robin, &desk.idle, "not needed").await.unwrap();
    desk.app.sign(&desk.robin, "machines", None).await.unwrap();
    desk.app.remediate().await.unwrap();
    let status = desk.app.review_status(&desk.robin, "machines").await.unwrap();
    assert_eq!((status.review.state.as_str(), status.superseded), ("COMPLETED", 1));
    let bundle = desk.app.build_evidence(&auditor(), "machines").await.unwrap();
    let report = evidence::verify(&bundle, Some(&desk.app.verifier_key()));
    assert!(report.is_ok(), "{report:#?}");
}
