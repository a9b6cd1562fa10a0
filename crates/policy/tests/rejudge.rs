//! Recorded calls under a changed ruleset: what turns, what stays, and what nobody can know.

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{ApiId, Timestamp};
use catalog::{Api, ApiMode, Method};
use common::*;
use grant::{Grant, GrantStatus, Place, Terms};
use identity::{Binding, Credential, CredentialClass, Strength};
use portreeve_policy::{
    Change, Explained, Guard, Judge, Judgement, Outlook, Question, Reading, RecordedRequest,
    Rejudge, Rejudged, Request, Shift,
};
use traffic::{CallRecord, Outcome, Reason};

fn record(identity: &str, operation: &str, at_second: i64) -> CallRecord {
    CallRecord {
        request_id: format!("r_{identity}_{operation}_{at_second}").parse().unwrap(),
        at: at(at_second),
        duration_us: 1,
        identity_id: Some(identity.parse().unwrap()),
        credential_id: Some(format!("key-of-{identity}").parse().unwrap()),
        api_id: Some("orders".parse().unwrap()),
        operation: Some(operation.parse().unwrap()),
        method: "GET".to_owned(),
        path: format!("/orders/{operation}"),
        source_ip: [10, 0, 0, 1].into(),
        user_agent: None,
        outcome: Outcome::Allowed,
        reason: None,
        would_refuse: None,
        binding: None,
        rollout: None,
        status: 200,
        grant_ids: match identity {
            "billing" => vec!["g_billing".parse().unwrap()],
            "clerk" => vec!["g_clerks".parse().unwrap()],
            _ => Vec::new(),
        },
        fields_removed: Vec::new(),
        violations: Vec::new(),
        fields_seen: None,
        guardrails: Vec::new(),
        bytes_in: 0,
        bytes_out: 0,
        ruleset_version: 1,
    }
}

fn refused(reason: Reason, record: CallRecord) -> CallRecord {
    let (outcome, reason, grant_ids) = (Outcome::Refused, Some(reason), Vec::new());
    CallRecord { outcome, reason, status: 403, grant_ids, ..record }
}

fn outlook(changes: Vec<Change>, records: &[CallRecord]) -> Outlook {
    let before = Arc::new(ruleset());
    let after = Arc::new(before.apply(2, changes).unwrap());
    let mut rejudge = Rejudge::new(Some(before), after, NOW);
    records.iter().for_each(|record| rejudge.take(record));
    rejudge.finish()
}

fn revoked() -> Change {
    let good = grant("g_billing", "billing", "orders", &["get", "list"]);
    Change::Grant(Grant { status: GrantStatus::Revoked, ..good })
}

fn limited(terms: Terms) -> Change {
    Change::Grant(Grant { terms, ..grant("g_billing", "billing", "orders", &["get", "list"]) })
}

#[test]
fn what_a_removal_refuses_is_counted_by_caller_and_operation() {
    let records =
        [record("billing", "get", -3), record("billing", "get", -2), record("clerk", "get", -1)];
    let found = outlook(vec![revoked()], &records);
    assert_eq!((found.judged, found.unknown), (3, 0));
    assert!(found.newly_allowed.is_empty());
    let [shift] = found.newly_refused.as_slice() else { panic!("{found:?}") };
    assert_eq!((shift.identity.as_str(), shift.calls, shift.last_at), ("billing", 2, at(-2)));
    assert_eq!(shift.reason, Some(Reason::NoGrant));
}

#[test]
fn what_a_new_grant_allows_is_told_with_why_it_was_refused() {
    let given = Change::Grant(grant("g_new", "stranger", "orders", &["get"]));
    let records = [
        refused(Reason::NoGrant, record("stranger", "get", -1)),
        // Not a matter of permission: no grant would have helped.
        refused(Reason::RateLimited, record("stranger", "get", -1)),
        refused(Reason::CredentialExpired, record("stranger", "get", -1)),
    ];
    let found = outlook(vec![given], &records);
    assert_eq!(found.judged, 1);
    let [shift] = found.newly_allowed.as_slice() else { panic!("{found:?}") };
    assert_eq!((shift.identity.as_str(), shift.reason), ("stranger", Some(Reason::NoGrant)));
    assert!(found.newly_refused.is_empty());
}

