use base::{Digest, Secret, Timestamp};
use serde_json::{Value, json};

use super::place::path_at;
use super::*;
use crate::entry::Tip;
use crate::{Entry, Event, NewEntry, SigningKey, Subject, Tree};

const AT: Timestamp = Timestamp::from_secs(1_772_000_000);

fn key() -> SigningKey {
    SigningKey::from_seed("ledger.example/one", &Secret::new([5; 32])).unwrap()
}

/// A campaign of three items: one kept, one narrowed, one removed.
fn parts() -> (Parts, Tree) {
    let verdicts = ["keep", "narrow", "remove"];
    let items: Vec<Item> = (0..3)
        .map(|n| Item {
            id: format!("item_{n}"),
            grant_id: format!("g_{n}"),
            sealed: json!({
                "id": format!("item_{n}"),
                "grant": {"id": format!("g_{n}"), "subject": format!("svc-{n}")},
                "assignment": {"reviewer": "robin"},
                "calls": n,
            }),
            state: "decided".into(),
        })
        .collect();
    let population = Population {
        ruleset_version: 7,
        sealed_at: AT,
        digest: population_digest(items.iter().map(|item| &item.sealed)).unwrap(),
        matched: 4,
        excluded: vec![Excluded { grant_id: "g_9".into(), why: "expired".into() }],
    };
    let decisions: Vec<Decision> = verdicts
        .iter()
        .enumerate()
        .map(|(n, verdict)| Decision {
            item_id: format!("item_{n}"),
            verdict: (*verdict).into(),
            operations: Vec::new(),
            note: Some("seen".into()),
            reviewer: "robin".into(),
            signed_at: AT,
        })
        .collect();
    let remediations: Vec<_> = (1..3).map(|n| remediation(n, verdicts[n])).collect();
    let (entries, tree) = ledger(&population, &decisions, &remediations);
    let campaign = CampaignRecord {
        id: "machines".into(),
        name: "Machines".into(),
        state: "COMPLETED".into(),
        definition: definition(),
        started_by: "robin".into(),
        started_at: AT,
        completed_at: Some(AT),
    };
    (Parts { campaign, population, items, decisions, remediations, entries }, tree)
}

fn remediation(n: usize, act: &str) -> Remediation {
    Remediation {
        item_id: format!("item_{n}"),
        grant_id: format!("g_{n}"),
        act: act.into(),
        state: "verified".into(),
        change: Some(9),
        receipts: vec![Receipt {
            node: "node-a".into(),
            since: AT,
            streams_cut: Some(2),
            streams_open: None,
        }],
        probes: vec![Probe { at: AT, result: "refused".into(), detail: "no_grant".into() }],
        unprobed: None,
        problem: None,
    }
}

fn definition() -> Value {
    json!({"days": 14, "fallback": "robin"})
}

/// What the log says of an act that was proved.
fn proved(act: &Remediation) -> Value {
    let answers = act.probes.iter().map(|_| json!({"outcome": {"outcome": "refused"}}));
    json!({
        "item": act.item_id,
        "grant": act.grant_id,
        "state": {"state": "verified", "change": act.change, "proof": {
            "receipts": act.receipts,
            "answers": answers.collect::<Vec<_>>(),
        }},
    })
}

/// The campaign's entries, with others between them. With acts, it was completed.
fn ledger(
    population: &Population,
    decisions: &[Decision],
    acts: &[Remediation],
) -> (Vec<Entry>, Tree) {
    let campaign = || Subject::new("campaign", "machines");
    let noise = || NewEntry::new(Event::ApiAdded, Subject::new("api", "orders"), json!({}));
    let says = |event, after| NewEntry::change(event, campaign(), None, Some(after), None);
    let mut started = started_detail(population, 3);
    started["definition"] = definition();
    let mut news = vec![
        noise(),
        says(Event::ReviewStarted, started),
        noise(),
        says(Event::ReviewSigned, signed_detail(decisions).unwrap()),
    ];
    if !acts.is_empty() {
        let acts: Vec<_> = acts.iter().map(proved).collect();
        news.push(says(Event::ReviewVerified, json!({ "acts": acts })));
        news.push(says(Event::ReviewCompleted, json!({})));
    }
    news.push(noise());
    let (mut tip, mut tree, mut entries) = (Tip::START, Tree::default(), Vec::new());
    for new in news {
        let entry = new.follow(tip, AT, "robin", "console");
        tip = entry.check_follows(tip).unwrap();
        tree.push(tip.head);
        entries.push(entry);
    }
    entries.retain(|entry| entry.event != Event::ApiAdded);
    (entries, tree)
}

