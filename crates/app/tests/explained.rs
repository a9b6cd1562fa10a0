//! What an explanation tells to do, and that it is never more than there was.

mod desk;

use app::view::{ChangeSet, Explanation, NewGrant, TermsView, Withdraw, WrittenRequest};
use base::{RequestId, Span};
use desk::{Desk, note};
use portreeve_app as app;
use testkit::SeededEntropy;
use traffic::{CallRecord, Outcome, Reason};

fn written(identity: &str, request: &str) -> WrittenRequest {
    WrittenRequest {
        identity: identity.to_owned(),
        request: request.to_owned(),
        ..WrittenRequest::default()
    }
}

/// `idle` may get its own orders, and see their ids alone.
async fn give(desk: &Desk, terms: TermsView, until: Option<String>) -> String {
    let new = NewGrant {
        subject: "idle".to_owned(),
        api: "orders".to_owned(),
        can: vec!["getOrder".to_owned()],
        fields: Some(vec!["id".to_owned()]),
        terms: Some(terms),
        until,
    };
    desk.app.give_grant(&desk.robin, new).await.unwrap().id
}

fn tied() -> TermsView {
    TermsView { ties: vec!["path.id = \"1\"".to_owned()], ..TermsView::default() }
}

const TIED: &str = "portreeve grant give idle --api orders --can getOrder --field id \
                    --when 'path.id = \"1\"'";

/// The suggestion, and what is said of the grant.
async fn suggestion(desk: &Desk, request: WrittenRequest, grant: &str) -> (Option<String>, String) {
    let found = desk.app.explain_written(&desk.robin, request).await.unwrap();
    assert_eq!(found.call.outcome, "refused");
    let said = found.grants.into_iter().find(|one| one.grant_id == grant).unwrap().why;
    (found.would_allow, said)
}

#[tokio::test]
async fn what_ended_is_suggested_under_the_terms_that_it_had() {
    let get = || written("idle", "GET /orders/items/1");
    let desk = Desk::new().await;
    let until = (desk.now() + Span::from_secs(5)).to_string();
    let expired = give(&desk, tied(), Some(until)).await;
    desk.clock.advance(Span::from_secs(10));
    let (command, said) = suggestion(&desk, get(), &expired).await;
    let again = desk.now() + Span::from_secs(5);
    assert_eq!(command, Some(format!("{TIED} --until {again}")));
    assert_eq!(said, "covers this operation, but has expired");

    let desk = Desk::new().await;
    let until = Some((desk.now() + Span::from_days(1)).to_string());
    let uncertified = give(&desk, TermsView { certified_until: until, ..tied() }, None).await;
    desk.clock.advance(Span::from_days(2));
    let (command, _) = suggestion(&desk, get(), &uncertified).await;
    let again = desk.now() + Span::from_days(1);
    assert_eq!(command, Some(format!("{TIED} --certified-until {again}")));

    let desk = Desk::new().await;
    let revoked = give(&desk, tied(), None).await;
    desk.app.revoke_grant(&desk.robin, &revoked, "over").await.unwrap();
    let (command, said) = suggestion(&desk, get(), &revoked).await;
    assert_eq!(command.as_deref(), Some(TIED));
    assert_eq!(said, "covers this operation, but was revoked");
    // Another object is named, and nothing else is given with it.
    let (command, _) = suggestion(&desk, written("idle", "GET /orders/items/2"), &revoked).await;
    assert_eq!(command, Some(TIED.replace("\"1\"", "\"2\"")));
}

#[tokio::test]
async fn what_is_being_taken_back_is_kept_by_stopping_that() {
    let desk = Desk::new().await;
    let bound = TermsView { bindings: vec!["mtls".to_owned()], ..tied() };
    let grant = give(&desk, bound, None).await;
    let stage = Withdraw { stage: "100%".to_owned(), reason: "test".to_owned() };
    desk.app.withdraw_grant(&desk.robin, &grant, &stage).await.unwrap();
    let get = |id: &str| {
        let binding = Some("mtls".to_owned());
        WrittenRequest { binding, ..written("idle", &format!("GET /orders/items/{id}")) }
    };
    let (command, said) = suggestion(&desk, get("1"), &grant).await;
    let stop = format!("portreeve grant withdraw {grant} --stage stop --reason 'still needed'");
    assert_eq!(command, Some(stop));
    assert_eq!(said, "covers this operation, but is being taken back");
    // To stop it would not help here: a grant does, with all that this one asks for.
    let (command, said) = suggestion(&desk, get("2"), &grant).await;
    assert_eq!(command, Some(format!("{} --bound mtls", TIED.replace("\"1\"", "\"2\""))));
    assert_eq!(said, "covers this operation on other objects, but is being taken back");
}

