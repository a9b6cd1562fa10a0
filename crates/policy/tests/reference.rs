//! The ruleset against a second evaluator that is too slow to use and too simple to be wrong: a
//! scan over plain lists. Random worlds change step by step; after every step both must agree on
//! every question, and so must a ruleset built anew from the state that the steps led to.

mod common;

use std::collections::BTreeMap;

use base::{GrantId, Timestamp};
use catalog::{Api, ApiMode};
use common::*;
use grant::{Grant, GrantStatus, GrantSubject};
use identity::{Credential, CredentialStatus, Group, Identity, IdentityStatus};
use portreeve_policy::{Change, Ruleset};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use traffic::Reason;

const APIS: [&str; 3] = ["a0", "a1", "a2"];
const PEOPLE: [&str; 4] = ["p0", "p1", "p2", "p3"];
const GROUPS: [&str; 2] = ["c0", "c1"];
const GRANTS: [&str; 6] = ["g0", "g1", "g2", "g3", "g4", "g5"];

/// More than fit into one word of bits.
fn operations() -> Vec<String> {
    (0..70).map(|number| format!("o{number}")).collect()
}

/// The state as plain lists; the last word on each id counts.
#[derive(Debug, Clone, Default)]
struct World {
    apis: BTreeMap<String, Api>,
    identities: BTreeMap<String, Identity>,
    groups: BTreeMap<String, Group>,
    credentials: BTreeMap<String, Credential>,
    grants: BTreeMap<String, Grant>,
}

impl World {
    fn take(&mut self, change: &Change) {
        match change.clone() {
            Change::Api(api) => drop(self.apis.insert(api.id.to_string(), api)),
            // Nothing of a decision.
            Change::Contract(..) => {}
            Change::ApiRemoved(id) => drop(self.apis.remove(id.as_str())),
            Change::Identity(one) => drop(self.identities.insert(one.id.to_string(), one)),
            Change::Group(one) => drop(self.groups.insert(one.id.to_string(), one)),
            Change::Credential(one) => drop(self.credentials.insert(one.id.to_string(), one)),
            Change::Grant(one) => drop(self.grants.insert(one.id.to_string(), one)),
            // Not part of these worlds.
            Change::Role(_) | Change::Relation(_) | Change::Guard(_) | Change::Rollout(_) => {}
        }
    }

    /// Everything, grants first: order must not matter.
    fn state(&self) -> Vec<Change> {
        let grants = self.grants.values().cloned().map(Change::Grant);
        let groups = self.groups.values().cloned().map(Change::Group);
        let credentials = self.credentials.values().cloned().map(Change::Credential);
        let identities = self.identities.values().cloned().map(Change::Identity);
        let apis = self.apis.values().cloned().map(Change::Api);
        grants.chain(groups).chain(credentials).chain(identities).chain(apis).collect()
    }

    fn is_active(&self, who: &str, now: Timestamp) -> bool {
        self.identities.get(who).is_some_and(|identity| identity.is_active(now))
    }

    fn holds(&self, who: &str, grant: &Grant) -> bool {
        match &grant.subject {
            GrantSubject::Identity(id) => id.as_str() == who,
            GrantSubject::Group(id) => self
                .groups
                .get(id.as_str())
                .is_some_and(|group| group.members.iter().any(|member| member.as_str() == who)),
        }
    }

    /// What `probe` must say.
    fn probe(
        &self,
        who: &str,
        api: &str,
        what: &str,
        now: Timestamp,
    ) -> Result<Vec<GrantId>, Reason> {
        let known = self.apis.get(api).ok_or(Reason::UnknownApi)?;
        if !self.is_active(who, now) {
            return Err(Reason::IdentityInactive);
        }
        if !known.operations.iter().any(|operation| operation.id.as_str() == what) {
            return Err(Reason::UnknownOperation);
        }
        let covers = |grant: &&Grant| {
            grant.is_live(now)
                && grant.api.as_str() == api
                && grant.operations.contains(&what.parse().unwrap())
                && self.holds(who, grant)
        };
        let grants: Vec<GrantId> =
            self.grants.values().filter(covers).map(|grant| grant.id.clone()).collect();
        if grants.is_empty() { Err(Reason::NoGrant) } else { Ok(grants) }
    }

    /// What a call with the key of `who` must come to.
    fn call(&self, who: &str, api: &str, what: &str) -> Result<Vec<String>, Reason> {
        let key = format!("key-of-{who}");
        let credential = self.credentials.get(&key).ok_or(Reason::InvalidCredential)?;
        if credential.status != CredentialStatus::Active {
            return Err(Reason::CredentialRevoked);
        }
        if !credential.is_live(NOW) {
            return Err(Reason::CredentialExpired);
        }
        if !self.is_active(who, NOW) {
            return Err(Reason::IdentityInactive);
        }
        let known = self.apis.get(api).ok_or(Reason::UnknownApi)?;
        match self.probe(who, api, what, NOW) {
            Ok(grants) => Ok(grants.iter().map(ToString::to_string).collect()),
            Err(_) if known.mode == ApiMode::Observe => Ok(Vec::new()),
            Err(reason) => Err(reason),
        }
    }
}

