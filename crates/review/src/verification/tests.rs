use super::*;
use crate::Act;
use crate::sample::{id, operations, today};

fn act() -> Remediation {
    Remediation {
        campaign: id("machines"),
        item: id("machines-001"),
        grant: id("g1"),
        grant_version: 3,
        reviewed: grant::OperationSet::ALL,
        act: Act::Remove,
        gone: operations(&["get"]),
        decided_by: None,
        state: RemediationState::Applied { change: 9, at: today() },
    }
}

fn receipt(node: &str, version: u64) -> Receipt {
    let (streams_cut, streams_open) = (Some(2), None);
    Receipt { node: id(node), version, since: today(), streams_cut, streams_open }
}

fn answer(outcome: ProbeOutcome) -> Answer {
    let probe = Probe { identity: id("svc"), api: id("orders"), operation: id("get") };
    Answer { probe, outcome }
}

fn refused() -> Answer {
    answer(ProbeOutcome::Refused { reason: "no_grant".to_owned() })
}

fn allowed_by(grants: &[&str]) -> Answer {
    answer(ProbeOutcome::Allowed { grants: grants.iter().map(|grant| id(grant)).collect() })
}

fn good() -> Observation {
    Observation {
        receipts: vec![receipt("a", 9), receipt("b", 12)],
        answers: vec![refused()],
        allowed_since: 0,
    }
}

#[test]
fn each_missing_part_withholds_the_proof() {
    // The observation with one thing wrong, and what becomes of the act.
    let cases = [
        ("no receipts", Observation { receipts: vec![], ..good() }, "applied"),
        (
            "a node is late",
            Observation { receipts: vec![receipt("a", 9), receipt("b", 8)], ..good() },
            "applied",
        ),
        (
            "the grant still lets it pass",
            Observation { answers: vec![refused(), allowed_by(&["g0", "g1"])], ..good() },
            "failed",
        ),
        (
            "the gate asks for no grant at all",
            Observation { answers: vec![allowed_by(&[])], ..good() },
            "failed",
        ),
        ("a call was let through", Observation { allowed_since: 1, ..good() }, "failed"),
    ];
    for (what, observation, state) in cases {
        let after = act().observed(&observation, today());
        assert_eq!(after.state.as_str(), state, "{what}");
        assert!(!after.state.is_settled(), "{what}");
    }
}

#[test]
fn a_refused_probe_on_nodes_that_enforce_it_is_proof() {
    let RemediationState::Verified { change, proof, .. } = act().observed(&good(), today()).state
    else {
        panic!("not verified")
    };
    assert_eq!((change, proof.receipts.len(), proof.answers.len()), (9, 2, 1));
    assert!(proof.still_reachable_by().is_empty());
}

#[test]
fn a_receipt_from_before_streams_were_counted_is_still_read() {
    let old = serde_json::json!({"node": "a", "version": 9, "since": today()});
    let receipt: Receipt = serde_json::from_value(old).unwrap();
    assert_eq!((receipt.streams_cut, receipt.streams_open), (None, None));
}

#[test]
fn access_by_other_grants_is_told_and_does_not_disprove_the_removal() {
    let observation =
        Observation { answers: vec![allowed_by(&["g3", "g2"]), allowed_by(&["g2"])], ..good() };
    let RemediationState::Verified { proof, .. } = act().observed(&observation, today()).state
    else {
        panic!("not verified")
    };
    assert_eq!(proof.still_reachable_by(), [id("g2"), id("g3")]);
}

#[test]
fn a_failure_can_be_proved_later_and_a_proof_stays() {
    let failed = act().observed(&Observation { allowed_since: 2, ..good() }, today());
    assert!(matches!(failed.state, RemediationState::Failed { allowed_since: 2, .. }));
    let proved = failed.observed(&good(), today());
    assert_eq!(proved.state.as_str(), "verified");
    let worse = Observation { allowed_since: 5, ..good() };
    assert_eq!(proved.clone().observed(&worse, today()), proved);
    let planned = act().noted(RemediationState::Planned);
    assert_eq!(planned.clone().observed(&good(), today()), planned);
}