#[tokio::test]
async fn of_what_a_review_removed_it_is_said_that_it_did() {
    let desk = Desk::new().await;
    for item in desk.review().await {
        let verdict = if item.grant_id == desk.idle { "remove" } else { "keep" };
        desk.app.decide(&desk.robin, &item.id, note(verdict)).await.unwrap();
    }
    desk.app.sign(&desk.robin, "machines", None).await.unwrap();
    let (_, said) = suggestion(&desk, written("idle", "GET /orders/items"), &desk.idle).await;
    assert!(
        said.starts_with("covers this operation, but was revoked by a review (review "),
        "{said}"
    );
}

#[tokio::test]
async fn several_terms_that_are_not_met_are_all_said_and_all_mended() {
    let desk = Desk::new().await;
    let hours = vec!["mon-fri 08:00-18:00".to_owned()];
    let networks = vec!["10.0.0.0/8".to_owned()];
    let grant = give(&desk, TermsView { hours, networks, ..tied() }, None).await;
    let request = WrittenRequest {
        at: Some("2026-11-29T03:30:00Z".to_owned()),
        from: Some("192.0.2.7".to_owned()),
        ..written("idle", "GET /orders/items/2")
    };
    let (command, said) = suggestion(&desk, request.clone(), &grant).await;
    assert_eq!(
        said,
        "covers this operation at other hours and from other networks and on other objects"
    );
    let mended = TIED.replace("\"1\"", "\"2\"");
    let mended = format!("{mended} --hours 'sun 03:00-04:00' --from 192.0.2.7/32");
    assert_eq!(command, Some(mended));
    // A stronger proof is nothing that a grant gives.
    let strength = Some("sender_constrained".to_owned());
    desk.app.revoke_grant(&desk.robin, &grant, "over").await.unwrap();
    let hours = vec!["mon-fri 08:00-18:00".to_owned()];
    let grant = give(&desk, TermsView { hours, strength, ..tied() }, None).await;
    let (command, said) = suggestion(&desk, request, &grant).await;
    assert_eq!(command, None);
    assert!(said.contains("at other hours and with a stronger proof"), "{said}");
}

/// The stages of a call that `reader` made, as it is recorded.
async fn stages(desk: &Desk, set: impl FnOnce(&mut CallRecord)) -> Vec<(String, String, String)> {
    let at = desk.now();
    let newest = desk.log.newest(at - Span::from_days(400), at, 1, &|_| true).unwrap();
    let mut record = newest.records[0].clone();
    record.request_id = RequestId::generate(at, &mut SeededEntropy::new(at.as_micros() as u64));
    record.at = at;
    set(&mut record);
    desk.clock.advance(Span::from_secs(1));
    desk.log.append(record.clone()).unwrap();
    let id = record.request_id.to_string();
    let found = desk.app.explain(&desk.robin, &id).await.unwrap();
    let told = found.stages.into_iter().map(|stage| (stage.stage, stage.outcome, stage.detail));
    told.collect()
}

fn named<'a>(stages: &'a [(String, String, String)], name: &str) -> (&'a str, &'a str) {
    let (_, outcome, detail) = stages.iter().find(|(stage, ..)| stage == name).unwrap();
    (outcome, detail)
}

#[tokio::test]
async fn a_stream_that_was_cut_passed_every_stage_and_ended_with_the_cut() {
    let desk = Desk::new().await;
    let told = stages(&desk, |record| {
        (record.outcome, record.status) = (Outcome::Cancelled, 101);
        record.reason = Some(Reason::CredentialRevoked);
    })
    .await;
    let ((_, outcome, detail), before) = told.split_last().unwrap();
    assert!(before.iter().all(|(_, outcome, _)| outcome == "passed"), "{before:?}");
    assert_eq!(named(&told, "upstream").1, "answered with 101");
    assert_eq!(named(&told, "cut").0, outcome);
    let cut = ("cancelled", "the credential was revoked or is suspended");
    assert_eq!((outcome.as_str(), detail.as_str()), cut);
}

