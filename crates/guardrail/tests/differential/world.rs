//! Random worlds: small, so that everything meets everything.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use base::Timestamp;
use catalog::{Accept, Api, ApiMode, Impact};
use grant::{Grant, GrantStatus, OperationSet, Relation, Role, Terms, Withdrawal, WithdrawalStage};
use guardrail::{Guardrails, Meaning, State, export};
use identity::{
    Binding, CredentialClass, Environment, Group, Identity, IdentityKind, IdentityStatus, Origin,
    Strength,
};
use policy::{Change, Guard, Ruleset};

use crate::common::{self, NOW, rails};
use crate::dice::Dice;

pub(crate) const APIS: [&str; 3] = ["a0", "a1", "impact"];
pub(crate) const OPERATIONS: [&str; 6] = ["get", "list", "pay!", "read!", "all", "high"];
pub(crate) const PEOPLE: [&str; 4] = ["p0", "p1", "p2", "t0"];
const GROUPS: [&str; 4] = ["c0", "c1", "c2", "c3"];
const ROLES: [&str; 4] = ["r0", "r1", "r2", "read"];
pub(crate) const VALUES: [&str; 5] = ["t0", "t1", "p0", "person", ""];
const PLACES: [&str; 7] = [
    "path.tenant",
    "query.q",
    "header.x-t",
    "body.tenant",
    "body.a.b",
    "response.items[].tenant",
    "path.tenant",
];
const SOURCES: [&str; 11] = [
    "identity.tenant",
    "identity.id",
    "identity.kind",
    "identity.owner",
    "identity.vendor",
    "identity.email",
    "claim.tenant",
    "related.owner",
    "related.viewer",
    "\"t0\"",
    "\"t1\"",
];
const HOURS: [&str; 5] = [
    "mon-fri 08:00-18:00",
    "mon 14:13-14:14",
    "sat,sun 00:00-24:00 +02:00",
    "mon-sun 23:00-24:00 -05:30",
    "mon 00:00-00:01 +00:01",
];
const NETWORKS: [&str; 8] = [
    "10.0.0.0/8",
    "10.1.2.3/16",
    "192.168.1.7/32",
    "0.0.0.0/0",
    "::/0",
    "fe80::1/10",
    "::ffff:10.0.0.0/104",
    "2001:db8::/32",
];

/// The relation that a source answers for in some worlds.
pub(crate) const LOOKED_UP: &str = "viewer";

/// Guardrails, with `{a}` for an API and `{p}` for a person.
const GUARDRAILS: [&str; 20] = [
    "forbid(principal == Identity::\"{p}\", action in Action::\"{a}\", resource);",
    "forbid(principal in Group::\"c0\", action in Action::\"{a}/write\", resource);",
    "forbid(principal, action in Action::\"{a}/read\", resource) when { principal has vendor };",
    "forbid(principal, action in Action::\"impact/high\", resource);",
    "forbid(principal, action == Action::\"{a}/?\", resource);",
    "forbid(principal, action, resource) when { context.body has tenant };",
    "forbid(principal, action, resource == Api::\"{a}\") when { principal.kind == \"person\" && \
     context.body has \"a.b\" && context.body[\"a.b\"].contains(\"t0\") };",
    "forbid(principal, action, resource) unless { context.path has tenant && \
     principal.attributes has tenant && \
     principal.attributes.tenant.containsAll(context.path.tenant) };",
    "forbid(principal, action, resource) when { context.header has \"x-t\" && \
     context.header[\"x-t\"].containsAny([\"t0\", \"t1\"]) };",
    "forbid(principal, action, resource) when { context.claims has tenant && \
     !(context.claims.tenant.contains(\"t0\")) };",
    "forbid(principal, action, resource) when { context.draw < 100 };",
    "forbid(principal, action, resource) when { context.week_minute >= 853 && \
     context.week_minute < 854 };",
    "forbid(principal, action, resource) when { context has source && \
     context.source.isInRange(ip(\"10.1.0.0/16\")) };",
    "forbid(principal, action, resource) unless { context has binding };",
    "forbid(principal, action, resource) when { context.strength == \"shared_secret\" && \
     resource.impact == \"high\" };",
    "forbid(principal, action, resource) when { principal.related has owner && context.query has q \
     && principal.related.owner.containsAny(context.query.q) };",
    "forbid(principal, action, resource) when { context.now > datetime(\"2026-09-21\") && \
     principal.environment == \"test\" };",
    "forbid(principal, action, resource) when { context.draw == 9999 && \
     context.draw + 9223372036854775807 > 0 };",
    "forbid(principal in Group::\"c1\", action, resource) when { context.query has q } \
     unless { context.query.q.contains(\"t0\") };",
    "forbid(principal, action, resource) when { resource.mode == \"observe\" && \
     !resource.accept.contains(context.credential_class) || resource has owner };",
];

