use std::collections::BTreeMap;

use base::{ItemId, Span};
use grant::GrantStatus;
use proptest::prelude::*;

use super::*;
use crate::inventory::InventoryParts;
use crate::sample::{active, days_ago, grant, id, parts, today, used};
use crate::{Act, CampaignState, Tally, Verdict, VerdictKind};

/// Three grants of `svc` for ann to review (kept, narrowed, removed), one of `bob` for cid.
fn four() -> InventoryParts {
    let mut parts = parts();
    parts.grants = vec![
        grant("g1", "svc", &["get"]),
        grant("g2", "svc", &["get", "list"]),
        grant("g3", "svc", &["refund"]),
        grant("g4", "bob", &["get"]),
    ];
    used(&mut parts, "g1", "get", days_ago(1), 3);
    used(&mut parts, "g2", "get", days_ago(1), 3);
    parts
}

/// A campaign with its items and the grants as they stand, driven the way the shell drives it.
struct Desk {
    campaign: Campaign,
    items: BTreeMap<ItemId, Item>,
    grants: BTreeMap<base::GrantId, Grant>,
    plan: Vec<Remediation>,
    now: Timestamp,
    decisions: u32,
}

impl Desk {
    fn new() -> Self {
        let (campaign, items) = active(four());
        Self {
            campaign,
            grants: items
                .iter()
                .map(|i| (i.sealed.grant.id.clone(), i.sealed.grant.clone()))
                .collect(),
            items: items.into_iter().map(|item| (item.sealed.id.clone(), item)).collect(),
            plan: vec![],
            now: today() + Span::from_days(1),
            decisions: 0,
        }
    }

    fn holders(item: &Item) -> Vec<IdentityId> {
        match &item.sealed.grant.subject {
            grant::GrantSubject::Identity(id) => vec![id.clone()],
            grant::GrantSubject::Group(_) => vec![],
        }
    }