#[tokio::test]
async fn what_a_limit_or_a_message_refuses_is_told_at_a_stage_of_its_own() {
    let desk = Desk::new().await;
    for (reason, stage) in [
        (Reason::RateLimited, "limit"),
        (Reason::ConcurrencyLimited, "limit"),
        (Reason::AmbiguousBody, "message"),
        (Reason::ContractViolation, "message"),
        (Reason::ForbiddenByPolicy, "guardrail"),
        (Reason::UpstreamTimeout, "upstream"),
    ] {
        let told = stages(&desk, |record| {
            (record.outcome, record.reason) = (Outcome::Refused, Some(reason));
            (record.status, record.grant_ids) = (reason.status(), Vec::new());
        })
        .await;
        let refused: Vec<_> = told.iter().filter(|(_, outcome, _)| outcome == "refused").collect();
        assert_eq!(refused.len(), 1, "{reason}");
        assert_eq!(refused[0].0, stage, "{reason}");
        let (outcome, detail) = named(&told, "grant");
        assert_eq!(outcome, "passed", "{reason}");
        assert_eq!(detail, "not what refused it; by which grants it would pass is not on record");
    }
}

#[tokio::test]
async fn a_slip_in_a_written_request_is_told_with_what_was_meant() {
    let desk = Desk::new().await;
    for (identity, request, hint) in [
        ("idel", "GET /orders/items", "did you mean `idle`?"),
        ("idle", "get /orders/items", "write GET"),
        ("idle", "GET orders/items", "write GET /orders/items"),
    ] {
        let slip = desk.app.explain_written(&desk.robin, written(identity, request)).await;
        assert_eq!(slip.unwrap_err().hint.as_deref(), Some(hint), "{request}");
    }
    // Who may not read everything is told the same as of an identity that is there.
    let api = desk.app.explain_written(&desk.kim, written("idel", "GET /orders/items")).await;
    let api = api.unwrap();
    let there = desk.app.explain_written(&desk.kim, written("stranger", "GET /orders/items")).await;
    let there = there.unwrap();
    assert_eq!(there.call.reason.as_deref(), Some("no_grant"));
    assert_eq!((&api.call.reason, api.call.status), (&there.call.reason, there.call.status));
    let told = |one: &Explanation| {
        let stages = one.stages.iter().map(|stage| (stage.stage.clone(), stage.outcome.clone()));
        (stages.collect::<Vec<_>>(), one.grants.len(), one.would_allow.clone())
    };
    assert_eq!(told(&api), told(&there));
}

/// It looked at a header, which no record keeps: who forbade is on record, and why is in the policy.
#[tokio::test]
async fn a_guardrail_that_forbade_a_recorded_call_is_named_also_where_it_cannot_be_asked_again() {
    let desk = Desk::new().await;
    let text = "@id(\"tenants\") @reason(\"INC-1\") forbid(principal, action, resource) when {\
                context.header has \"x-tenant\" };";
    let files = [("g.cedar".to_owned(), text.to_owned())].into();
    let change = ChangeSet { files, why: Some("test".to_owned()), ..ChangeSet::default() };
    desk.app.publish_policy(&desk.robin, change, false).await.unwrap();
    let at = desk.now();
    let newest = desk.log.newest(at - Span::from_days(400), at, 1, &|_| true).unwrap();
    let record = CallRecord {
        request_id: RequestId::generate(at, &mut SeededEntropy::new(7)),
        at,
        outcome: Outcome::Refused,
        reason: Some(Reason::ForbiddenByPolicy),
        guardrails: vec!["gone".to_owned(), "tenants".to_owned()],
        grant_ids: Vec::new(),
        status: 403,
        ..newest.records[0].clone()
    };
    desk.clock.advance(Span::from_secs(1));
    desk.log.append(record.clone()).unwrap();
    let explain = async |actor| {
        let found = desk.app.explain(actor, record.request_id.as_str()).await.unwrap();
        let guardrails = found.guardrails.into_iter().map(|one| (one.id, one.says, one.why));
        (guardrails.collect::<Vec<_>>(), found.call.guardrails, found.stages)
    };
    let (told, on_record, stages) = explain(&desk.robin).await;
    let said =
        |id: &str, why: Option<&str>| (id.to_owned(), "forbade".to_owned(), why.map(str::to_owned));
    assert_eq!(told, [said("tenants", Some("INC-1")), said("gone", None)]);
    assert_eq!(on_record, ["gone", "tenants"]);
    assert_eq!(stages[5].detail, "a guardrail forbids it: gone, tenants");
    let (told, ..) = explain(&desk.kim).await;
    assert_eq!(told, [said("tenants", None), said("gone", None)], "the policy set is not theirs");
}