fn moment() -> impl Strategy<Value = Option<Timestamp>> {
    select(vec![None, Some(at(-1)), Some(at(0)), Some(at(1))])
}

fn some_operations() -> impl Strategy<Value = Vec<String>> {
    // Mostly few of the first ones, sometimes many.
    prop_oneof![
        4 => subsequence(operations()[..4].to_vec(), 0..=4),
        1 => subsequence(operations(), 0..=70),
    ]
}

fn api_change() -> impl Strategy<Value = Change> {
    let modes = select(vec![ApiMode::Enforce, ApiMode::Enforce, ApiMode::Observe]);
    (select(&APIS[..]), some_operations(), modes).prop_map(|(id, names, mode)| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Change::Api(Api { mode, ..api(id, &names) })
    })
}

fn identity_change() -> impl Strategy<Value = Change> {
    let status = select(IdentityStatus::ALL);
    (select(&PEOPLE[..]), prop_oneof![3 => Just(IdentityStatus::Active), 1 => status], moment())
        .prop_map(|(id, status, left_at)| {
            Change::Identity(Identity { status, left_at, ..identity(id) })
        })
}

fn credential_change() -> impl Strategy<Value = Change> {
    let status = select(CredentialStatus::ALL);
    (select(&PEOPLE[..]), prop_oneof![3 => Just(CredentialStatus::Active), 1 => status], moment())
        .prop_map(|(id, status, expires_at)| {
            Change::Credential(Credential { status, expires_at, ..credential(id) })
        })
}

fn grant_change() -> impl Strategy<Value = Change> {
    let subjects: Vec<String> = PEOPLE
        .iter()
        .map(ToString::to_string)
        .chain(GROUPS.map(|id| format!("group:{id}")))
        .collect();
    let status = prop_oneof![3 => Just(GrantStatus::Active), 1 => select(GrantStatus::ALL)];
    let names = prop_oneof![3 => some_operations(), 1 => Just(vec!["*".to_owned()])];
    (select(&GRANTS[..]), select(subjects), select(&APIS[..]), names, moment(), status).prop_map(
        |(id, subject, api, names, expires_at, status)| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            Change::Grant(Grant { expires_at, status, ..grant(id, &subject, api, &names) })
        },
    )
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => api_change(),
        1 => select(&APIS[..]).prop_map(|id| Change::ApiRemoved(id.parse().unwrap())),
        2 => identity_change(),
        2 => credential_change(),
        2 => (select(&GROUPS[..]), subsequence(PEOPLE.to_vec(), 0..=4))
            .prop_map(|(id, members)| Change::Group(group(id, &members))),
        6 => grant_change(),
    ]
}

/// Every identity active and with a key, every API there: worlds in which something is allowed.
fn beginning() -> Vec<Change> {
    let apis = APIS.iter().map(|id| Change::Api(api(id, &["o0", "o1", "o2", "o3"])));
    let people = PEOPLE
        .iter()
        .flat_map(|id| [Change::Identity(identity(id)), Change::Credential(credential(id))]);
    apis.chain(people).collect()
}

fn agree(world: &World, ruleset: &Ruleset) -> Result<(), TestCaseError> {
    for api in APIS {
        for what in ["o0", "o1", "o3", "o65", "never"] {
            for who in PEOPLE.iter().chain(&["nobody"]) {
                for now in [at(-2), NOW, at(2)] {
                    let (id, place) = (who.parse().unwrap(), api.parse().unwrap());
                    let said = ruleset.probe(&id, &place, &what.parse().unwrap(), now);
                    prop_assert_eq!(
                        said,
                        world.probe(who, api, what, now),
                        "{} {} {}",
                        who,
                        api,
                        what
                    );
                }
                let said = call(ruleset, who, &format!("/{api}/{what}"));
                prop_assert_eq!(said, world.call(who, api, what), "{} {} {}", who, api, what);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn decides_as_a_plain_scan_does_after_every_change(
        steps in proptest::collection::vec(proptest::collection::vec(change(), 1..4), 1..10)
    ) {
        let mut world = World::default();
        beginning().iter().for_each(|change| world.take(change));
        let mut ruleset = Ruleset::build(0, beginning()).unwrap();
        for (step, changes) in (1..).zip(steps) {
            let (before, was) = (ruleset.clone(), world.clone());
            changes.iter().for_each(|change| world.take(change));
            ruleset = ruleset.apply(step, changes).unwrap();
            prop_assert_eq!(ruleset.version(), step);
            agree(&world, &ruleset)?;
            agree(&was, &before)?;
            agree(&world, &Ruleset::build(step, world.state()).unwrap())?;
        }
    }
}