fn bundle() -> Vec<u8> {
    let (parts, tree) = parts();
    build(&parts, &tree, &key()).unwrap()
}

/// Builds what `change` made of the parts: signed properly, so only the meaning can be wrong.
fn signed(change: impl FnOnce(&mut Parts)) -> Report {
    let (mut parts, tree) = parts();
    change(&mut parts);
    verify(&build(&parts, &tree, &key()).unwrap(), Some(&key().verifier().to_string()))
}

fn faults(report: &Report) -> Vec<(&str, &str)> {
    let faults = report.checks.iter().filter(|check| !check.ok);
    faults.map(|check| (check.name.as_str(), check.place.as_str())).collect()
}

#[test]
fn every_flipped_byte_is_found_and_named() {
    let good = bundle();
    let trusted = key().verifier().to_string();
    for offset in 0..good.len() {
        // Another digit, another case, no text at all: each byte gets one of them.
        let mask = [0x01, 0x20, 0x80][offset % 3];
        let mut bad = good.clone();
        bad[offset] ^= mask;
        let report = verify(&bad, Some(&trusted));
        assert!(!report.is_ok(), "byte {offset} ^ {mask:#x} passes");
        assert!(is_named(&report, &good, offset), "byte {offset}: {}", report.summary);
    }
}

/// A fault stands at the byte, or at its member. Text that is no JSON any more is noticed where
/// it stops making sense: the byte, or the end of the string that the byte opened or closed.
fn is_named(report: &Report, good: &[u8], offset: usize) -> bool {
    let path = path_at(good, offset);
    report.checks.iter().filter(|check| !check.ok).any(|check| {
        let byte = check.place.strip_prefix("byte ").and_then(|rest| rest.split(' ').next());
        match byte.map(|byte| byte.parse::<usize>().unwrap()) {
            Some(byte) => byte + 1 >= offset && byte <= offset + 400,
            None => path.starts_with(&check.place),
        }
    })
}

#[test]
fn every_dropped_moved_or_repeated_element_is_found_and_named() {
    let good: Value = serde_json::from_slice(&bundle()).unwrap();
    for list in sections::LISTS {
        let length = good[list].as_array().unwrap().len();
        for index in 0..length {
            let edit = |change: &dyn Fn(&mut Vec<Value>)| {
                let mut bad = good.clone();
                change(bad[list].as_array_mut().unwrap());
                let report = verify(&base::canonical::to_bytes(&bad).unwrap(), None);
                let found = faults(&report);
                assert!(
                    found
                        .iter()
                        .any(|(name, place)| *name == "contents" && place.starts_with(list)),
                    "{list}[{index}]: {found:?}"
                );
                found.iter().any(|(_, place)| *place == format!("{list}[{index}]"))
            };
            assert!(edit(&|l| drop(l.remove(index))), "dropped {list}[{index}]");
            assert!(edit(&|l| l.truncate(index)), "cut at {list}[{index}]");
            assert!(edit(&|l| l.swap(index, (index + 1) % length)), "moved {list}[{index}]");
            edit(&|l| l.insert(index, l[index].clone()));
        }
    }
}

#[test]
fn a_dropped_member_and_a_foreign_one_are_found() {
    let good: Value = serde_json::from_slice(&bundle()).unwrap();
    for name in good.as_object().unwrap().keys() {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(name);
        assert!(!verify(&base::canonical::to_bytes(&bad).unwrap(), None).is_ok(), "{name}");
    }
    let mut bad = good;
    bad["comment"] = json!("hello");
    let report = verify(&base::canonical::to_bytes(&bad).unwrap(), None);
    assert!(faults(&report).contains(&("contents", "comment")));
}

#[test]
fn a_cut_or_empty_file_is_refused() {
    let good = bundle();
    for length in [0, 1, good.len() / 2, good.len() - 1] {
        assert!(!verify(&good[..length], None).is_ok());
    }
    assert!(!verify(b"[]", None).is_ok());
    assert!(!verify(b"{}", None).is_ok());
}

#[test]
fn the_same_content_in_another_form_is_refused() {
    let value: Value = serde_json::from_slice(&bundle()).unwrap();
    let pretty = serde_json::to_vec_pretty(&value).unwrap();
    assert_eq!(faults(&verify(&pretty, None)), [("bytes", "byte 1")]);
}

