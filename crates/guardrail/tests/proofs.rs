//! What is proved of changes, and what is not. Where no cvc5 is installed, the questions are still
//! made, and what needs an answer says that it was skipped.

mod common;

use std::io::Write as _;
use std::process::{Command, Stdio};

use base::{IdentityId, Problem};
use catalog::{Api, DataClass, Field};
use common::*;
use grant::{Grant, Relation, Terms, Withdrawal, WithdrawalStage};
use guardrail::State;
use guardrail::prove::{Proof, Query, Side, Subject};
use identity::{CredentialClass, Environment, Group, Identity, Strength};

/// A state that owns its parts.
#[derive(Clone, Default)]
struct Town {
    apis: Vec<Api>,
    identities: Vec<Identity>,
    groups: Vec<Group>,
    grants: Vec<Grant>,
    relations: Vec<Relation>,
    rails: Option<grant::Guardrails>,
}

impl Town {
    /// `orders` with `get`, `list` and the writing `pay`; billing has one grant, clerks another.
    fn new() -> Self {
        let mut orders = api("orders", &["get", "list", "pay!"]);
        let pii = Field::new("card.holder", DataClass::Pii);
        orders.operations[0].fields = vec![pii];
        let mut robin = identity("robin");
        robin.attributes.insert("tenant".to_owned(), vec!["acme".to_owned()]);
        Self {
            apis: vec![orders],
            identities: vec![identity("billing"), robin],
            groups: vec![group("clerks", &["robin"], &[])],
            grants: vec![
                grant("g_billing", "billing", "orders", &["get", "list"]),
                grant("g_clerks", "group:clerks", "orders", &["*"]),
            ],
            ..Self::default()
        }
    }

    fn with(&self, change: impl FnOnce(&mut Terms)) -> Self {
        let mut other = self.clone();
        change(&mut other.grants[1].terms);
        other
    }

    fn tied(&self, tie: &str) -> Self {
        self.with(|terms| terms.ties.push(tie.parse().unwrap()))
    }

    fn railed(&self, text: &str) -> Self {
        Self { rails: Some(rails(text)), ..self.clone() }
    }

    fn subject(&self) -> Subject<'_> {
        Subject::new(State {
            apis: &self.apis,
            identities: &self.identities,
            groups: &self.groups,
            roles: &[],
            grants: &self.grants,
            relations: &self.relations,
            guardrails: self.rails.as_ref(),
        })
        .unwrap_or_else(|e| panic!("{e}"))
    }
}

