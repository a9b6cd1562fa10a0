//! Who is refused, and why; then who is not.

mod common;

use std::collections::BTreeSet;

use catalog::{Accept, ApiMode};
use common::*;
use grant::GrantStatus;
use identity::{CredentialClass, CredentialStatus, IdentityStatus};
use portreeve_policy::{Change, Facts, Part, Ruleset, Shows, Standing};
use traffic::Reason;

fn after(changes: Vec<Change>) -> Ruleset {
    ruleset().apply(2, changes).unwrap()
}

#[test]
fn an_empty_ruleset_refuses_everybody() {
    let empty = Ruleset::empty();
    assert_eq!(call(&empty, "billing", "/orders/get"), Err(Reason::InvalidCredential));
    assert!(empty.locate("GET", None, "/orders/get").api.is_none());
    let (who, api, what) = ("billing", "orders", "get");
    let probe =
        empty.probe(&who.parse().unwrap(), &api.parse().unwrap(), &what.parse().unwrap(), NOW);
    assert_eq!(probe, Err(Reason::UnknownApi));
}

#[test]
fn without_a_grant_for_the_operation_the_call_is_refused() {
    assert_eq!(call(&ruleset(), "stranger", "/orders/get"), Err(Reason::NoGrant));
    assert_eq!(call(&ruleset(), "billing", "/orders/cancel"), Err(Reason::NoGrant));
}

#[test]
fn an_unknown_operation_is_refused_even_to_those_who_may_everything() {
    assert_eq!(call(&ruleset(), "clerk", "/orders/unknown"), Err(Reason::UnknownOperation));
    assert_eq!(call(&ruleset(), "clerk", "/orders"), Err(Reason::UnknownOperation));
    assert_eq!(call(&ruleset(), "clerk", "/payments/get"), Err(Reason::UnknownApi));
}

#[test]
fn a_grant_that_is_not_in_force_allows_nothing() {
    let good = grant("g_billing", "billing", "orders", &["get"]);
    let cases = [
        grant::Grant { status: GrantStatus::Revoked, ..good.clone() },
        grant::Grant { status: GrantStatus::Suspended, ..good.clone() },
        grant::Grant { expires_at: Some(NOW), ..good.clone() },
        grant::Grant { expires_at: Some(at(-1)), ..good.clone() },
        grant::Grant { operations: grant("g", "x", "orders", &[]).operations, ..good.clone() },
        grant::Grant { api: "other".parse().unwrap(), ..good.clone() },
        grant::Grant { subject: "stranger".parse().unwrap(), ..good.clone() },
        grant::Grant { subject: "group:billing".parse().unwrap(), ..good },
    ];
    for grant in cases {
        let ruleset = after(vec![Change::Grant(grant.clone())]);
        assert_eq!(call(&ruleset, "billing", "/orders/get"), Err(Reason::NoGrant), "{grant:?}");
    }
    let until = grant::Grant {
        expires_at: Some(at(1)),
        ..grant("g_billing", "billing", "orders", &["get"])
    };
    let ruleset = after(vec![Change::Grant(until)]);
    assert_eq!(call(&ruleset, "billing", "/orders/get").unwrap(), ["g_billing"]);
}

#[test]
fn an_inactive_identity_is_refused_whatever_it_holds() {
    let good = identity("billing");
    let cases = [
        identity::Identity { status: IdentityStatus::Suspended, ..good.clone() },
        identity::Identity { status: IdentityStatus::Disabled, ..good.clone() },
        identity::Identity { left_at: Some(NOW), ..good.clone() },
    ];
    for inactive in cases {
        let ruleset = after(vec![Change::Identity(inactive)]);
        assert_eq!(call(&ruleset, "billing", "/orders/get"), Err(Reason::IdentityInactive));
        // Also when authentication saw an older ruleset.
        let who = caller(&common::ruleset(), "billing").unwrap();
        let located = ruleset.locate("GET", None, "/orders/get");
        let (api, facts) = (located.api.unwrap(), Facts::unknown());
        let refusal = ruleset.decide(&who, api, located.operation, facts, NOW).unwrap_err();
        assert_eq!((refusal.reason, refusal.ruleset_version), (Reason::IdentityInactive, 2));
    }
    let leaving = identity::Identity { left_at: Some(at(1)), ..good };
    assert!(call(&after(vec![Change::Identity(leaving)]), "billing", "/orders/get").is_ok());
}