#[test]
fn a_file_signed_by_another_key_is_refused_when_one_is_trusted() {
    let (parts, tree) = parts();
    let other = SigningKey::from_seed("ledger.example/one", &Secret::new([6; 32])).unwrap();
    let forged = build(&parts, &tree, &other).unwrap();
    let trusted = key().verifier().to_string();
    assert!(faults(&verify(&forged, Some(&trusted))).contains(&("key", "verifier_key")));
    assert!(!verify(&bundle(), Some("no key")).is_ok());
}

#[test]
fn an_entry_that_is_not_in_the_tree_makes_no_bundle() {
    let (mut parts, tree) = parts();
    parts.entries[1].actor = "mallory".into();
    assert!(matches!(build(&parts, &tree, &key()), Err(BuildError::NotInTree(3))));
}

#[test]
fn a_population_other_than_the_logged_one_is_found() {
    let dropped = signed(|parts| drop(parts.items.pop()));
    assert!(faults(&dropped).contains(&("population", "items")));
    let resealed = signed(|parts| {
        parts.items.pop();
        parts.population.matched = 3;
        parts.population.digest =
            population_digest(parts.items.iter().map(|item| &item.sealed)).unwrap();
    });
    assert!(faults(&resealed).contains(&("population", "population")));
    let unreconciled = signed(|parts| parts.population.excluded.clear());
    assert!(faults(&unreconciled).contains(&("population", "population.matched")));
    let other_ruleset = signed(|parts| parts.population.ruleset_version = 8);
    assert!(faults(&other_ruleset).contains(&("population", "population")));
}

#[test]
fn a_decision_other_than_the_signed_one_is_found() {
    let changed = signed(|parts| parts.decisions[0].verdict = "remove".into());
    assert!(faults(&changed).contains(&("decisions", "decisions[0]")));
    let missing = signed(|parts| drop(parts.decisions.remove(1)));
    assert!(faults(&missing).contains(&("decisions", "decisions")));
    let twice = signed(|parts| parts.decisions.push(parts.decisions[0].clone()));
    assert!(faults(&twice).contains(&("decisions", "decisions[3]")));
    let open = signed(|parts| parts.items[0].state = "open".into());
    assert!(faults(&open).contains(&("decisions", "decisions[0]")));
}

#[test]
fn a_removal_without_proof_is_found() {
    let place = ("remediation", "remediations[1]");
    assert!(faults(&signed(|p| p.remediations[1].probes.clear())).contains(&place));
    assert!(faults(&signed(|p| p.remediations[1].receipts.clear())).contains(&place));
    let allowed = signed(|p| p.remediations[1].probes[0].result = "allowed".into());
    assert!(faults(&allowed).contains(&place));
    assert!(faults(&signed(|p| p.remediations[1].state = "applied".into())).contains(&place));
    let other = signed(|p| p.remediations[1].probes[0].result = "allowed_otherwise".into());
    assert_eq!(faults(&other), [place], "the log says that it was refused");
    let undone = signed(|p| drop(p.remediations.pop()));
    assert!(faults(&undone).contains(&("remediation", "decisions[2]")));
}

#[test]
fn a_receipt_from_before_streams_were_counted_is_read_and_written_as_it_was() {
    let old = json!({"node": "node-a", "since": AT});
    let receipt: Receipt = serde_json::from_value(old.clone()).unwrap();
    assert_eq!((receipt.streams_cut, receipt.streams_open), (None, None));
    assert_eq!(serde_json::to_value(receipt).unwrap(), old);
}

