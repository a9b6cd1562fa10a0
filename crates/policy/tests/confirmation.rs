//! What is open when a change comes: cut where it lost its permission, left alone where not.

mod common;

use base::Timestamp;
use catalog::{Api, ApiMode};
use common::*;
use grant::{Grant, GrantStatus};
use identity::{Credential, CredentialStatus, Identity, IdentityStatus};
use portreeve_policy::{Answers, Change, Kept, Ruleset};
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