#[test]
fn a_credential_that_is_not_live_is_refused() {
    let good = credential("billing");
    let cases = [
        (
            identity::Credential { status: CredentialStatus::Revoked, ..good.clone() },
            Reason::CredentialRevoked,
        ),
        (
            identity::Credential { status: CredentialStatus::Suspended, ..good.clone() },
            Reason::CredentialRevoked,
        ),
        (identity::Credential { expires_at: Some(NOW), ..good.clone() }, Reason::CredentialExpired),
        (
            identity::Credential { lookup: base::Digest::ZERO, ..good.clone() },
            Reason::InvalidCredential,
        ),
        (
            identity::Credential { class: CredentialClass::SigningKey, ..good.clone() },
            Reason::InvalidCredential,
        ),
        (
            identity::Credential { identity: "nobody".parse().unwrap(), ..good },
            Reason::IdentityInactive,
        ),
    ];
    for (credential, reason) in cases {
        let ruleset = after(vec![Change::Credential(credential)]);
        assert_eq!(call(&ruleset, "billing", "/orders/get"), Err(reason));
    }
}

#[test]
fn one_lookup_value_with_two_live_owners_proves_nobody() {
    let mut twin = credential("billing");
    twin.id = "twin".parse().unwrap();
    twin.identity = "clerk".parse().unwrap();
    let ruleset = after(vec![Change::Credential(twin.clone())]);
    assert_eq!(call(&ruleset, "billing", "/orders/get"), Err(Reason::InvalidCredential));
    // Once one of the two has ended, the other counts.
    twin.status = CredentialStatus::Revoked;
    let ruleset = ruleset.apply(3, [Change::Credential(twin)]).unwrap();
    assert_eq!(call(&ruleset, "billing", "/orders/get").unwrap(), ["g_billing"]);
}

#[test]
fn an_api_takes_only_the_kinds_of_credentials_that_it_lists() {
    for accept in [vec![], vec![Accept::Token]] {
        let mut api = api("orders", &["get"]);
        api.accept = accept;
        let ruleset = after(vec![Change::Api(api)]);
        let outcome = call(&ruleset, "billing", "/orders/get");
        assert_eq!(outcome, Err(Reason::CredentialNotAccepted));
    }
}

#[test]
fn observe_mode_says_what_enforce_mode_would_do_and_still_refuses_the_inactive() {
    let mut observed = api("orders", &["get", "list", "cancel"]);
    observed.mode = ApiMode::Observe;
    let ruleset = after(vec![Change::Api(observed)]);
    for (who, path, reason) in [
        ("stranger", "/orders/get", Some(Reason::NoGrant)),
        ("clerk", "/orders/unknown", Some(Reason::UnknownOperation)),
        ("billing", "/orders/get", None),
    ] {
        let who = caller(&ruleset, who).unwrap();
        let located = ruleset.locate("GET", None, path);
        let (api, facts) = (located.api.unwrap(), Facts::unknown());
        let permit = permit(ruleset.decide(&who, api, located.operation, facts, NOW)).unwrap();
        assert_eq!(permit.observed(), reason, "{path}");
        assert_eq!(permit.grants().is_empty(), reason.is_some());
    }
    let suspended =
        identity::Identity { status: IdentityStatus::Suspended, ..identity("stranger") };
    let ruleset = ruleset.apply(3, [Change::Identity(suspended)]).unwrap();
    assert_eq!(call(&ruleset, "stranger", "/orders/get"), Err(Reason::IdentityInactive));
    // The probe asks for permission, and observe mode is none.
    let probe = |who: &str| {
        let (who, api, what) = (who.parse().unwrap(), "orders".parse().unwrap(), "cancel");
        ruleset.probe(&who, &api, &what.parse().unwrap(), NOW)
    };
    assert_eq!(probe("billing"), Err(Reason::NoGrant));
    assert_eq!(probe("clerk").unwrap().len(), 1);
}

#[test]
fn leaving_a_group_ends_what_came_with_it() {
    let ruleset = ruleset();
    assert_eq!(call(&ruleset, "clerk", "/orders/cancel").unwrap(), ["g_clerks"]);
    let left = ruleset.apply(2, [Change::Group(group("clerks", &["billing"]))]).unwrap();
    assert_eq!(call(&left, "clerk", "/orders/cancel"), Err(Reason::NoGrant));
    assert_eq!(call(&left, "billing", "/orders/cancel").unwrap(), ["g_clerks"]);
    assert_eq!(call(&left, "billing", "/orders/get").unwrap(), ["g_billing", "g_clerks"]);
    // The earlier version is what it was.
    assert_eq!(call(&ruleset, "billing", "/orders/cancel"), Err(Reason::NoGrant));
}

#[test]
fn all_operations_grow_with_the_api_and_named_ones_do_not() {
    let grown = after(vec![Change::Api(api("orders", &["get", "list", "cancel", "export"]))]);
    assert_eq!(call(&grown, "clerk", "/orders/export").unwrap(), ["g_clerks"]);
    assert_eq!(call(&grown, "billing", "/orders/export"), Err(Reason::NoGrant));
    // An operation that leaves the API and comes back is the one that was granted.
    let gone = grown.apply(3, [Change::Api(api("orders", &["cancel"]))]).unwrap();
    assert_eq!(call(&gone, "billing", "/orders/get"), Err(Reason::UnknownOperation));
    let back = gone.apply(4, [Change::Api(api("orders", &["zero", "get"]))]).unwrap();
    assert_eq!(call(&back, "billing", "/orders/get").unwrap(), ["g_billing"]);
    assert_eq!(call(&back, "billing", "/orders/zero"), Err(Reason::NoGrant));
}

