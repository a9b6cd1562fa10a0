use base::Span;

use super::*;
use crate::sample::{active, days_ago, grant, id, operations, parts, today, used};

/// The item of a grant of `svc` that ann reviews; `get` is used, the rest is not.
fn item(granted: &[&str], used_operations: &[&str]) -> Item {
    let mut parts = parts();
    parts.grants = vec![grant("g1", "svc", granted)];
    for operation in used_operations {
        used(&mut parts, "g1", operation, days_ago(2), 3);
    }
    active(parts).1.remove(0)
}

struct Around {
    actor: IdentityId,
    grant: Option<Grant>,
    holders: Vec<IdentityId>,
    now: Timestamp,
}

impl Around {
    fn of(item: &Item) -> Self {
        Self {
            actor: id("ann"),
            grant: Some(item.sealed.grant.clone()),
            holders: vec![id("svc")],
            now: today() + Span::from_days(1),
        }
    }

    fn get(&self) -> Circumstances<'_> {
        Circumstances {
            actor: &self.actor,
            deadline: today() + Span::from_days(14),
            grant: self.grant.as_ref(),
            holders: &self.holders,
            now: self.now,
        }
    }
}

fn draft(item: &Item, verdict: Verdict, note: Option<&str>) -> Result<Item, Refusal> {
    item.clone().draft(verdict, note.map(str::to_owned), &Around::of(item).get())
}

fn signed(item: &Item) -> Item {
    let drafted = draft(item, Verdict::Remove, Some("gone")).unwrap();
    drafted.sign(id("dec_1"), &Around::of(item).get()).unwrap()
}

#[test]
fn every_step_is_refused_where_nobody_may_decide() {
    type Change = fn(&mut Around);
    let cases: [(&str, Change); 7] = [
        ("self_review", |a| a.holders.push(id("ann"))),
        ("not_your_item", |a| a.actor = id("bob")),
        ("late", |a| a.now = today() + Span::from_days(14) + Span::from_micros(1)),
        ("superseded", |a| a.grant = None),
        ("superseded", |a| widen(a.grant.as_mut().unwrap())),
        ("superseded", |a| a.grant.as_mut().unwrap().status = GrantStatus::Revoked),
        ("self_review", |a| a.actor = id("svc")),
    ];
    let pending = item(&["get", "list"], &["get"]);
    let drafted = draft(&pending, Verdict::Remove, Some("gone")).unwrap();
    for (code, change) in cases {
        let mut around = Around::of(&pending);
        change(&mut around);
        let around = around.get();
        let refusals = [
            pending.clone().draft(Verdict::Remove, Some("gone".to_owned()), &around),
            drafted.clone().sign(id("dec_1"), &around),
        ];
        for refusal in refusals {
            assert_eq!(refusal.unwrap_err().code(), code);
        }
        let undone = drafted.clone().undo(&around).map_err(|refusal| refusal.code());
        match (code, around.actor == &id::<IdentityId>("ann")) {
            // Else a reviewer who came to hold the access could not get out of their own way.
            ("self_review", true) => assert_eq!(undone, Ok(pending.clone())),
            // Nobody else undoes a reviewer's draft, the holder of the access least of all.
            ("self_review", false) => assert_eq!(undone, Err("not_your_item")),
            _ => assert_eq!(undone, Err(code)),
        }
    }
}

fn widen(grant: &mut Grant) {
    grant.version = 9;
    grant.operations = OperationSet::ALL;
}

#[test]
fn what_is_signed_stays() {
    let pending = item(&["get", "list"], &["get"]);
    let signed = signed(&pending);
    let around = Around::of(&pending);
    let refusals = [
        signed.clone().draft(Verdict::Keep, Some("sorry".to_owned()), &around.get()),
        signed.clone().undo(&around.get()),
        signed.clone().sign(id("dec_2"), &around.get()),
    ];
    for refusal in refusals {
        assert_eq!(refusal.unwrap_err(), Refusal::AlreadySigned { at: around.now });
    }
    assert_eq!(signed.clone().reconcile(None, around.now), signed, "not even by the grant going");
}

#[test]
fn undo_and_sign_need_a_draft() {
    let pending = item(&["get", "list"], &["get"]);
    let around = Around::of(&pending);
    assert_eq!(pending.clone().undo(&around.get()), Err(Refusal::NoDraft));
    assert_eq!(pending.clone().sign(id("dec_1"), &around.get()), Err(Refusal::NoDraft));
    let drafted = draft(&pending, Verdict::Remove, Some("gone")).unwrap();
    assert_eq!(drafted.undo(&around.get()), Ok(pending));
}

