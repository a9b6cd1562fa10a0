//! What is open when a change comes: cut where it lost its permission, left alone where not.

mod common;

use std::sync::Arc;

use base::{ApiId, Timestamp};
use catalog::{Api, ApiMode};
use common::*;
use grant::{Grant, GrantStatus, Place};
use identity::{Credential, CredentialStatus, Identity, IdentityStatus};
use portreeve_policy::{
    Answers, Change, Explained, Facts, Guard, Judgement, Kept, Question, Reading, Request, Ruleset,
    Writes,
};
use traffic::Reason;

/// Whether billing's open call of `orders` `get` may go on under `ruleset`.
fn confirm(ruleset: &Ruleset, operation: Option<&str>, now: Timestamp) -> Result<(), Reason> {
    let who = caller(&common::ruleset(), "billing").unwrap();
    let operation = operation.map(|id| id.parse().unwrap());
    let answers = Answers::default();
    let kept = Kept { source: None, draw: 0, read: &[], answers: &answers };
    ruleset.confirm(&who, &"orders".parse().unwrap(), operation.as_ref(), kept, now)
}

#[test]
fn what_lost_its_permission_may_not_go_on() {
    let (key, held) = (credential("billing"), grant("g_billing", "billing", "orders", &["get"]));
    let suspended = IdentityStatus::Suspended;
    let cases = [
        (Change::ApiRemoved("orders".parse().unwrap()), Reason::UnknownApi),
        (Change::Api(api("orders", &["list"])), Reason::UnknownOperation),
        (
            Change::Credential(Credential { status: CredentialStatus::Revoked, ..key.clone() }),
            Reason::CredentialRevoked,
        ),
        (
            Change::Credential(Credential { status: CredentialStatus::Suspended, ..key }),
            Reason::CredentialRevoked,
        ),
        (
            Change::Identity(Identity { status: suspended, ..identity("billing") }),
            Reason::IdentityInactive,
        ),
        (Change::Grant(Grant { status: GrantStatus::Revoked, ..held.clone() }), Reason::NoGrant),
        (Change::Grant(Grant { expires_at: Some(NOW), ..held.clone() }), Reason::NoGrant),
        (Change::Grant(grant("g_billing", "billing", "orders", &["list"])), Reason::NoGrant),
    ];
    for (change, reason) in cases {
        let ruleset = ruleset().apply(2, [change.clone()]).unwrap();
        assert_eq!(confirm(&ruleset, Some("get"), NOW), Err(reason), "{change:?}");
    }
    assert_eq!(confirm(&Ruleset::empty(), Some("get"), NOW), Err(Reason::UnknownApi));
    assert_eq!(confirm(&ruleset(), None, NOW), Err(Reason::UnknownOperation));
}

#[test]
fn what_still_has_it_goes_on() {
    let expired = Credential { expires_at: Some(NOW), ..credential("billing") };
    let other = Grant {
        status: GrantStatus::Revoked,
        ..grant("g_clerks", "group:clerks", "orders", &["*"])
    };
    for change in [Change::Credential(expired), Change::Grant(other)] {
        let ruleset = ruleset().apply(2, [change.clone()]).unwrap();
        assert_eq!(confirm(&ruleset, Some("get"), NOW), Ok(()), "{change:?}");
    }
    let observed = Api { mode: ApiMode::Observe, ..api("orders", &["get"]) };
    let gone =
        Grant { status: GrantStatus::Revoked, ..grant("g_billing", "billing", "orders", &["get"]) };
    let ruleset = ruleset().apply(2, [Change::Api(observed), Change::Grant(gone)]).unwrap();
    assert_eq!(confirm(&ruleset, Some("get"), NOW), Ok(()));
    assert_eq!(confirm(&ruleset, None, NOW), Ok(()));
}

/// Guardrails that look at one place: one that cannot be read they cannot judge.
#[derive(Debug)]
struct LooksAt([Place; 1]);

impl Guard for LooksAt {
    fn judge(&self, question: &Question<'_>) -> Judgement {
        match question.facts.request.read(&self.reads(&question.api.id)[0]) {
            Reading::Values(_) => Judgement::Pass,
            other => Judgement::Error(format!("{other:?}")),
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

/// A request without a query.
struct Bare;

impl Request for Bare {
    fn read(&self, _: &Place) -> Reading<'_> {
        Reading::absent()
    }

    fn writes(&self, _: &[String]) -> Writes {
        Writes::Within
    }
}

/// That there was nothing was read: a publication that has nothing to do with it cuts nothing.
#[test]
fn what_a_guardrail_looked_at_in_vain_is_known_afterwards() {
    let observed = Api { mode: ApiMode::Observe, ..api("orders", &["get"]) };
    let gone =
        Grant { status: GrantStatus::Revoked, ..grant("g_billing", "billing", "orders", &["get"]) };
    let worlds = [vec![], vec![Change::Api(observed), Change::Grant(gone)]];
    for (changes, is_observed) in worlds.into_iter().zip([false, true]) {
        let guard: Arc<dyn Guard> = Arc::new(LooksAt([Place::Query("preview".to_owned())]));
        let ruleset = ruleset().apply(2, changes).unwrap();
        let ruleset = ruleset.apply(3, [Change::Guard(Some(guard))]).unwrap();
        let who = caller(&ruleset, "billing").unwrap();
        let entry = ruleset.entry(&"orders".parse().unwrap()).unwrap();
        let operation: base::OperationId = "get".parse().unwrap();
        let answers = Answers::default();
        let facts = Facts { source: None, draw: 0, request: &Bare, answers: &answers };
        let decided = ruleset.decide(&who, entry, entry.operation_by_id(&operation), facts, NOW);
        let permit = permit(decided).unwrap();
        assert_eq!(permit.observed().is_some(), is_observed);
        let kept = Kept { source: None, draw: 0, read: permit.read(), answers: &answers };
        let api = "orders".parse().unwrap();
        assert_eq!(ruleset.confirm(&who, &api, Some(&operation), kept, NOW), Ok(()));
    }
}

/// A guardrail that came since looks at a parameter of paths.
#[test]
fn a_parameter_that_the_operation_lacks_is_absent_afterwards_and_one_that_was_not_kept_is_unknown()
{
    let guard: Arc<dyn Guard> = Arc::new(LooksAt([Place::Path("id".to_owned())]));
    let ruleset = ruleset().apply(2, [Change::Guard(Some(guard))]).unwrap();
    assert_eq!(confirm(&ruleset, Some("get"), NOW), Ok(()));
    let mut with = api("orders", &["get"]);
    with.operations.iter_mut().for_each(|one| one.path = "/orders/get/{id}".to_owned());
    let ruleset = ruleset.apply(3, [Change::Api(with)]).unwrap();
    assert_eq!(confirm(&ruleset, Some("get"), NOW), Err(Reason::PolicyError));
}