/// Grants know operations by numbers. An operation is told by what it is, wherever it lies, and
/// keeps its number when a new document brings it in another order.
#[test]
fn an_operation_is_the_same_as_a_copy_and_in_another_order() {
    let names: Vec<String> = (0..200).map(|number| format!("op-{number}")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    let held = grant("g_many", "billing", "orders", &["op-3", "op-77", "op-150"]);
    let mut ruleset = after(vec![Change::Api(api("orders", &names)), Change::Grant(held)]);
    for _ in 0..2 {
        let who = caller(&ruleset, "billing").unwrap();
        let entry = ruleset.entry(&"orders".parse().unwrap()).unwrap();
        let mut allowed = Vec::new();
        for own in &entry.api().operations {
            let copy = own.clone();
            let may = |operation| {
                ruleset.decide(&who, entry, Some(operation), Facts::unknown(), NOW).is_ok()
            };
            assert_eq!(may(own), may(&copy), "{}", own.id);
            allowed.extend(may(own).then(|| own.id.to_string()));
        }
        allowed.sort_unstable();
        assert_eq!(allowed, ["op-150", "op-3", "op-77"]);
        names.reverse();
        names.retain(|name| *name != "op-100");
        ruleset = ruleset.apply(3, [Change::Api(api("orders", &names))]).unwrap();
    }
}

#[test]
fn visible_fields_are_the_union_and_one_unlimited_grant_shows_all() {
    let limited = |id: &str, fields: &[&str]| grant::Grant {
        fields: Some(fields.iter().map(|field| (*field).to_owned()).collect()),
        ..grant(id, "stranger", "orders", &["get"])
    };
    let fields = |ruleset: &Ruleset| {
        let who = caller(ruleset, "stranger").unwrap();
        let located = ruleset.locate("GET", None, "/orders/get");
        let (api, facts) = (located.api.unwrap(), Facts::unknown());
        let permit = permit(ruleset.decide(&who, api, located.operation, facts, NOW)).unwrap();
        match permit.shows() {
            Shows::Everything => None,
            Shows::Parts(parts) => {
                let paths = |part: &Part| part.fields.as_ref().unwrap().paths().clone();
                let union: BTreeSet<_> = parts.iter().flat_map(paths).collect();
                Some(union.into_iter().collect::<Vec<_>>())
            }
        }
    };
    let none = after(vec![Change::Grant(limited("g1", &[]))]);
    assert_eq!(fields(&none), Some(vec![]));
    let two = none.apply(3, [Change::Grant(limited("g2", &["id"]))]).unwrap();
    let two = two.apply(4, [Change::Grant(limited("g3", &["id", "total"]))]).unwrap();
    assert_eq!(fields(&two), Some(vec!["id".to_owned(), "total".to_owned()]));
    let all = two.apply(5, [Change::Grant(grant("g4", "stranger", "orders", &["*"]))]).unwrap();
    assert_eq!(fields(&all), None);
}

#[test]
fn an_explanation_names_every_grant_and_what_became_of_it() {
    let ended =
        grant::Grant { expires_at: Some(at(-1)), ..grant("g_ended", "clerk", "orders", &["get"]) };
    let revoked = grant::Grant {
        status: GrantStatus::Revoked,
        ..grant("g_revoked", "clerk", "orders", &["get"])
    };
    let ruleset = after(vec![
        Change::Grant(ended),
        Change::Grant(revoked),
        Change::Grant(grant("g_list", "clerk", "orders", &["list"])),
        Change::Grant(grant("g_elsewhere", "clerk", "payments", &["*"])),
    ]);
    let (clerk, orders) = ("clerk".parse().unwrap(), "orders".parse().unwrap());
    let get = "get".parse().unwrap();
    let considered = ruleset.explain(&clerk, &orders, Some(&get), NOW);
    let lines: Vec<_> = considered
        .iter()
        .map(|one| (one.grant.as_str(), one.via.as_ref().map(AsRef::as_ref), one.standing))
        .collect();
    assert_eq!(
        lines,
        [
            ("g_clerks", Some("clerks"), Standing::Allows),
            ("g_list", None, Standing::OtherOperations),
            ("g_ended", None, Standing::Expired),
            ("g_revoked", None, Standing::Revoked),
        ]
    );
    let without = ruleset.explain(&clerk, &orders, None, NOW);
    assert!(without.iter().all(|one| one.standing == Standing::OtherOperations));
}
