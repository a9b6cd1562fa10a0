//! The two decisions, side by side.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use guardrail::Said;
use policy::{Refusal, Supposed};

use crate::common::Asks;
use crate::dice::Dice;
use crate::requests::{Ask, places};
use crate::world::World;

/// What a decision comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Allowed(BTreeSet<String>),
    Observed,
    Refused(&'static str),
    Forbidden(BTreeSet<String>),
    Broken,
    NeedsBody,
}

/// What came up how often.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) decided: u64,
    allowed: u64,
    observed: u64,
    refused: u64,
    forbidden: u64,
    broken: u64,
    needs_body: u64,
    worlds: u64,
    by_all_policies: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.decided += other.decided;
        self.allowed += other.allowed;
        self.observed += other.observed;
        self.refused += other.refused;
        self.forbidden += other.forbidden;
        self.broken += other.broken;
        self.needs_body += other.needs_body;
        self.worlds += other.worlds;
        self.by_all_policies += other.by_all_policies;
    }

    pub(crate) fn outcomes(&self) -> [(&'static str, u64); 6] {
        [
            ("allowed", self.allowed),
            ("observed", self.observed),
            ("refused", self.refused),
            ("forbidden", self.forbidden),
            ("broken", self.broken),
            ("needs body", self.needs_body),
        ]
    }

    fn count(&mut self, outcome: &Outcome) {
        self.decided += 1;
        *match outcome {
            Outcome::Allowed(_) => &mut self.allowed,
            Outcome::Observed => &mut self.observed,
            Outcome::Refused(_) => &mut self.refused,
            Outcome::Forbidden(_) => &mut self.forbidden,
            Outcome::Broken => &mut self.broken,
            Outcome::NeedsBody => &mut self.needs_body,
        } += 1;
    }
}

/// What the ruleset says.
fn native(decided: Result<Supposed, Refusal>) -> Outcome {
    match decided {
        Ok(supposed) => match (supposed.observed(), supposed.grants()) {
            (Some(_), _) => Outcome::Observed,
            (None, Some(grants)) => {
                Outcome::Allowed(grants.iter().map(ToString::to_string).collect())
            }
            (None, None) => Outcome::NeedsBody,
        },
        Err(refusal) => match refusal.reason.as_str() {
            "forbidden_by_policy" => Outcome::Forbidden(refusal.guardrails.into_iter().collect()),
            "policy_error" | "ambiguous_body" => Outcome::Broken,
            "identity_inactive" => Outcome::Refused("identity_inactive"),
            "credential_not_accepted" => Outcome::Refused("credential_not_accepted"),
            _ => Outcome::Refused("not_allowed"),
        },
    }
}

/// What the policies say.
fn meant(said: &Said) -> Outcome {
    let own = |kind: &'static str| said.of(kind).map(str::to_owned).collect::<BTreeSet<String>>();
    let (gate, grants, observed) = (own("gate"), own("grant"), !own("observe").is_empty());
    if gate.contains("credential_not_accepted") {
        return Outcome::Refused("credential_not_accepted");
    }
    let unknown = said.errors.iter().any(|why| why.contains("has no entity"));
    if unknown || gate.contains("identity_inactive") {
        return Outcome::Refused("identity_inactive");
    }
    if grants.is_empty() && !observed {
        return Outcome::Refused("not_allowed");
    }
    let unreadable = own("unreadable");
    let forbids = &own("guardrail") - &unreadable;
    match (forbids.is_empty(), unreadable.is_empty() && said.errors.is_empty()) {
        (false, _) => Outcome::Forbidden(forbids),
        (true, false) => Outcome::Broken,
        (true, true) if grants.is_empty() => Outcome::Observed,
        (true, true) => Outcome::Allowed(grants),
    }
}

