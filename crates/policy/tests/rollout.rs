//! A change of policy beside the ruleset that holds.

mod common;

use std::sync::Arc;

use catalog::{Api, ApiMode};
use common::*;
use grant::{Bound, Grant, GrantStatus};
use identity::{Credential, CredentialStatus, Group, Identity, IdentityStatus};
use portreeve_policy::{
    Answers, Change, Decided, Facts, Kept, Reading, Refusal, Request, Ruleset, Trial, Writes,
};
use traffic::{Reason, RolloutDifference, RolloutMark, RolloutSide};

fn trial(share: u8, edits: Vec<Change>) -> Change {
    let (id, bound) = ("ro_1".parse().unwrap(), Bound::default());
    Change::Rollout(Some(Trial { id, share, bound, edits: Arc::from(edits) }))
}

fn revoked(mut grant: Grant) -> Change {
    grant.status = GrantStatus::Revoked;
    Change::Grant(grant)
}

/// Takes billing's grant away and gives the stranger one.
fn edits() -> Vec<Change> {
    vec![
        revoked(grant("g_billing", "billing", "orders", &["get", "list"])),
        Change::Grant(grant("g_new", "stranger", "orders", &["get"])),
    ]
}

fn with(share: u8) -> Ruleset {
    ruleset().apply(2, [trial(share, edits())]).unwrap()
}

fn ask(ruleset: &Ruleset, identity: &str) -> (Result<Decided, Refusal>, Option<RolloutMark>) {
    let who = caller(ruleset, identity).unwrap();
    let located = ruleset.locate("GET", None, "/orders/get");
    let api = located.api.unwrap();
    ruleset.decide_rolled_out(&who, api, located.operation, Facts::unknown(), NOW)
}

/// What became of it, by which side, and how the other differs.
type Said = (bool, RolloutSide, Option<RolloutDifference>, Option<Reason>);

fn said(ruleset: &Ruleset, identity: &str) -> Said {
    let (decided, mark) = ask(ruleset, identity);
    let mark = mark.unwrap();
    (decided.is_ok(), mark.governed_by, mark.difference, mark.reason)
}

const REFUSED: Option<RolloutDifference> = Some(RolloutDifference::NewlyRefused);
const ALLOWED: Option<RolloutDifference> = Some(RolloutDifference::NewlyAllowed);
const NO_GRANT: Option<Reason> = Some(Reason::NoGrant);

#[test]
fn what_is_taken_away_at_present_is_refused_on_both_sides_at_once() {
    let suspended = Identity { status: IdentityStatus::Suspended, ..identity("stranger") };
    for share in [0, 100] {
        let next = with(share).apply(3, [Change::Identity(suspended.clone())]).unwrap();
        assert!(next.rollout().unwrap().candidate().is_some());
        let who = caller(&with(share), "stranger").unwrap();
        let located = next.locate("GET", None, "/orders/get");
        let (api, operation) = (located.api.unwrap(), located.operation);
        let (decided, mark) = next.decide_rolled_out(&who, api, operation, Facts::unknown(), NOW);
        assert_eq!(decided.unwrap_err().reason, Reason::IdentityInactive);
        assert_eq!(mark.unwrap().difference, None, "both say the same");
    }
    // A group's access, and a key.
    let members = |members: &[&str]| Change::Group(Group { ..group("clerks", members) });
    for share in [0, 100] {
        assert!(said(&with(share), "clerk").0);
        let left = with(share).apply(3, [members(&[])]).unwrap();
        assert!(!said(&left, "clerk").0);
        assert_eq!(said(&left, "clerk").2, None, "both say the same");
        let key = Credential { status: CredentialStatus::Revoked, ..credential("clerk") };
        let dead = with(share).apply(3, [Change::Credential(key)]).unwrap();
        assert_eq!(caller(&dead, "clerk"), Err(Reason::CredentialRevoked));
    }
    // A grant that the change leaves alone.
    let other = revoked(grant("g_clerks", "group:clerks", "orders", &["*"]));
    for share in [0, 100] {
        let next = with(share).apply(3, [other.clone()]).unwrap();
        assert!(!said(&next, "clerk").0);
        let candidate = next.rollout().unwrap().candidate().unwrap();
        assert!(
            std::ptr::eq(next.governing(&"clerk".parse().unwrap()), candidate) == (share == 100)
        );
    }
}