#[test]
fn what_the_present_ruleset_refuses_already_is_not_the_changes_doing() {
    let before = Arc::new(ruleset().apply(2, [revoked()]).unwrap());
    let mut rejudge = Rejudge::new(Some(Arc::clone(&before)), Arc::clone(&before), NOW);
    let call = record("billing", "get", -1);
    rejudge.take(&call);
    assert!(rejudge.finish().newly_refused.is_empty());
    // Against the records it is what has changed since.
    let mut rejudge = Rejudge::new(None, before, NOW);
    rejudge.take(&call);
    assert_eq!(rejudge.finish().newly_refused.len(), 1);
}

#[test]
fn hours_are_those_of_the_call() {
    // NOW is a Monday at 14:13 UTC; a day before was a Sunday.
    let office = Terms { hours: vec!["mon-fri 00:00-24:00".parse().unwrap()], ..Terms::default() };
    let records = [record("billing", "get", -1), record("billing", "get", -86_400)];
    let found = outlook(vec![limited(office)], &records);
    let [shift] = found.newly_refused.as_slice() else { panic!("{found:?}") };
    assert_eq!((shift.calls, shift.last_at), (1, at(-86_400)));
}

#[test]
fn what_no_record_keeps_is_not_guessed() {
    let records = [record("billing", "get", -1)];
    for tie in ["query.t = identity.id", "header.t = identity.id", "body.t = identity.id"] {
        let found = outlook(vec![limited(tied(tie))], &records);
        assert_eq!((found.judged, found.unknown), (1, 1), "{tie}");
        assert!(found.newly_refused.is_empty());
    }
    // A path is kept.
    let found = outlook(vec![limited(tied("path.t = identity.id"))], &records);
    assert_eq!((found.unknown, found.newly_refused.len()), (0, 1));
}

/// What it hung on does not matter any more, and that it passed is on record.
#[test]
fn a_call_is_refused_for_certain_once_the_grant_that_nobody_could_tell_of_is_gone() {
    let records = [
        record("billing", "get", -3),
        record("billing", "get", -2),
        refused(Reason::ObjectNotAllowed, record("billing", "get", -1)),
    ];
    for tie in ["query.t = identity.id", "header.t = identity.id", "body.t = identity.id"] {
        let found = from_tied(tie, vec![revoked()], &records);
        let [shift] = found.newly_refused.as_slice() else { panic!("{tie}: {found:?}") };
        assert_eq!((shift.calls, shift.reason), (2, Some(Reason::NoGrant)), "{tie}");
        assert_eq!((found.judged, found.unknown), (3, 0), "{tie}");
        // The other way round: nothing is asked any more, and the refused one would pass.
        let plain = Change::Grant(grant("g_billing", "billing", "orders", &["get", "list"]));
        let found = from_tied(tie, vec![plain], &records);
        let [shift] = found.newly_allowed.as_slice() else { panic!("{tie}: {found:?}") };
        assert_eq!((shift.calls, shift.reason), (1, Some(Reason::ObjectNotAllowed)), "{tie}");
        assert_eq!((found.unknown, found.newly_refused.len()), (0, 0), "{tie}");
    }
}

/// What let it pass has gone since, and whether the other grant would is not known.
#[test]
fn a_call_whose_grant_is_gone_already_is_not_the_changes_doing() {
    let mut call = record("billing", "get", -3);
    call.grant_ids = vec!["g_earlier".parse().unwrap()];
    let found = from_tied("header.t = identity.id", vec![revoked()], &[call]);
    assert_eq!((found.judged, found.unknown, found.newly_refused.len()), (1, 1, 0));
}

fn tied(tie: &str) -> Terms {
    Terms { ties: vec![tie.parse().unwrap()], ..Terms::default() }
}

/// What changes do where the grant of `billing` was tied before.
fn from_tied(tie: &str, changes: Vec<Change>, records: &[CallRecord]) -> Outlook {
    let before = Arc::new(ruleset().apply(2, [limited(tied(tie))]).unwrap());
    let after = Arc::new(before.apply(3, changes).unwrap());
    let mut rejudge = Rejudge::new(Some(before), after, NOW);
    records.iter().for_each(|record| rejudge.take(record));
    rejudge.finish()
}

#[test]
fn a_tie_to_a_claim_is_open_for_tokens_alone() {
    let token = Credential { class: CredentialClass::IssuerSubject, ..credential("billing") };
    let records = [record("billing", "get", -1)];
    let claim = limited(tied("path.id = claim.tenant"));
    let mut orders = api("orders", &["list"]);
    orders.operations.push(operation(Method::Get, "get", "/orders/{id}"));
    let found = outlook(vec![claim.clone(), Change::Api(orders.clone())], &records);
    assert_eq!((found.unknown, found.newly_refused.len()), (0, 1), "a key claims nothing");
    let changes = vec![claim, Change::Api(orders), Change::Credential(token)];
    let found = outlook(changes, &records);
    assert_eq!((found.unknown, found.newly_refused.len()), (1, 0));
}