/// Asks the solver. `None`, and a word about it, where there is none.
fn solve(mut query: Query<'_>) -> Option<Result<Proof, Problem>> {
    if let Some(settled) = query.settled() {
        return Some(Ok(settled));
    }
    let started = Command::new("cvc5")
        .args(["--lang", "smt2", "--tlimit", "60000"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut solver) = started else {
        eprintln!("skipped: cvc5 is not installed");
        return None;
    };
    let script = query.script();
    solver.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = String::from_utf8(solver.wait_with_output().unwrap().stdout).unwrap();
    let found = query.conclude(&output, "cvc5");
    Some(found.map_err(|problem| problem.hint(format!("{output}\n{script}"))))
}

fn no_more(old: &Town, new: &Town) -> Option<Proof> {
    let (old, new) = (old.subject(), new.subject());
    let query = Query::no_more(&old, &new).unwrap_or_else(|e| panic!("{e}"));
    solve(query).map(|proof| proof.unwrap_or_else(|e| panic!("{e}")))
}

#[test]
fn a_wider_change_is_told_by_a_request_that_only_the_new_state_allows() {
    let town = Town::new();
    let from = |text: &str| town.with(|terms| terms.networks.push(text.parse().unwrap()));
    let share = |share| {
        town.with(|terms| {
            let stage = WithdrawalStage::Share(share);
            terms.withdrawal = Some(Withdrawal { stage, since: NOW, by: "robin".to_owned() });
        })
    };
    let until = |at| town.with(|terms| terms.certified_until = Some(at));
    let beyond = base::Timestamp::from_micros(NOW.as_micros() + 1);
    let hours = |text: &str| town.with(|terms| terms.hours.push(text.parse().unwrap()));
    let tied = |text: &str| town.tied(text);
    for (old, new, why) in [
        (from("10.0.0.0/8"), town.clone(), "any network"),
        (from("10.0.0.0/8"), from("10.0.0.0/7"), "a wider network"),
        (from("2001:db8::/64"), from("2001:db8::/63"), "a wider network of IPv6"),
        (share(5_000), share(4_999), "one draw more"),
        (until(NOW), until(beyond), "a microsecond more"),
        (hours("mon-fri 08:00-18:00"), hours("mon-fri 08:00-18:01"), "a minute more"),
        (tied("path.tenant = identity.tenant"), town.clone(), "any object"),
        (
            tied("path.tenant = identity.tenant"),
            tied("path.tenant = identity.tenant | claim.tenant"),
            "objects of the token",
        ),
        (tied("body.tenant = \"a\""), tied("body.tenant = \"a\" | \"b\""), "one text more"),
        (
            town.with(|terms| terms.strength = Some(Strength::SenderConstrained)),
            town.with(|terms| terms.strength = Some(Strength::SignedToken)),
            "a weaker proof",
        ),
        (
            town.with(|terms| terms.writable = Some(vec!["a".to_owned()])),
            town.with(|terms| terms.writable = Some(vec!["a".to_owned(), "b".to_owned()])),
            "one property more",
        ),
        (
            town.railed("forbid(principal, action, resource) when { context.draw < 10 };"),
            town.railed("forbid(principal, action, resource) when { context.draw < 9 };"),
            "a weaker guardrail",
        ),
        (town.railed("forbid(principal, action, resource);"), town.clone(), "no guardrail"),
    ] {
        let Some(proof) = no_more(&old, &new) else { return };
        assert!(!proof.holds, "{why}");
        let found = proof.counterexample.unwrap();
        assert_eq!(found.allowed_by, Side::Second);
        println!("{why}: {found}");
        // The other way round it is a narrower change.
        assert!(no_more(&new, &old).unwrap().holds, "{why}, taken back");
    }
}

#[test]
fn a_narrower_change_is_proved() {
    let town = Town::new();
    let mut fewer = town.clone();
    fewer.grants[1] = grant("g_clerks", "group:clerks", "orders", &["get"]);
    let mut left = town.clone();
    left.groups = vec![group("clerks", &[], &[])];
    for new in [
        fewer,
        left,
        town.with(|terms| terms.environments = vec![Environment::Staging]),
        town.with(|terms| terms.credentials = vec![CredentialClass::ApiKey]),
        town.tied("path.tenant = identity.tenant"),
        town.railed("forbid(principal, action in Action::\"orders/write\", resource);"),
    ] {
        let Some(proof) = no_more(&town, &new) else { return };
        assert!(proof.holds, "{:?}", proof.counterexample);
    }
}

#[test]
fn two_ways_to_write_one_rule_are_proved_equal() {
    let town = Town::new();
    let one = town.tied("path.tenant = identity.tenant");
    let other = town.tied("path.tenant = \"acme\"");
    let (one, other) = (one.subject(), other.subject());
    let query = Query::same(&one, &other).unwrap();
    let Some(proof) = solve(query) else { return };
    assert!(proof.unwrap().holds, "robin's tenant is acme");
    let open = town.subject();
    let proof = solve(Query::same(&one, &open).unwrap()).unwrap().unwrap();
    assert_eq!(proof.counterexample.unwrap().allowed_by, Side::Second);
    let proof = solve(Query::same(&open, &one).unwrap()).unwrap().unwrap();
    assert_eq!(proof.counterexample.unwrap().allowed_by, Side::First);
}

#[test]
fn what_did_not_change_needs_no_solver() {
    let town = Town::new().tied("header.x-tenant = related.owner | claim.tenant");
    let (one, other) = (town.subject(), town.subject());
    assert!(Query::same(&one, &other).unwrap().is_settled());
}

#[test]
fn who_sees_fields_of_a_class_is_found() {
    let town = Town::new();
    let asked = |town: &Town, who: &str, class: DataClass| {
        let id: IdentityId = who.parse().unwrap();
        let subject = town.subject();
        let query = Query::never_sees(&subject, &[id], class).unwrap();
        solve(query).map(Result::unwrap)
    };
    let Some(proof) = asked(&town, "billing", DataClass::Pii) else { return };
    assert_eq!(proof.counterexample.unwrap().operation.unwrap().as_str(), "get");
    assert!(asked(&town, "billing", DataClass::Pci).unwrap().holds, "there is no such field");
    let mut hidden = town.clone();
    hidden.grants[0].fields = Some(vec!["no pii".to_owned()]);
    assert!(asked(&hidden, "billing", DataClass::Pii).unwrap().holds);
    // In another answer it is of another class, too; and what is in an open place may be of it.
    hidden.grants[0].fields = Some(vec!["no pci".to_owned()]);
    assert!(!asked(&hidden, "billing", DataClass::Pii).unwrap().holds);
    hidden.apis[0].operations[0].fields[0].also.insert(DataClass::Pci);
    assert!(asked(&hidden, "billing", DataClass::Pii).unwrap().holds);
    hidden.grants[0].fields = Some(vec!["no pii".to_owned()]);
    assert!(!asked(&hidden, "robin", DataClass::Pii).unwrap().holds);
    hidden.grants[0].fields = Some(vec!["card".to_owned()]);
    assert!(!asked(&hidden, "billing", DataClass::Pii).unwrap().holds, "it is within `card`");
    hidden.grants[0].terms.withdrawal = Some(Withdrawal {
        stage: WithdrawalStage::Share(Withdrawal::SHARE_ALL),
        since: NOW,
        by: "robin".to_owned(),
    });
    assert!(asked(&hidden, "billing", DataClass::Pii).unwrap().holds, "no draw is left");
}

const STRANGE: &str = "forbid(principal, action, resource) when { resource.name like \"o*\" };";

/// What is not understood is the same unknown on both sides, and stands in nobody's way.
#[test]
fn a_guardrail_that_is_not_understood_is_no_obstacle_where_both_states_have_it() {
    let strange = Town::new().railed(&STRANGE.replace("o*", "x*"));
    let narrow = strange.tied("header.x-tenant = \"acme\"");
    assert!(Query::same(&strange.subject(), &strange.subject()).unwrap().is_settled());
    let Some(proof) = no_more(&strange, &narrow) else { return };
    assert!(proof.holds);
    let wider = no_more(&narrow, &strange).unwrap();
    assert_eq!(wider.counterexample.unwrap().allowed_by, Side::Second);
    // That another API has one says nothing about this.
    let elsewhere =
        STRANGE.replace("action, resource", "action == Action::\"orders/list\", resource");
    let hidden =
        |town: &Town| town.with(|terms| terms.hours = vec!["mon 00:00-01:00".parse().unwrap()]);
    let town = Town::new().railed(&elsewhere);
    assert!(no_more(&town, &hidden(&town)).unwrap().holds);
}

/// One that only one state has takes away what nobody can tell: nothing is proved by it, and nothing
/// is told as allowed that Cedar does not decide so.
#[test]
fn a_guardrail_that_is_not_understood_and_comes_or_goes_is_taken_as_what_is_harder_to_prove() {
    let town = Town::new();
    let strange = town.railed(STRANGE);
    // It only takes away, whatever it says.
    assert!(no_more(&town, &strange).unwrap().holds);
    // Without it more is allowed, and Cedar says so too.
    let Some(proof) = no_more(&strange, &town) else { return };
    assert_eq!(proof.counterexample.unwrap().allowed_by, Side::Second);
    // One that never matches: what the solver found is none, and that is not hidden.
    let idle = town.railed(&STRANGE.replace("o*", "x*"));
    let (old, new) = (idle.subject(), town.subject());
    let problem = solve(Query::no_more(&old, &new).unwrap()).unwrap().unwrap_err();
    assert_eq!(problem.reason, "not_provable");
    assert!(problem.detail.contains("guardrail:rules.cedar#1"), "{problem}");
    // Nobody sees what it may forbid; that is no proof.
    let billing: IdentityId = "billing".parse().unwrap();
    let subject = strange.subject();
    let query = Query::never_sees(&subject, &[billing], DataClass::Pii).unwrap();
    assert_eq!(solve(query).unwrap().unwrap_err().reason, "not_provable");
}

/// `list` has no parameter, and a parameter has one value.
#[test]
fn a_path_has_the_parameters_of_its_template_and_each_of_them_once() {
    let mut town = Town::new().tied("path.tenant = claim.tenant");
    town.apis[0].operations[1].path = "/orders/list".to_owned();
    // Nothing else is granted than what is tied.
    town.grants.remove(0);
    let twice = town.railed(
        "forbid(principal, action, resource) when { context.path has tenant && \
         context.path.tenant.contains(\"acme\") && context.path.tenant.contains(\"other\") };",
    );
    let Some(proof) = no_more(&twice, &town) else { return };
    assert!(proof.holds, "{:?}", proof.counterexample);
    let mut open = town.clone();
    open.grants[0].terms = Terms::default();
    let without = open.railed(
        "forbid(principal, action == Action::\"orders/list\", resource) when { \
         context.path has tenant };",
    );
    assert!(no_more(&without, &open).unwrap().holds, "it never has one");
    let with = without.rails.as_ref().unwrap().files["rules.cedar"].replace("list", "get");
    let with = open.railed(&with);
    let example = no_more(&with, &open).unwrap().counterexample.unwrap();
    assert_eq!(example.operation.as_ref().unwrap().as_str(), "get");
    let at = example.values.iter().find(|(place, _)| place.to_string() == "path.tenant");
    assert!(at.is_some_and(|(_, values)| values.len() == 1) || !example.unreadable.is_empty());
}

#[test]
fn an_answer_that_is_none_is_no_proof() {
    let town = Town::new();
    let narrow = town.tied("path.tenant = \"acme\"");
    let (old, new) = (narrow.subject(), town.subject());
    let query = Query::no_more(&old, &new).unwrap();
    for output in ["", "unknown\n", "timeout\n", "(error \"x\")\n", "sat\n", "sat\n((case 0)"] {
        assert!(query.conclude(output, "none").is_err(), "{output}");
    }
    // A request that both allow is no counterexample, whatever a solver says.
    let wrong = "sat\n((case 0) (now 0) (now_us 0) (draw 0) (class 0) (strength 0) (place_0 \
                 (set.singleton 0)) (unreadable (as set.empty (Set Int))))";
    assert!(query.conclude(wrong, "none").is_err());
}