/// Else nobody could tell later whether the other side still lets it pass.
#[test]
fn what_either_side_looked_at_is_kept_of_what_both_let_in() {
    let tied = |tie: &str| Grant {
        terms: grant::Terms { ties: vec![tie.parse().unwrap()], ..grant::Terms::default() },
        ..grant("g_billing", "billing", "orders", &["get"])
    };
    let before = ruleset().apply(2, [Change::Grant(tied("query.a = \"1\""))]).unwrap();
    for share in [0, 100] {
        let edits = vec![Change::Grant(tied("header.b = \"1\""))];
        let ruleset = before.apply(3, [trial(share, edits)]).unwrap();
        let who = caller(&ruleset, "billing").unwrap();
        let located = ruleset.locate("GET", None, "/orders/get");
        let facts = Facts::of(None, 0, &Ones);
        let (decided, mark) =
            ruleset.decide_rolled_out(&who, located.api.unwrap(), located.operation, facts, NOW);
        assert_eq!(mark.unwrap().difference, None);
        let permit = permit(decided).unwrap();
        let mut read: Vec<_> = permit.read().iter().map(|(place, _)| place.to_string()).collect();
        read.sort();
        assert_eq!(read, ["header.b", "query.a"], "{share}");
    }
}

/// A request that says 1 everywhere.
struct Ones;

impl Request for Ones {
    fn read(&self, _: &grant::Place) -> Reading<'_> {
        Reading::one("1")
    }

    fn writes(&self, _: &[String]) -> Writes {
        Writes::Within
    }
}

#[test]
fn a_change_of_what_it_changes_itself_ends_it_with_that_reason() {
    let narrowed = grant("g_billing", "billing", "orders", &["list"]);
    let touched = [
        Change::Grant(narrowed.clone()),
        revoked(grant("g_billing", "billing", "orders", &["get", "list"])),
    ];
    for change in touched {
        let next = with(100).apply(3, [change]).unwrap();
        let rollout = next.rollout().unwrap();
        assert_eq!(rollout.broken(), Some("grant `g_billing` was changed since"));
        let (decided, mark) = ask(&next, "billing");
        assert_eq!(decided.unwrap_err().reason, Reason::NoGrant, "the present one governs");
        assert_eq!(mark, None);
        assert!(ask(&next, "stranger").0.is_err(), "what it would give is not given");
        // Nothing that follows mends it, a further step included.
        let later = next.apply(4, [Change::Identity(identity("x")), trial(100, edits())]).unwrap();
        assert!(later.rollout().unwrap().broken().is_some());
        assert!(later.apply(5, [Change::Rollout(None)]).unwrap().rollout().is_none());
    }
    // Read from the store as a whole, nothing is a change of it.
    let state = town().into_iter().chain([trial(0, edits())]).chain([Change::Grant(grant(
        "g_billing",
        "billing",
        "orders",
        &["get", "list"],
    ))]);
    assert!(Ruleset::build(9, state).unwrap().rollout().unwrap().candidate().is_some());
}

#[test]
fn a_change_that_the_ruleset_refuses_governs_nobody() {
    // Two APIs at one path.
    let twin = Api { id: "twin".parse().unwrap(), ..api("orders", &["get"]) };
    let next = ruleset().apply(2, [trial(100, vec![Change::Api(twin)])]).unwrap();
    assert!(next.rollout().unwrap().broken().is_some());
    assert!(!next.rollout().unwrap().governs(&"billing".parse().unwrap()));
    assert!(ask(&next, "billing").0.is_ok());
}