/// One grant allows it already; the other would only show more of the answer.
#[test]
fn a_call_that_one_grant_allows_does_not_hang_on_what_another_looks_at() {
    let mut some = grant("g_also", "billing", "orders", &["get"]);
    some.fields = Some(vec!["id".to_owned()]);
    let changes = vec![limited(tied("query.t = identity.id")), Change::Grant(some)];
    let found = outlook(changes, &[record("billing", "get", -1)]);
    assert_eq!((found.unknown, found.newly_refused.len()), (0, 0));
}

#[test]
fn what_observe_mode_lets_pass_hangs_on_no_tie_unless_permission_is_asked() {
    let api = Api { mode: ApiMode::Observe, ..api("orders", &["get", "list", "cancel"]) };
    let changes = [limited(tied("query.t = identity.id")), Change::Api(api)];
    let ruleset = Arc::new(ruleset().apply(2, changes).unwrap());
    let call = record("billing", "get", -1);
    let said = Judge::new(Arc::clone(&ruleset), NOW).judge(&call, None);
    assert_eq!(said, Some(Rejudged::Allowed));
    let said = Judge::new(ruleset, NOW).enforced().judge(&call, None);
    assert_eq!(said, Some(Rejudged::Unknown));
}

#[test]
fn a_guardrail_that_reads_a_header_hides_neither_another_nor_a_missing_grant() {
    let all = grant("g_billing", "billing", "orders", &["*"]);
    let guard: Arc<dyn Guard> = Arc::new(Rails::Header);
    let records = [record("billing", "cancel", -2), record("billing", "get", -1)];
    let replay = |before: Vec<Change>, after: Vec<Change>| {
        let before = Arc::new(ruleset().apply(2, before).unwrap());
        let after = Arc::new(before.apply(3, after).unwrap());
        let mut rejudge = Rejudge::new(Some(before), after, NOW);
        records.iter().for_each(|record| rejudge.take(record));
        let found = rejudge.finish();
        let [shift] = found.newly_refused.as_slice() else { panic!("{found:?}") };
        let operation = shift.operation.as_ref().unwrap().to_string();
        (operation, shift.reason.unwrap(), found.unknown)
    };
    let guarded = vec![Change::Guard(Some(guard))];
    // The one that forbids by the address alone is heard.
    let found = replay(vec![Change::Grant(all.clone())], guarded.clone());
    assert_eq!(found, ("cancel".to_owned(), Reason::ForbiddenByPolicy, 1));
    // Where no grant is left no guardrail is asked.
    let before = [guarded, vec![Change::Grant(all)]].concat();
    let narrowed = Change::Grant(grant("g_billing", "billing", "orders", &["cancel"]));
    let found = replay(before, vec![narrowed]);
    assert_eq!(found, ("get".to_owned(), Reason::NoGrant, 0));
}

#[test]
fn a_source_and_an_end_count_as_they_are_now() {
    let from = |net: &str| Terms { networks: vec![net.parse().unwrap()], ..Terms::default() };
    let records = [record("billing", "get", -1)];
    assert_eq!(outlook(vec![limited(from("10.0.0.0/8"))], &records).newly_refused.len(), 0);
    assert_eq!(outlook(vec![limited(from("192.168.0.0/16"))], &records).newly_refused.len(), 1);
    let ended: Timestamp = at(-1);
    let good = grant("g_billing", "billing", "orders", &["get", "list"]);
    let change = Change::Grant(Grant { expires_at: Some(ended), ..good });
    assert_eq!(outlook(vec![change], &records).newly_refused.len(), 1);
}