impl World {
    /// Decides so many requests both ways.
    pub(crate) fn decide(&self, dice: &mut Dice, count: u64) -> Tally {
        let mut tally = Tally { worlds: 1, ..Tally::default() };
        let places = places();
        while tally.decided < count {
            let ask = Ask::roll(dice, self, &places);
            let said = self.said(&ask, &ask.request);
            let (ours, theirs) = (self.native(&ask, &ask.request), meant(&said));
            let nobody = ask.who.as_str() == "nobody";
            let same = ours == theirs || (nobody && matches!(ours, Outcome::Refused(_)));
            assert!(same, "{}", self.difference(&ask, &ours, &theirs, &said));
            tally.count(&ours);
            if tally.decided.is_multiple_of(16) {
                self.by_all_policies(&ask, &theirs);
                tally.by_all_policies += 1;
            }
            if self.looks_at_bodies && dice.chance(25) {
                let later = Asks { later: true, ..ask.request.clone() };
                let early = self.native(&ask, &later);
                let said = self.said(&ask, &later);
                let fits = self.fits(&early, &ours, &said);
                assert!(fits, "body unread: {}", self.difference(&ask, &early, &theirs, &said));
                tally.count(&early);
            }
        }
        tally
    }

    fn native(&self, ask: &Ask, request: &Asks) -> Outcome {
        let entry = self.ruleset.entry(&self.apis[ask.api].id).unwrap();
        let operation = ask.operation(self);
        native(self.ruleset.suppose(ask.caller(), entry, operation, ask.facts(request), ask.now))
    }

    fn said(&self, ask: &Ask, request: &Asks) -> Said {
        let api = &self.apis[ask.api];
        let operation = ask.operation(self);
        self.meaning.ask(ask.caller(), api, operation, ask.facts(request), ask.now)
    }

    /// Cedar's authorizer over all policies at once, with a context that its schema checks.
    fn by_all_policies(&self, ask: &Ask, theirs: &Outcome) {
        let (api, operation) = (&self.apis[ask.api], ask.operation(self));
        let facts = ask.facts(&ask.request);
        let decided = self.meaning.decide(ask.caller(), api, operation, facts, ask.now);
        let allowed = matches!(theirs, Outcome::Allowed(_) | Outcome::Observed);
        match decided {
            Ok(decision) => assert_eq!(decision, allowed, "seed {}: {ask:?}", self.seed),
            Err(why) => assert!(!allowed, "seed {}: {ask:?}: {why}", self.seed),
        }
    }

    /// Whether what is said without the body fits what is said with it.
    fn fits(&self, early: &Outcome, full: &Outcome, said: &Said) -> bool {
        match (early, full) {
            (Outcome::NeedsBody, _) => self.looks_at_bodies,
            (Outcome::Allowed(some), Outcome::Allowed(all)) => {
                some.is_subset(all) && said.of("grant").eq(some.iter().map(String::as_str))
            }
            (Outcome::Observed, Outcome::Observed) => true,
            (Outcome::Refused(one), Outcome::Refused(other)) => one == other,
            (Outcome::Forbidden(some), Outcome::Forbidden(all)) => some.is_subset(all),
            // What the grants come to may depend on the body too.
            (Outcome::Forbidden(_), Outcome::Refused("not_allowed"))
            | (
                Outcome::Broken,
                Outcome::Broken | Outcome::Forbidden(_) | Outcome::Refused("not_allowed"),
            ) => true,
            _ => false,
        }
    }

    fn difference(&self, ask: &Ask, ours: &Outcome, theirs: &Outcome, said: &Said) -> String {
        let mut out = format!("seed {}: they differ\nruleset: {ours:?}\n", self.seed);
        let api = &self.apis[ask.api];
        let operation = ask.operation(self);
        let _ = writeln!(out, "policies: {theirs:?}\n{said:?}\n{ask:#?}\n{operation:?}");
        let facts = ask.facts(&ask.request);
        let standing = self.ruleset.explain_request(
            ask.caller(),
            &api.id,
            operation.map(|operation| &operation.id),
            facts,
            ask.now,
        );
        let _ = writeln!(out, "standing: {standing:#?}");
        let ids = |outcome: &Outcome| match outcome {
            Outcome::Allowed(ids) | Outcome::Forbidden(ids) => ids.clone(),
            _ => BTreeSet::new(),
        };
        for id in &ids(ours) ^ &ids(theirs) {
            let of = self.policies.split("\n\n").filter(|text| text.contains(&format!(":{id}\")")));
            of.for_each(|text| out.push_str(text));
        }
        out
    }
}