#[test]
fn in_shadow_the_present_decides_and_the_record_says_what_would_change() {
    let shadow = with(0);
    assert_eq!(said(&shadow, "billing"), (true, RolloutSide::Present, REFUSED, NO_GRANT));
    assert_eq!(said(&shadow, "stranger"), (false, RolloutSide::Present, ALLOWED, NO_GRANT));
    assert_eq!(said(&shadow, "clerk"), (true, RolloutSide::Present, None, None));
    assert_eq!(ask(&ruleset(), "billing").1, None, "without a rollout nothing is said");
    // Observe mode lets pass what the change would refuse.
    let observing = Api { mode: ApiMode::Observe, ..api("orders", &["get", "list", "cancel"]) };
    let enforcing = Change::Api(api("orders", &["get", "list", "cancel"]));
    let observed = ruleset().apply(2, [Change::Api(observing)]).unwrap();
    let shadow = observed.apply(3, [trial(0, vec![enforcing])]).unwrap();
    assert_eq!(said(&shadow, "stranger"), (true, RolloutSide::Present, REFUSED, NO_GRANT));
}

/// What becomes of a call that was let in before, by which side, and how the other differs.
fn said_of_open(ruleset: &Ruleset, identity: &str) -> Said {
    let who = caller(&common::ruleset(), identity).unwrap();
    let (api, operation) = ("orders".parse().unwrap(), "get".parse().unwrap());
    let answers = Answers::default();
    let kept = Kept { source: None, draw: 0, read: &[], answers: &answers };
    let (confirmed, mark) = ruleset.confirm_rolled_out(&who, &api, Some(&operation), kept, NOW);
    let mark = mark.unwrap();
    (confirmed.is_ok(), mark.governed_by, mark.difference, mark.reason)
}

#[test]
fn what_is_open_is_judged_by_both_sides_as_what_comes() {
    for share in [0, 100] {
        for identity in ["billing", "stranger", "clerk"] {
            let ruleset = with(share);
            assert_eq!(said_of_open(&ruleset, identity), said(&ruleset, identity), "{identity}");
        }
        // What is revoked at present ends on both sides, and not because of the change.
        let other = revoked(grant("g_clerks", "group:clerks", "orders", &["*"]));
        let less = with(share).apply(3, [other]).unwrap();
        let (goes_on, _, difference, _) = said_of_open(&less, "clerk");
        assert_eq!((goes_on, difference), (false, None));
    }
}

#[test]
fn with_every_caller_in_the_share_the_change_decides() {
    let all = with(100);
    assert_eq!(said(&all, "billing"), (false, RolloutSide::Candidate, REFUSED, NO_GRANT));
    assert_eq!(said(&all, "stranger"), (true, RolloutSide::Candidate, ALLOWED, NO_GRANT));
    assert!(ask(&all, "billing").1.unwrap().is_refused_by_change());
    assert!(!ask(&with(0), "billing").1.unwrap().is_refused_by_change());
    let back = all.without_rollout("too many");
    assert!(ask(&back, "billing").0.is_ok());
    assert_eq!(back.rollout().unwrap().broken(), Some("too many"));
}

#[test]
fn a_share_is_that_part_of_the_callers_and_grows_around_them() {
    let inside = |share: u8, caller: usize| {
        with(share).rollout().unwrap().governs(&format!("svc-{caller}").parse().unwrap())
    };
    let (few, many) = (with(10), with(50));
    let governed = |ruleset: &Ruleset| -> Vec<usize> {
        let rollout = ruleset.rollout().unwrap();
        (0..2_000).filter(|n| rollout.governs(&format!("svc-{n}").parse().unwrap())).collect()
    };
    let (few, many) = (governed(&few), governed(&many));
    assert!((120..280).contains(&few.len()), "{}", few.len());
    assert!((850..1_150).contains(&many.len()), "{}", many.len());
    assert!(few.iter().all(|caller| many.contains(caller)));
    assert!((0..50).all(|caller| inside(100, caller) && !inside(0, caller)));
}