/// Lists of what may be written.
pub(crate) const WRITABLE: [&[&str]; 4] = [&[], &["name"], &["name", "tenant"], &["a.b", "x\"y,z"]];

/// One world, both ways.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) apis: Vec<Api>,
    pub(crate) ruleset: Ruleset,
    pub(crate) meaning: Meaning,
    pub(crate) policies: String,
    pub(crate) looks_at_bodies: bool,
}

/// A moment at or close to now.
fn near(dice: &mut Dice) -> Timestamp {
    let off = *dice.pick(&[-1_000_000, -1_001, -1, 0, 1, 999, 1_000, 1_000_000, 60_000_000]);
    Timestamp::from_micros(NOW.as_micros() + off)
}

fn now_and_then(dice: &mut Dice, percent: usize) -> Option<Timestamp> {
    dice.chance(percent).then(|| near(dice))
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

impl World {
    pub(crate) fn roll(dice: &mut Dice, seed: u64) -> Self {
        let apis = apis(dice);
        let identities: Vec<Identity> = PEOPLE.iter().map(|id| person(dice, id)).collect();
        let groups = groups(dice);
        let roles: Vec<Role> = ROLES.iter().map(|id| role(dice, id)).collect();
        let mut relations = relations(dice);
        let looked_up: BTreeSet<String> =
            dice.chance(40).then(|| LOOKED_UP.to_owned()).into_iter().collect();
        // What is stored under the name does not count, and is no part of the meaning.
        let stored = relations.clone();
        relations.retain(|relation| !looked_up.contains(&relation.name));
        let count = 5 + dice.roll(6);
        let grants: Vec<Grant> = (0..count).map(|number| give(dice, number)).collect();
        let guardrails = guardrails(dice, &apis);
        let state = State {
            apis: &apis,
            identities: &identities,
            groups: &groups,
            roles: &roles,
            grants: &grants,
            relations: &relations,
            guardrails: guardrails.as_ref(),
        };
        let told = export(&state).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        let meaning = Meaning::read(&told)
            .unwrap_or_else(|e| panic!("seed {seed}: {e}\n{}\n{}", told.schema, told.policies));
        let looks_at_bodies = !told.uses.writable.is_empty()
            || told.uses.places.iter().any(|place| matches!(place, grant::Place::Body(_)));
        let guard = guardrails.as_ref().map(|set| {
            let compiled = Guardrails::compile(set);
            assert_eq!(Guardrails::check(set, &apis), Ok(()), "seed {seed}");
            Arc::new(compiled) as Arc<dyn Guard>
        });
        let mut changes: Vec<Change> = grants.into_iter().map(Change::Grant).collect();
        changes.extend(stored.into_iter().map(Change::Relation));
        changes.extend(roles.into_iter().map(Change::Role));
        changes.extend(groups.into_iter().map(Change::Group));
        changes.extend(identities.into_iter().map(Change::Identity));
        changes.extend(apis.iter().cloned().map(Change::Api));
        changes.push(Change::Guard(guard));
        let ruleset = Ruleset::build(1, changes).unwrap().looking_up(looked_up);
        Self { seed, apis, ruleset, meaning, policies: told.policies, looks_at_bodies }
    }
}

fn apis(dice: &mut Dice) -> Vec<Api> {
    let accept = [vec![Accept::Token, Accept::Key], vec![Accept::Key], vec![Accept::Token]];
    let mut found = Vec::new();
    for id in dice.few(&APIS, 75) {
        let mut api = common::api(id, &dice.few(&OPERATIONS, 60));
        for operation in &mut api.operations {
            operation.impact = *dice.pick(Impact::ALL);
        }
        // Not all have the parameter; one does, or nothing could name it.
        for operation in api.operations.iter_mut().skip(1).step_by(2) {
            operation.path = operation.path.replace("/{tenant}", "");
        }
        if dice.chance(25) {
            api.mode = ApiMode::Observe;
        }
        api.accept = if dice.chance(70) { accept[0].clone() } else { dice.pick(&accept).clone() };
        api.impact = *dice.pick(Impact::ALL);
        api.owner = dice.chance(20).then(|| "p0".to_owned());
        found.push(api);
    }
    found
}

fn person(dice: &mut Dice, id: &str) -> Identity {
    let mut attributes = BTreeMap::new();
    for name in dice.some(&["tenant", "region", "id"], 60) {
        attributes.insert(name.to_owned(), texts(&dice.some(&VALUES, 40)));
    }
    Identity {
        kind: *dice.pick(IdentityKind::ALL),
        environment: *dice.pick(Environment::ALL),
        owner: dice.chance(50).then(|| dice.pick(&["p0", "group:c0"]).parse().unwrap()),
        vendor: dice.chance(30).then(|| "t1".to_owned()),
        email: dice.chance(30).then(|| "t0".to_owned()),
        status: if dice.chance(90) { IdentityStatus::Active } else { IdentityStatus::Suspended },
        left_at: now_and_then(dice, 15),
        attributes,
        ..common::identity(id)
    }
}

/// Groups in groups, sometimes in a circle.
fn groups(dice: &mut Dice) -> Vec<Group> {
    let mut found = Vec::new();
    for (place, id) in GROUPS.iter().enumerate() {
        let inner = if dice.chance(20) { &GROUPS[..] } else { &GROUPS[..place] };
        found.push(common::group(id, &dice.some(&PEOPLE, 45), &dice.some(inner, 40)));
    }
    found
}

fn operations(dice: &mut Dice) -> OperationSet {
    if dice.chance(25) {
        return OperationSet::ALL;
    }
    let mut names = dice.some(&OPERATIONS, 40);
    names.extend(dice.chance(10).then_some("gone"));
    let ids = names.iter().map(|name| name.trim_end_matches('!').parse().unwrap());
    OperationSet::Only(ids.collect())
}

fn role(dice: &mut Dice, id: &str) -> Role {
    let api = if dice.chance(70) { "a0" } else { dice.pick(&APIS) };
    Role {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        api: api.parse().unwrap(),
        operations: operations(dice),
        includes: dice.some(&ROLES, 25).iter().map(|id| id.parse().unwrap()).collect(),
        removed: dice.chance(12),
        origin: Origin::Console,
        created_at: NOW,
    }
}

fn subject(dice: &mut Dice) -> String {
    if dice.chance(50) {
        dice.pick(&PEOPLE).to_string()
    } else {
        format!("group:{}", dice.pick(&GROUPS))
    }
}

fn relations(dice: &mut Dice) -> Vec<Relation> {
    let mut found = BTreeMap::new();
    for _ in 0..dice.roll(5) {
        let (subject, name) = (subject(dice), (*dice.pick(&["owner", "viewer"])).to_owned());
        let objects: BTreeSet<String> = texts(&dice.some(&VALUES, 40)).into_iter().collect();
        let relation = Relation {
            subject: subject.parse().unwrap(),
            name: name.clone(),
            objects,
            updated_at: NOW,
        };
        found.insert((subject, name), relation);
    }
    found.into_values().collect()
}

fn give(dice: &mut Dice, number: usize) -> Grant {
    let api = if dice.chance(70) { "a0" } else { dice.pick(&APIS) };
    let roles = dice.some(&ROLES, 20).iter().map(|id| id.parse().unwrap()).collect();
    Grant {
        operations: operations(dice),
        roles,
        status: if dice.chance(92) { GrantStatus::Active } else { *dice.pick(GrantStatus::ALL) },
        expires_at: now_and_then(dice, 20),
        fields: dice.chance(10).then(|| vec!["no pii".to_owned(), "id".to_owned()]),
        terms: terms(dice),
        ..common::grant(&format!("g{number}"), &subject(dice), api, &[])
    }
}

fn terms(dice: &mut Dice) -> Terms {
    let mut terms = Terms::default();
    if dice.chance(30) {
        return terms;
    }
    let percent = *dice.pick(&[8, 8, 20]);
    if dice.chance(percent) {
        terms.environments = dice.few(Environment::ALL, 50);
    }
    if dice.chance(percent) {
        terms.hours = dice.few(&HOURS, 40).iter().map(|text| text.parse().unwrap()).collect();
    }
    if dice.chance(percent) {
        terms.networks = dice.few(&NETWORKS, 30).iter().map(|text| text.parse().unwrap()).collect();
    }
    if dice.chance(percent) {
        let classes = [CredentialClass::ApiKey, CredentialClass::IssuerSubject];
        terms.credentials = dice.few(&classes, 50);
    }
    if dice.chance(percent) {
        terms.strength = Some(*dice.pick(Strength::ALL));
    }
    if dice.chance(percent) {
        terms.bindings = dice.few(Binding::ALL, 50);
    }
    let ties = [0, 0, 1, 1, 2][dice.roll(5)];
    for _ in 0..ties {
        let sources = if dice.chance(50) { 1 } else { 1 + dice.roll(3) };
        let sources: Vec<&str> = (0..sources).map(|_| *dice.pick(&SOURCES)).collect();
        let tie = format!("{} = {}", dice.pick(&PLACES), sources.join(" | "));
        terms.ties.push(tie.parse().unwrap());
    }
    let list: &&[&str] = dice.pick(&WRITABLE);
    terms.writable = dice.chance(percent).then(|| texts(list));
    terms.certified_until = now_and_then(dice, percent);
    if dice.chance(percent) {
        let share = *dice.pick(&[1, 100, 5_000, 9_999, 10_000]);
        let stages = [WithdrawalStage::LogOnly, WithdrawalStage::Share(share)];
        let stage = *dice.pick(&stages);
        terms.withdrawal = Some(Withdrawal { stage, since: NOW, by: "robin".to_owned() });
    }
    terms
}

fn guardrails(dice: &mut Dice, apis: &[Api]) -> Option<grant::Guardrails> {
    if dice.chance(30) {
        return None;
    }
    let mut text = String::new();
    for number in 0..1 + dice.roll(3) {
        if dice.chance(50) {
            let _ = writeln!(text, "@id(\"rail{number}\") @reason(\"why \\\"so\\\"\")");
        }
        let api = match dice.pick(apis).id.as_str() {
            "impact" => "=impact",
            id => id,
        };
        let resource = api.trim_start_matches('=');
        let rule = dice.pick(&GUARDRAILS).replace("Api::\"{a}\"", &format!("Api::\"{resource}\""));
        let person: &&str = dice.pick(&PEOPLE);
        let rule = rule.replace("{a}", api).replace("{p}", person);
        let _ = writeln!(text, "{rule}");
    }
    Some(rails(&text))
}
