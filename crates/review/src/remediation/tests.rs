use super::*;
use crate::sample::{grant, id, operations, today};

fn act(act: Act, gone: &[&str]) -> Remediation {
    Remediation {
        campaign: id("machines"),
        item: id("machines-001"),
        grant: id("g1"),
        grant_version: 3,
        reviewed: OperationSet::Only(operations(&["get", "list"])),
        act,
        gone: operations(gone),
        decided_by: Some(id("ann")),
        state: RemediationState::Planned,
    }
}

fn removal() -> Remediation {
    act(Act::Remove, &["get", "list"])
}

fn narrowing() -> Remediation {
    act(Act::Narrow(operations(&["get"])), &["list"])
}

#[test]
fn what_was_given_after_the_review_is_not_taken_away_and_is_told() {
    for wider in [&["get", "list", "refund"][..], &["*"]] {
        let mut wider = grant("g1", "svc", wider);
        wider.version = 4;
        for act in [removal(), narrowing()] {
            assert_eq!(act.apply_to(Some(&wider)), Applied::Widened { found: 4 });
        }
    }
    let mut other = grant("g1", "svc", &["refund"]);
    other.version = 4;
    assert_eq!(removal().apply_to(Some(&other)), Applied::Stale { found: Some(4) });
    for act in [removal(), narrowing()] {
        assert_eq!(act.apply_to(None), Applied::Stale { found: None });
    }
}

#[test]
fn nobody_evades_an_act_by_narrowing_the_grant_first() {
    let mut narrowed = grant("g1", "svc", &["list"]);
    narrowed.version = 5;
    for act in [removal(), narrowing()] {
        let Applied::Write(written) = act.apply_to(Some(&narrowed)) else { panic!("{act:?}") };
        // Of what is kept the narrower version has nothing left.
        assert_eq!((written.version, written.status), (6, GrantStatus::Revoked));
    }
    let mut renewed = grant("g1", "svc", &["get", "list"]);
    renewed.version = 5;
    let Applied::Write(written) = narrowing().apply_to(Some(&renewed)) else { panic!() };
    assert_eq!(written.operations, OperationSet::Only(operations(&["get"])));
    assert_eq!((written.version, written.status), (6, GrantStatus::Active));
}

#[test]
fn an_operation_that_came_after_the_review_of_all_hides_nothing() {
    // `*` was reviewed, and covers what the API got since; only that was kept by hand.
    let mut narrowed = grant("g1", "svc", &["new"]);
    narrowed.version = 4;
    for act in [removal(), narrowing()] {
        let act = Remediation { reviewed: OperationSet::ALL, ..act };
        let Applied::Write(written) = act.apply_to(Some(&narrowed)) else { panic!("{act:?}") };
        assert_eq!(written.status, GrantStatus::Revoked);
    }
    // To keep all operations that there are is less than `*`.
    let all_known = Remediation {
        reviewed: OperationSet::ALL,
        ..act(Act::Narrow(operations(&["get", "list"])), &[])
    };
    let reviewed = grant("g1", "svc", &["*"]);
    let Applied::Write(written) = all_known.apply_to(Some(&reviewed)) else { panic!() };
    assert_eq!(written.operations, OperationSet::Only(operations(&["get", "list"])));
}

#[test]
fn executing_twice_is_executing_once() {
    let reviewed = grant("g1", "svc", &["get", "list"]);
    for act in [removal(), narrowing()] {
        let Applied::Write(written) = act.apply_to(Some(&reviewed)) else { panic!("{act:?}") };
        assert_eq!(written.version, 4);
        assert_eq!(act.apply_to(Some(&written)), Applied::AlreadyDone);
    }
}

#[test]
fn a_removal_revokes_and_a_narrowing_narrows() {
    let reviewed = grant("g1", "svc", &["*"]);
    let of_all = |act: Remediation| Remediation { reviewed: OperationSet::ALL, ..act };
    let Applied::Write(removed) = of_all(removal()).apply_to(Some(&reviewed)) else { panic!() };
    assert_eq!(removed.status, GrantStatus::Revoked);
    let narrowing = of_all(narrowing());
    let Applied::Write(narrowed) = narrowing.apply_to(Some(&reviewed)) else { panic!() };
    assert_eq!(narrowed.status, GrantStatus::Active);
    assert_eq!(narrowed.operations, OperationSet::Only(operations(&["get"])));
    assert_eq!(narrowed.reason, ::grant::GrantReason::Review);
}

#[test]
fn what_a_narrowing_leaves_is_approved_by_who_decided() {
    let mut reviewed = grant("g1", "svc", &["get", "list"]);
    reviewed.approved_by = Some("system:import".to_owned());
    let Applied::Write(narrowed) = narrowing().apply_to(Some(&reviewed)) else { panic!() };
    assert_eq!(narrowed.approved_by.as_deref(), Some("ann"));
    // A plan of before this was written down does not know; nobody else is named instead.
    let old = Remediation { decided_by: None, ..narrowing() };
    let Applied::Write(narrowed) = old.apply_to(Some(&reviewed)) else { panic!() };
    assert_eq!(narrowed.approved_by, None);
}

#[test]
fn a_plan_stored_before_deciders_were_named_is_read_and_written_as_it_was() {
    let old = Remediation { decided_by: None, ..removal() };
    let stored = serde_json::to_value(&old).unwrap();
    assert!(stored.get("decided_by").is_none());
    assert_eq!(serde_json::from_value::<Remediation>(stored).unwrap(), old);
}

#[test]
fn a_revoked_grant_is_never_narrowed_back_to_life() {
    let mut revoked = grant("g1", "svc", &["get", "list"]);
    revoked.status = GrantStatus::Revoked;
    assert_eq!(narrowing().apply_to(Some(&revoked)), Applied::AlreadyDone);
    revoked.version = 4;
    assert_eq!(narrowing().apply_to(Some(&revoked)), Applied::AlreadyDone);
}

#[test]
fn what_an_act_ends() {
    let (get, list) = (id("get"), id("list"));
    assert!(removal().ends(Some(&get)) && removal().ends(None));
    assert!(narrowing().ends(Some(&list)) && narrowing().ends(None));
    assert!(!narrowing().ends(Some(&get)));
}

#[test]
fn only_planned_acts_are_to_be_executed() {
    let state = RemediationState::Applied { change: 9, at: today() };
    assert!(removal().state.is_planned());
    assert!(!removal().noted(state).state.is_planned());
    assert_eq!(removal().key(), "machines-001@3");
}