/// What the signer of the file changes is held against the log, which they cannot change as easily.
#[test]
fn a_file_that_says_other_than_the_log_is_found_whoever_signed_it() {
    type Change = fn(&mut Parts);
    let cases: [(Change, (&str, &str)); 13] = [
        (|p| p.campaign.definition = json!({"days": 1}), ("population", "population")),
        (|p| p.campaign.started_by = "kim".into(), ("population", "population")),
        (|p| p.campaign.started_at = Timestamp::from_secs(1), ("population", "population")),
        (|p| p.items[0].grant_id = "g_2".into(), ("population", "items[0]")),
        (|p| p.items[0].id = "item_9".into(), ("population", "items[0]")),
        (|p| p.campaign.state = "VERIFYING".into(), ("remediation", "campaign.state")),
        (|p| p.campaign.completed_at = None, ("remediation", "campaign.state")),
        (|p| drop(p.entries.pop()), ("remediation", "campaign.state")),
        (|p| p.remediations[0].grant_id = "g_0".into(), ("remediation", "remediations[0]")),
        (
            |p| p.remediations[0].receipts[0].streams_cut = Some(9),
            ("remediation", "remediations[0]"),
        ),
        (
            |p| p.remediations[0].receipts[0].streams_open = Some(1),
            ("remediation", "remediations[0]"),
        ),
        (|p| p.remediations[0].change = Some(8), ("remediation", "remediations[0]")),
        (|p| p.remediations[0].state = "superseded".into(), ("remediation", "remediations[0]")),
    ];
    for (number, (change, fault)) in cases.into_iter().enumerate() {
        let report = signed(change);
        assert!(faults(&report).contains(&fault), "{number}: {:?}", faults(&report));
    }
    // A decision hidden with its sign-off, and its item passed off as overtaken.
    let hidden = signed(|p| {
        p.entries.retain(|entry| entry.event != Event::ReviewSigned);
        p.decisions.clear();
        p.remediations.clear();
        p.items.iter_mut().for_each(|item| item.state = "superseded".into());
    });
    assert!(faults(&hidden).contains(&("decisions", "items[0]")), "{:?}", faults(&hidden));
}

/// The log itself can say that somebody decided who must not.
#[test]
fn a_decision_of_the_wrong_person_is_found() {
    let decided_by = |reviewer: &str, change: fn(&mut Parts)| {
        let (mut parts, _) = parts();
        parts.decisions[0].reviewer = reviewer.to_owned();
        change(&mut parts);
        let sealed = parts.items.iter().map(|item| &item.sealed);
        parts.population.digest = population_digest(sealed).unwrap();
        let (entries, tree) = ledger(&parts.population, &parts.decisions, &parts.remediations);
        parts.entries = entries;
        let report = verify(&build(&parts, &tree, &key()).unwrap(), None);
        let faults = report.checks.into_iter().filter(|check| !check.ok);
        faults.map(|check| (check.place, check.detail)).collect::<Vec<_>>()
    };
    let place = "decisions[0]".to_owned();
    let other = decided_by("kim", |_| {});
    assert!(other.contains(&(place.clone(), "signed by another person".into())), "{other:?}");
    let why = "decided by another than the assigned reviewer";
    assert!(other.contains(&(place.clone(), why.into())), "{other:?}");
    let own = decided_by("robin", |p| p.items[0].sealed["grant"]["subject"] = json!("robin"));
    assert_eq!(own, [(place, "decided by whoever holds the access".to_owned())]);
}

#[test]
fn a_campaign_without_entries_proves_nothing() {
    let report = signed(|parts| parts.entries.clear());
    assert!(faults(&report).contains(&("population", "population")));
    assert!(faults(&report).contains(&("decisions", "decisions[0]")));
}

#[test]
fn a_good_bundle_is_accepted_in_one_line() {
    let report = verify(&bundle(), Some(&key().verifier().to_string()));
    assert_eq!(faults(&report), []);
    assert_eq!(report.summary, "chain ok · 3 of 3 items · population matches ruleset 7");
    let names: Vec<_> = report.checks.iter().map(|check| check.name.as_str()).collect();
    let expected =
        ["bytes", "key", "seal", "contents", "chain", "population", "decisions", "remediation"];
    assert_eq!(names, expected);
}

#[test]
fn a_running_campaign_says_how_far_it_is() {
    let (mut parts, _) = parts();
    parts.decisions.truncate(1);
    parts.remediations.clear();
    parts.items[1].state = "open".into();
    parts.items[2].state = "drafted".into();
    parts.campaign.state = "ACTIVE".into();
    parts.campaign.completed_at = None;
    let (entries, tree) = ledger(&parts.population, &parts.decisions, &[]);
    parts.entries = entries;
    let report = verify(&build(&parts, &tree, &key()).unwrap(), None);
    assert_eq!(faults(&report), []);
    assert_eq!(report.summary, "chain ok · 1 of 3 items · population matches ruleset 7");
}

#[test]
fn a_bundle_is_the_same_each_time_it_is_built() {
    assert_eq!(bundle(), bundle());
    assert_ne!(Digest::of(&[&bundle()]), Digest::ZERO);
}