#[test]
fn what_is_remembered_is_what_would_be_answered_anew() {
    let office = Terms { hours: vec!["mon-fri 00:00-24:00".parse().unwrap()], ..Terms::default() };
    let near = Terms { networks: vec!["10.0.0.0/8".parse().unwrap()], ..Terms::default() };
    let also = Grant { terms: near, ..grant("g_also", "clerk", "orders", &["list"]) };
    let after = ruleset().apply(2, [limited(office), Change::Grant(also)]).unwrap();
    let after = Arc::new(after);
    let mut judge = Judge::new(Arc::clone(&after), NOW);
    let grants = ["g_billing", "g_clerks", "g_also", "g_none"].map(|id| id.parse().unwrap());
    let mut seen = BTreeSet::new();
    for round in 0..4 {
        for identity in ["billing", "clerk", "stranger", "nobody"] {
            for operation in ["get", "list", "cancel", "nope"] {
                let mut call = record(identity, operation, -40_000 * round);
                call.source_ip = [if round % 2 == 0 { 10 } else { 11 }, 0, 0, 1].into();
                call.operation = call.operation.filter(|_| round < 3);
                assert_eq!(judge.judge(&call, None), after.rejudge(&call, NOW), "{call:?}");
                for without in &grants {
                    // A judge that remembers nothing.
                    let fresh = Judge::new(Arc::clone(&after), NOW).judge(&call, Some(without));
                    assert_eq!(judge.judge(&call, Some(without)), fresh, "{without} {call:?}");
                    seen.insert(format!("{fresh:?}"));
                }
            }
        }
    }
    assert!(seen.len() >= 4, "{seen:?}");
}

#[test]
fn without_the_grant_that_let_it_pass_a_call_is_refused_unless_another_covers_it() {
    let also = Change::Grant(grant("g_also", "billing", "orders", &["list"]));
    let ruleset = Arc::new(ruleset().apply(2, [also]).unwrap());
    let mut judge = Judge::new(ruleset, NOW);
    let without = "g_billing".parse().unwrap();
    let mut ask = |operation: &str| judge.judge(&record("billing", operation, -1), Some(&without));
    assert_eq!(ask("get"), Some(Rejudged::Refused(Reason::NoGrant)));
    assert_eq!(ask("list"), Some(Rejudged::Allowed));
}

#[test]
fn what_only_observe_mode_lets_pass_is_refused_where_that_is_asked() {
    let api = Api { mode: ApiMode::Observe, ..api("orders", &["get", "list", "cancel"]) };
    let ruleset = Arc::new(ruleset().apply(2, [Change::Api(api)]).unwrap());
    let call = record("stranger", "get", -1);
    let said = Judge::new(Arc::clone(&ruleset), NOW).judge(&call, None);
    assert_eq!(said, Some(Rejudged::Allowed));
    let said = Judge::new(ruleset, NOW).enforced().judge(&call, None);
    assert_eq!(said, Some(Rejudged::Refused(Reason::NoGrant)));
}

#[test]
fn callers_beyond_the_room_count_together() {
    let records: Vec<_> = (0..100_020).map(|n| record(&format!("svc-{n}"), "get", -1)).collect();
    let mut rejudge = Rejudge::new(None, Arc::new(ruleset()), NOW);
    records.iter().for_each(|record| rejudge.take(record));
    // Those that are told apart go on being so.
    rejudge.take(&records[0]);
    let found = rejudge.finish();
    assert_eq!((found.newly_refused.len(), found.newly_refused_others), (100_000, 20));
    assert_eq!((found.newly_refused[0].calls, found.judged), (2, 100_021));
}

#[test]
fn of_a_recorded_call_it_is_unknown_what_a_source_said() {
    let mut api = api("orders", &[]);
    api.operations.push(operation(Method::Get, "get", "/orders/{id}"));
    let tie = "path.id = related.owner".parse().unwrap();
    let terms = Terms { ties: vec![tie], ..Terms::default() };
    let limited = Grant { terms, ..grant("g_billing", "billing", "orders", &["get"]) };
    let ruleset = ruleset().apply(2, [Change::Api(api), Change::Grant(limited)]).unwrap();
    let record = CallRecord { path: "/orders/7".to_owned(), ..record("billing", "get", 1) };
    let stored = Rejudged::Refused(Reason::ObjectNotAllowed);
    assert_eq!(ruleset.rejudge(&record, NOW), Some(stored));
    let looked_up = ruleset.looking_up(["owner".to_owned()].into());
    assert_eq!(looked_up.rejudge(&record, NOW), Some(Rejudged::Unknown));
}

/// The record says what bound the proof, so that a demand for it is judged and not guessed.
#[test]
fn a_demand_for_a_bound_proof_is_judged_by_how_each_call_was_proved() {
    let bound = |binding, record| CallRecord { binding, ..record };
    let records = [
        bound(Some(Binding::Dpop), record("billing", "get", -4)),
        bound(Some(Binding::Mtls), record("billing", "get", -3)),
        bound(None, record("billing", "get", -2)),
    ];
    let strength = Some(Strength::SenderConstrained);
    let found = outlook(vec![limited(Terms { strength, ..Terms::default() })], &records);
    let refusals =
        |found: &Outlook| found.newly_refused.iter().map(|shift| shift.calls).sum::<u64>();
    assert_eq!((found.unknown, refusals(&found)), (0, 1));
    assert_eq!(found.newly_refused[0].reason, Some(Reason::ProofTooWeak));
    let bindings = vec![Binding::Dpop];
    let found = outlook(vec![limited(Terms { bindings, ..Terms::default() })], &records);
    assert_eq!((found.unknown, refusals(&found)), (0, 2));
}