    fn step(
        &mut self,
        number: usize,
        actor: &str,
        step: impl FnOnce(Item, &Circumstances<'_>) -> Result<Item, Refusal>,
    ) -> Result<(), Refusal> {
        let item = self.items.values().nth(number).unwrap().clone();
        let (actor, holders) = (id(actor), Self::holders(&item));
        let around = Circumstances {
            actor: &actor,
            deadline: self.campaign.deadline()?,
            grant: self.grants.get(&item.sealed.grant.id),
            holders: &holders,
            now: self.now,
        };
        let item = step(item, &around)?;
        self.items.insert(item.sealed.id.clone(), item);
        Ok(())
    }

    fn draft(&mut self, number: usize, actor: &str, kind: VerdictKind) -> Result<(), Refusal> {
        self.step(number, actor, |item, around| {
            let verdict = item.verdict_of(kind).unwrap_or(Verdict::Keep);
            item.draft(verdict, Some("because".to_owned()), around)
        })
    }

    fn sign(&mut self, actor: &str) -> Result<Signature, Refusal> {
        let actor: IdentityId = id(actor);
        let of = |item: &&Item| item.sealed.assignment.reviewer == actor;
        let items: Vec<_> = self.items.values().filter(of).cloned().collect();
        let holders: BTreeMap<_, _> =
            items.iter().map(|item| (item.sealed.id.clone(), Self::holders(item))).collect();
        let current = |item: &Item| Current {
            grant: self.grants.get(&item.sealed.grant.id),
            holders: &holders[&item.sealed.id],
        };
        let mut number = self.decisions;
        let next = || {
            number += 1;
            id(&format!("dec_{number}"))
        };
        let signature = sign(&self.campaign, items, &actor, current, next, self.now)?;
        self.decisions = number;
        for item in signature.decided.iter().chain(&signature.superseded) {
            self.items.insert(item.sealed.id.clone(), item.clone());
        }
        self.plan.extend(signature.plan.clone());
        if let Ok(decided) = self.campaign.clone().decided(&self.tally(), self.now) {
            self.campaign = decided;
        }
        Ok(signature)
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for item in self.items.values() {
            match item.state {
                ItemState::Pending => tally.open += 1,
                ItemState::Drafted(_) => tally.drafted += 1,
                ItemState::Decided(_) => tally.decided += 1,
                ItemState::Superseded(_) => tally.superseded += 1,
            }
        }
        tally
    }
}

#[test]
fn without_drafts_there_is_nothing_to_sign() {
    assert_eq!(Desk::new().sign("ann").unwrap_err(), Refusal::NothingToSign);
    assert_eq!(Desk::new().sign("bob").unwrap_err(), Refusal::NothingToSign);
}

#[test]
fn nobody_signs_after_the_deadline_or_after_the_end() {
    let mut desk = Desk::new();
    desk.draft(1, "ann", VerdictKind::Keep).unwrap();
    desk.now = today() + Span::from_days(30);
    assert_eq!(desk.sign("ann").unwrap_err().code(), "late");
    desk.campaign = desk.campaign.cancel(id("robin"), "why", today()).unwrap();
    assert_eq!(desk.sign("ann").unwrap_err().code(), "review_not_active");
}

#[test]
fn a_signature_decides_plans_and_leaves_the_rest_open() {
    let mut desk = Desk::new();
    // Sorted by subject: 0 is bob's, 1 to 3 are svc's.
    desk.draft(1, "ann", VerdictKind::Keep).unwrap();
    desk.draft(2, "ann", VerdictKind::Narrow).unwrap();
    desk.draft(3, "ann", VerdictKind::Remove).unwrap();
    let signature = desk.sign("ann").unwrap();
    assert_eq!(signature.decided.len(), 3);
    let acts: Vec<_> =
        signature.plan.iter().map(|act| (act.grant.as_str(), act.act.as_str())).collect();
    assert_eq!(acts, [("g2", "narrow"), ("g3", "remove")]);
    let gone =
        |n: usize| signature.plan[n].gone.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!((gone(0), gone(1)), (vec!["list".to_owned()], vec!["refund".to_owned()]));
    assert_eq!(desk.campaign.state.as_str(), "ACTIVE", "cid has not decided");
    desk.draft(0, "cid", VerdictKind::Remove).unwrap();
    desk.sign("cid").unwrap();
    assert_eq!(desk.campaign.state.as_str(), "REMEDIATING");
}

#[test]
fn a_draft_on_a_grant_that_gives_more_by_now_is_closed_and_not_signed() {
    let mut desk = Desk::new();
    desk.draft(1, "ann", VerdictKind::Keep).unwrap();
    desk.draft(3, "ann", VerdictKind::Remove).unwrap();
    let changed = desk.grants.get_mut(&id::<base::GrantId>("g3")).unwrap();
    changed.version += 1;
    changed.operations = grant::OperationSet::ALL;
    let signature = desk.sign("ann").unwrap();
    assert_eq!((signature.decided.len(), signature.superseded.len()), (1, 1));
    assert!(signature.plan.is_empty());
}

#[test]
fn the_digest_of_drafts_changes_with_every_draft() {
    let mut desk = Desk::new();
    let digest = |desk: &Desk| drafts_digest(desk.items.values()).unwrap();
    let mut seen = vec![digest(&desk)];
    for (number, kind) in
        [(1, VerdictKind::Keep), (3, VerdictKind::Remove), (1, VerdictKind::Remove)]
    {
        desk.draft(number, "ann", kind).unwrap();
        assert!(!seen.contains(&digest(&desk)));
        seen.push(digest(&desk));
    }
}

#[derive(Debug, Clone)]
enum Step {
    Draft(usize, usize, VerdictKind),
    Undo(usize, usize),
    Sign(usize),
    Change(usize),
    Remove(usize),
    Wait(i64),
}

const ACTORS: [&str; 4] = ["ann", "bob", "cid", "svc"];

fn step() -> impl Strategy<Value = Step> {
    let kind = proptest::sample::select(VerdictKind::ALL.to_vec());
    prop_oneof![
        6 => (0usize..4, 0usize..4, kind).prop_map(|(item, actor, kind)| Step::Draft(item, actor, kind)),
        2 => (0usize..4, 0usize..4).prop_map(|(item, actor)| Step::Undo(item, actor)),
        3 => (0usize..4).prop_map(Step::Sign),
        1 => (0usize..4).prop_map(Step::Change),
        1 => (0usize..4).prop_map(Step::Remove),
        1 => (0i64..6).prop_map(Step::Wait),
    ]
}

fn take(desk: &mut Desk, step: Step) {
    // Refusals are part of every sequence; what must hold is checked afterwards.
    match step {
        Step::Draft(item, actor, kind) => {
            let _ = desk.draft(item, ACTORS[actor], kind);
        }
        Step::Undo(item, actor) => {
            let _ = desk.step(item, ACTORS[actor], Item::undo);
        }
        Step::Sign(actor) => {
            let _ = desk.sign(ACTORS[actor]);
        }
        Step::Change(grant) => desk.grants.values_mut().nth(grant).unwrap().version += 1,
        Step::Remove(grant) => {
            desk.grants.values_mut().nth(grant).unwrap().status = GrantStatus::Revoked;
        }
        Step::Wait(days) => desk.now = desk.now + Span::from_days(days),
    }
}

fn check(desk: &Desk, before: &BTreeMap<ItemId, Item>) -> Result<(), TestCaseError> {
    let deadline = today() + Span::from_days(15);
    for (id, item) in &desk.items {
        let was = &before[id];
        prop_assert_eq!(&was.sealed, &item.sealed, "what is sealed does not change");
        if was.state.is_final() {
            prop_assert_eq!(&was.state, &item.state, "a final outcome does not change");
        }
        if let ItemState::Decided(decision) = &item.state {
            let by = &decision.draft.by;
            prop_assert_eq!(by, &item.sealed.assignment.reviewer);
            prop_assert!(!Desk::holders(item).contains(by), "nobody decides on own access");
            prop_assert!(decision.signed_at <= deadline);
            let acts = desk.plan.iter().filter(|act| act.item == *id).count();
            let orders = usize::from(decision.draft.verdict != Verdict::Keep);
            prop_assert_eq!(acts, orders, "one act per decision that orders one");
        }
    }
    let keys: std::collections::BTreeSet<_> = desk.plan.iter().map(Remediation::key).collect();
    prop_assert_eq!(keys.len(), desk.plan.len());
    let is_over = !matches!(desk.campaign.state, CampaignState::Active { .. });
    prop_assert!(!is_over || desk.items.values().all(|item| item.state.is_final()));
    for act in &desk.plan {
        prop_assert!(matches!(act.act, Act::Remove | Act::Narrow(_)) && !act.gone.is_empty());
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_sequence_of_steps_breaks_a_promise(steps in proptest::collection::vec(step(), 0..40)) {
        let mut desk = Desk::new();
        for step in steps {
            let before = desk.items.clone();
            take(&mut desk, step);
            check(&desk, &before)?;
        }
    }
}