#[test]
fn notes_are_needed_against_the_recommendation_and_to_keep_high_risk() {
    // granted, used, verdict, refused without a note
    let narrow = || Verdict::Narrow(operations(&["get"]));
    let against = |recommended| Some(Refusal::NoteNeededAgainstRecommendation { recommended });
    type Case<'a> = (&'a [&'a str], &'a [&'a str], Verdict, Option<Refusal>);
    let cases: [Case<'_>; 8] = [
        (&["get"], &["get"], Verdict::Keep, None),
        (&["get"], &["get"], Verdict::Remove, against("keep")),
        (&["get"], &[], Verdict::Remove, None),
        (&["get"], &[], Verdict::Keep, against("remove")),
        (&["get", "list"], &["get"], narrow(), None),
        (&["get", "list"], &["get"], Verdict::Remove, against("narrow")),
        (&["refund"], &["refund"], Verdict::Keep, Some(Refusal::NoteNeededForHighRisk)),
        (&["get", "refund"], &["get"], narrow(), None),
    ];
    for (granted, used, verdict, refusal) in cases {
        let item = item(granted, used);
        let without = draft(&item, verdict.clone(), None).err();
        assert_eq!(without, refusal, "{granted:?} used {used:?}: {verdict:?}");
        let blank = draft(&item, verdict.clone(), Some("  \n")).err();
        assert_eq!(blank, refusal, "a blank note is none");
        assert!(draft(&item, verdict, Some("because")).is_ok());
    }
}

#[test]
fn narrowing_leaves_a_proper_part() {
    let cases: [(&[&str], &[&str], bool); 6] = [
        (&["get", "list"], &["get"], true),
        (&["get", "list"], &[], false),
        (&["get", "list"], &["get", "list"], false),
        (&["get", "list"], &["refund"], false),
        // `*` covers operations to come; naming all of today's is narrower.
        (&["*"], &["get", "list", "purge", "refund"], true),
        (&["*"], &["get", "other"], false),
    ];
    for (granted, left, allowed) in cases {
        let item = item(granted, &["get"]);
        let verdict = Verdict::Narrow(operations(left));
        let done = draft(&item, verdict, Some("because"));
        assert_eq!(done.is_ok(), allowed, "{granted:?} to {left:?}: {done:?}");
        if !allowed {
            assert_eq!(done.unwrap_err(), Refusal::NotNarrower);
        }
    }
}

#[test]
fn the_word_narrow_means_what_is_recommended() {
    let narrower = item(&["get", "list"], &["get"]).verdict_of(VerdictKind::Narrow);
    assert_eq!(narrower, Ok(Verdict::Narrow(operations(&["get"]))));
    let nothing = item(&["get"], &["get"]).verdict_of(VerdictKind::Narrow);
    assert_eq!(nothing, Err(Refusal::NothingToNarrow));
}

#[test]
fn an_open_item_is_closed_when_its_grant_changes_or_goes() {
    let pending = item(&["get", "list"], &["get"]);
    let same = Some(&pending.sealed.grant);
    assert_eq!(pending.clone().reconcile(same, today()), pending);
    let mut newer = pending.sealed.grant.clone();
    widen(&mut newer);
    let superseded = pending.clone().reconcile(Some(&newer), today());
    let ItemState::Superseded(supersession) = &superseded.state else { panic!("{superseded:?}") };
    assert_eq!((supersession.reviewed, supersession.now), (3, Some(9)));
    assert_eq!(supersession.to_string(), "g1 changed from version 3 to 9 meanwhile");
    assert!(superseded.state.is_final());
    let refused = draft(&superseded, Verdict::Keep, Some("x")).unwrap_err();
    assert_eq!(refused.code(), "superseded");
}

#[test]
fn a_grant_that_gives_less_stays_under_review_and_one_that_gives_more_does_not() {
    let pending = item(&["get", "list"], &["get"]);
    let stays = |change: fn(&mut Grant)| {
        let mut newer = pending.sealed.grant.clone();
        newer.version = 9;
        change(&mut newer);
        !pending.clone().reconcile(Some(&newer), today()).state.is_final()
    };
    assert!(stays(|grant| grant.operations = OperationSet::Only(operations(&["list"]))));
    assert!(stays(|grant| grant.expires_at = Some(today() + Span::from_days(1))));
    assert!(stays(|grant| grant.fields = Some(vec!["id".to_owned()])));
    assert!(!stays(|grant| grant.operations = OperationSet::Only(operations(&["list", "new"]))));
    assert!(!stays(|grant| grant.subject = GrantSubject::Identity(id("other"))));
}

#[test]
fn a_decision_says_when_it_goes_against_the_recommendation() {
    let pending = item(&["get"], &["get"]);
    let around = Around::of(&pending);
    for (verdict, against) in [(Verdict::Keep, false), (Verdict::Remove, true)] {
        let drafted = draft(&pending, verdict, Some("because")).unwrap();
        let signed = drafted.sign(id("dec_1"), &around.get()).unwrap();
        let ItemState::Decided(decision) = signed.state else { panic!("not decided") };
        assert_eq!(decision.against_recommendation, against);
    }
}