/// Guardrails that forbid to cancel, and else look at what is named here.
#[derive(Debug)]
enum Rails {
    Claims,
    Header,
}

impl Guard for Rails {
    fn judge(&self, question: &Question<'_>) -> Judgement {
        if question.operation.is_some_and(|operation| operation.id.as_str() == "cancel") {
            return Judgement::Forbid(vec!["no-cancel".to_owned()]);
        }
        let header = Place::Header("x-tenant".to_owned());
        match self {
            Self::Claims if question.who.knows_claims() => Judgement::Pass,
            Self::Claims => Judgement::Later,
            Self::Header => match question.facts.request.read(&header) {
                Reading::Later => Judgement::Later,
                reading => Judgement::Error(format!("{reading:?}")),
            },
        }
    }

    fn reads(&self, _: &ApiId) -> &[Place] {
        &[]
    }

    fn explain(&self, _: &Question<'_>) -> Vec<Explained> {
        Vec::new()
    }

    fn version(&self) -> u64 {
        1
    }
}

#[test]
fn what_hangs_on_the_claims_of_a_token_is_not_guessed() {
    let guard: Arc<dyn Guard> = Arc::new(Rails::Claims);
    let token = Credential { class: CredentialClass::IssuerSubject, ..credential("clerk") };
    let records = [record("billing", "get", -2), record("clerk", "get", -1)];
    let guarded = vec![Change::Guard(Some(guard)), Change::Credential(token)];
    let found = outlook(guarded.clone(), &records);
    assert_eq!((found.judged, found.unknown), (2, 1), "a key has no claims");
    // Where no grant is left no guardrail is asked, and nothing hangs on it.
    let gone = grant("g_clerks", "group:clerks", "orders", &["*"]);
    let gone = Change::Grant(Grant { status: GrantStatus::Revoked, ..gone });
    let removed = [guarded, vec![revoked(), gone]].concat();
    let found = outlook(removed, &records);
    let refused = |shift: &Shift| (shift.identity.to_string(), shift.reason);
    let refused: Vec<_> = found.newly_refused.iter().map(refused).collect();
    let wanted = ["billing", "clerk"].map(|id| (id.to_owned(), Some(Reason::NoGrant)));
    assert_eq!((found.unknown, refused), (0, wanted.to_vec()));
}

/// Guardrails that look at one place, and refuse where they cannot read it.
#[derive(Debug)]
struct LooksAt([Place; 1]);

impl Guard for LooksAt {
    fn judge(&self, question: &Question<'_>) -> Judgement {
        let place = &self.0[0];
        match (question.facts.request.read(place), place) {
            (Reading::Values(_), _) => Judgement::Pass,
            (Reading::Later, _) => Judgement::Later,
            (_, Place::Body(_)) => Judgement::UnreadableBody(place.to_string()),
            _ => Judgement::Error(place.to_string()),
        }
    }

    fn reads(&self, _: &ApiId) -> &[Place] {
        &self.0
    }

    fn explain(&self, _: &Question<'_>) -> Vec<Explained> {
        Vec::new()
    }

    fn version(&self) -> u64 {
        1
    }
}

#[test]
fn a_parameter_that_the_path_does_not_have_is_absent_and_a_body_is_not_guessed() {
    let call = record("billing", "get", -1);
    let under = |place: Place| {
        let guard: Arc<dyn Guard> = Arc::new(LooksAt([place]));
        let found = outlook(vec![Change::Guard(Some(guard))], std::slice::from_ref(&call));
        (found.judged, found.unknown, found.newly_refused.len())
    };
    assert_eq!(under(Place::Body("amount".to_owned())), (1, 1, 0));
    assert_eq!(under(Place::Path("id".to_owned())), (1, 0, 0));
    // What is explained reads it alike.
    let with = testkit::sample::operation("get", Method::Get, "/orders/{id}");
    let without = testkit::sample::operation("get", Method::Get, "/orders/get");
    let id = Place::Path("id".to_owned());
    assert_eq!(RecordedRequest::new(&call, Some(&without)).read(&id), Reading::absent());
    assert_eq!(RecordedRequest::new(&call, Some(&with)).read(&id), Reading::one("get"));
}
