//! Random requests to a world.

use std::net::IpAddr;

use base::{IdentityId, Timestamp};
use catalog::Operation;
use grant::Place;
use identity::{Binding, CredentialClass};
use policy::{Answer, Answers, Caller, Facts, Lookup};

use crate::common::{Asks, NOW};
use crate::dice::Dice;
use crate::world::{LOOKED_UP, PEOPLE, VALUES, WRITABLE, World};

const SCOPES: [&str; 11] = [
    "get",
    "a0:all",
    "a0:read",
    "a0:write",
    "a0:get",
    "a1:read",
    "a1:all",
    "impact:high",
    "a0:pay",
    "read",
    "other",
];
const SOURCES: [&str; 7] =
    ["10.1.2.3", "10.200.0.1", "::ffff:10.1.9.9", "192.168.1.7", "fe80::7", "2001:db8::1", "::1"];

/// One request with its caller.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) who: IdentityId,
    class: CredentialClass,
    binding: Option<Binding>,
    claims: Option<std::collections::BTreeMap<String, Vec<String>>>,
    scopes: Option<Vec<String>>,
    pub(crate) api: usize,
    pub(crate) operation: Option<usize>,
    source: Option<IpAddr>,
    draw: u16,
    pub(crate) now: Timestamp,
    pub(crate) request: Asks,
    /// What the source of `viewer` says, in the worlds that have one.
    answers: Answers,
}

/// The places that anything in these worlds looks at.
pub(crate) fn places() -> Vec<Place> {
    let place = |text: &str| format!("{text} = \"\"").parse::<grant::Tie>().unwrap().place;
    ["path.tenant", "query.q", "header.x-t", "body.tenant", "body.a.b"].map(place).to_vec()
}

impl Ask {
    pub(crate) fn roll(dice: &mut Dice, world: &World, places: &[Place]) -> Self {
        let who = if dice.chance(98) { *dice.pick(&PEOPLE) } else { "nobody" };
        let usual = [CredentialClass::ApiKey, CredentialClass::IssuerSubject];
        let class =
            if dice.chance(97) { *dice.pick(&usual) } else { *dice.pick(CredentialClass::ALL) };
        // Most grants are on the first.
        let api = if dice.chance(60) { 0 } else { dice.roll(world.apis.len()) };
        let known = world.apis[api].operations.len();
        let claims = dice.chance(50).then(|| [("tenant".to_owned(), values(dice))].into());
        let some = |scope: &&str| (*scope).to_owned();
        let scopes = dice.chance(12).then(|| dice.some(&SCOPES, 25).iter().map(some).collect());
        let off = *dice.pick(&[0, 0, -1, 1, 999, -1_000, 1_000, 39_999_999, 86_400_000_000]);
        let later = i64::try_from(dice.roll(10_080)).unwrap() * 60_000_000;
        let off = if dice.chance(15) { later } else { off };
        let operation = dice.chance(94).then(|| dice.roll(known));
        let mut request = request(dice, places);
        let template = operation.map(|number| world.apis[api].operations[number].path.clone());
        request.path = Some(path(template, request.values.remove(&places[0])));
        Self {
            who: who.parse().unwrap(),
            class,
            binding: dice.chance(40).then(|| *dice.pick(Binding::ALL)),
            claims,
            scopes,
            api,
            operation,
            source: dice.chance(80).then(|| dice.pick(&SOURCES).parse().unwrap()),
            draw: *dice.pick(&[0, 1, 99, 100, 4_999, 5_000, 9_998, 9_999]),
            now: Timestamp::from_micros(NOW.as_micros() + off),
            request,
            answers: match world.ruleset.looks_up(LOOKED_UP) {
                true => answers(dice),
                false => Answers::default(),
            },
        }
    }

    pub(crate) fn caller(&self) -> Caller<'_> {
        let mut who = Caller::supposed(&self.who, self.class).bound(self.binding);
        if let Some(claims) = &self.claims {
            who = who.claiming(claims);
        }
        match &self.scopes {
            Some(scopes) => who.scoped(scopes),
            None => who,
        }
    }

    pub(crate) fn facts<'a>(&'a self, request: &'a Asks) -> Facts<'a> {
        Facts { answers: &self.answers, ..Facts::of(self.source, self.draw, request) }
    }

    pub(crate) fn operation<'w>(&self, world: &'w World) -> Option<&'w Operation> {
        self.operation.map(|number| &world.apis[self.api].operations[number])
    }
}

/// About every object that can be named.
fn answers(dice: &mut Dice) -> Answers {
    let mut answers = Answers::default();
    for object in VALUES {
        let lookup = Lookup { relation: LOOKED_UP.to_owned(), object: object.to_owned() };
        answers.put(lookup, *dice.pick(Answer::ALL));
    }
    answers
}

/// Mostly one value, sometimes several or none that can be read.
fn values(dice: &mut Dice) -> Vec<String> {
    let own = |values: Vec<&str>| values.into_iter().map(str::to_owned).collect();
    match dice.roll(20) {
        0 => own(vec!["?"]),
        1 => Vec::new(),
        2..5 => own(dice.some(&VALUES, 50)),
        _ => own(vec![*dice.pick(&VALUES)]),
    }
}

/// The path that fits a template, with the first of the values in it.
fn path(template: Option<String>, values: Option<Vec<String>>) -> (Option<String>, String) {
    let value = match values.unwrap_or_default().into_iter().next() {
        Some(value) if value == "?" => "%ff".to_owned(),
        value => value.unwrap_or_default(),
    };
    let path = template.as_deref().unwrap_or("/other/{tenant}").replace("{tenant}", &value);
    (template, path)
}

fn request(dice: &mut Dice, places: &[Place]) -> Asks {
    let mut asks = Asks::default();
    for place in places.iter().filter(|_| dice.chance(65)).cloned().collect::<Vec<_>>() {
        asks.values.insert(place, values(dice));
    }
    asks.body = dice.chance(60).then(|| {
        let names = (*dice.pick(&WRITABLE)).iter().chain(&["other"]);
        let names: Vec<&str> = names.copied().collect();
        dice.some(&names, 50).iter().map(|name| (*name).to_owned()).collect()
    });
    asks.broken = dice.chance(3);
    asks
}
