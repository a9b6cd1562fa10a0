use base::Span;

use super::*;
use crate::remediation::RemediationState;
use crate::sample::{active, definition, id, parts, today};

fn campaign(state: &str) -> Campaign {
    let active = active(parts()).0;
    match state {
        "STAGED" => Campaign { state: CampaignState::Staged { at: today() }, ..active },
        "ACTIVE" => active,
        "REMEDIATING" => active.decided(&Tally::default(), today()).unwrap(),
        "VERIFYING" => campaign("REMEDIATING").applied(&[], today()).unwrap(),
        "COMPLETED" => campaign("VERIFYING").proved(&[], today()).unwrap(),
        "CANCELLED" => active.cancel(id("robin"), "wrong scope", today()).unwrap(),
        _ => Campaign::launch_failed(active.id, definition(), vec!["why".to_owned()], today()),
    }
}

const STATES: [&str; 7] =
    ["STAGED", "ACTIVE", "REMEDIATING", "VERIFYING", "COMPLETED", "CANCELLED", "LAUNCH_FAILED"];

#[test]
fn each_step_starts_from_its_state_only() {
    type Step = fn(Campaign) -> Result<Campaign, Refusal>;
    let steps: [(&str, &[&str], Step); 6] = [
        ("launch", &["STAGED"], |c| c.launch(today())),
        ("extend", &["ACTIVE"], |c| c.extend(today() + Span::from_days(30), today())),
        ("decided", &["ACTIVE"], |c| c.decided(&Tally::default(), today())),
        ("applied", &["REMEDIATING"], |c| c.applied(&[], today())),
        ("proved", &["VERIFYING"], |c| c.proved(&[], today())),
        ("cancel", &["STAGED", "ACTIVE"], |c| c.cancel(id("robin"), "why", today())),
    ];
    for (name, from, step) in steps {
        for state in STATES {
            let done = step(campaign(state));
            match done {
                Ok(_) => assert!(from.contains(&state), "{name} from {state}"),
                Err(Refusal::WrongState { state: told, .. }) => {
                    assert!(!from.contains(&state), "{name} from {state}");
                    assert_eq!(told, state);
                }
                Err(other) => panic!("{name} from {state}: {other}"),
            }
        }
    }
}

#[test]
fn decisions_are_taken_while_active_only() {
    for state in STATES {
        let taken = campaign(state).deadline();
        assert_eq!(taken.is_ok(), state == "ACTIVE", "{state}");
    }
}

#[test]
fn decisions_do_not_end_while_one_is_missing() {
    for (open, drafted) in [(1, 0), (0, 1), (2, 3)] {
        let tally = Tally { open, drafted, decided: 7, superseded: 1 };
        let refused = campaign("ACTIVE").decided(&tally, today()).unwrap_err();
        assert_eq!(refused, Refusal::Undecided { open: open + drafted });
    }
}

fn act(state: RemediationState) -> Remediation {
    Remediation {
        campaign: id("machines"),
        item: id("machines-001"),
        grant: id("g1"),
        grant_version: 3,
        reviewed: grant::OperationSet::ALL,
        act: crate::Act::Remove,
        gone: [id("get")].into(),
        decided_by: None,
        state,
    }
}

#[test]
fn nothing_completes_while_a_removal_is_unproved() {
    let at = today();
    let proof = crate::Proof { receipts: vec![], answers: vec![], at };
    let planned = RemediationState::Planned;
    let applied = RemediationState::Applied { change: 9, at };
    let failed =
        RemediationState::Failed { change: 9, at, allowed_since: 1, problem: "used".to_owned() };
    let verified = RemediationState::Verified { change: 9, at, proof };
    let superseded = RemediationState::Superseded { found: None, at };
    // state, executed, proved
    let cases = [
        (planned, false, false),
        (applied, true, false),
        (failed, true, false),
        (verified.clone(), true, true),
        (superseded, true, true),
    ];
    for (state, executed, proved) in cases {
        let acts = [act(verified.clone()), act(state.clone())];
        let applied = campaign("REMEDIATING").applied(&acts, at);
        assert_eq!(applied.is_ok(), executed, "{state:?}");
        let completed = campaign("VERIFYING").proved(&acts, at);
        assert_eq!(completed.is_ok(), proved, "{state:?}");
        if !proved {
            assert_eq!(completed.unwrap_err(), Refusal::Unproved { unproved: 1 });
        }
    }
}

#[test]
fn a_deadline_is_the_end_of_a_day_and_moves_forward_only() {
    let active = campaign("ACTIVE");
    let deadline = active.deadline().unwrap();
    assert_eq!(deadline.to_string(), "2026-10-15T23:59:59Z");
    let earlier = active.clone().extend(deadline, today()).unwrap_err();
    assert_eq!(earlier, Refusal::DeadlineNotLater);
    let past = deadline + Span::from_days(9);
    let too_late = active.clone().extend(past, past).unwrap_err();
    assert_eq!(too_late, Refusal::DeadlineNotLater);
    assert_eq!(active.extend(past, today()).unwrap().deadline(), Ok(past));
}

#[test]
fn giving_up_needs_a_reason() {
    let refused = campaign("ACTIVE").cancel(id("robin"), " \t", today()).unwrap_err();
    assert_eq!(refused, Refusal::ReasonNeeded);
}
