//! Proofs about rulesets: that a change allows nothing more, that two states mean the same, that
//! nobody of these reaches data of a class. A question becomes one script for an SMT solver
//! (cvc5); running it is the shell's. No answer but `unsat` is a proof, and a counterexample counts
//! only after Cedar itself has decided it so.
//!
//! Callers, groups, roles and operations are those of the states; everything that a request brings
//! is open. Not claimed: anything about identities that are in neither state, about paths that
//! only one catalogue knows as an operation (they count as refused by the other), or about what
//! guardrails say in Cedar outside of the fragment: such a one is the same unknown in two states
//! that have it in common, and else forbids wherever that would be the harder thing to prove.

mod answer;
mod encode;
mod members;
mod model;
mod names;
mod subject;
mod term;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use base::{ApiId, IdentityId, OperationId, Problem};
use catalog::{Api, DataClass, Operation};
use cedar_policy::pst::Effect;
use grant::{Grant, Place};

use encode::{Case, Outside};
use names::Names;
use term::Term;

pub use model::Counterexample;
pub use subject::Subject;

/// A question for the solver.
#[derive(Debug)]
pub struct Query<'a> {
    names: Names,
    /// What is asked for each caller and operation; those with the same formula once.
    cases: Vec<Asked<'a>>,
    /// The first guardrail outside of the fragment, and why it is.
    left_open: Option<Problem>,
}

#[derive(Debug)]
struct Asked<'a> {
    identity: &'a IdentityId,
    api: &'a Api,
    operation: Option<&'a Operation>,
    formula: Term,
    side: Side,
    /// The state that is to allow it, and the one that is to refuse.
    allows: &'a Subject<'a>,
    refuses: Option<&'a Subject<'a>>,
}

/// Which of two states allows what the other refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The first, which is the old one, or the only one.
    First,
    /// The second, which is the new one.
    Second,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    /// Whether it is so, for all requests.
    pub holds: bool,
    /// A request for which it is not.
    pub counterexample: Option<Counterexample>,
    /// What solved it; `none` where nothing was left to solve.
    pub solver: String,
}

impl<'a> Query<'a> {
    fn new() -> Self {
        Self { names: Names::default(), cases: Vec::new(), left_open: None }
    }

    /// That `new` allows nothing that `old` did not.
    pub fn no_more(old: &'a Subject<'a>, new: &'a Subject<'a>) -> Result<Self, Problem> {
        let mut query = Self::new();
        query.compare(new, old, Side::Second)?;
        Ok(query)
    }

    /// That two states allow the same.
    pub fn same(one: &'a Subject<'a>, other: &'a Subject<'a>) -> Result<Self, Problem> {
        let mut query = Self::no_more(one, other)?;
        query.compare(one, other, Side::First)?;
        Ok(query)
    }

    /// That none of these identities (none named: nobody) sees a field of this class. A field that
    /// the catalogue does not know has no class.
    pub fn never_sees(
        subject: &'a Subject<'a>,
        identities: &[IdentityId],
        class: DataClass,
    ) -> Result<Self, Problem> {
        let mut query = Self::new();
        let wanted = |id: &&IdentityId| identities.is_empty() || identities.contains(id);
        for identity in subject.identities().filter(wanted) {
            for (api, operation) in asked(subject.state.apis) {
                let Some(operation) = operation else { continue };
                if !policy::shows_class(None, &operation.fields, class) {
                    continue;
                }
                let sees = |mark: &str| shows(subject.state.grants, mark, operation, class);
                let state = State { subject, other: None, forbids: false };
                let formula = query.allowed(state, identity, (api, Some(operation)), &sees)?;
                query.add(Asked {
                    identity,
                    api,
                    operation: Some(operation),
                    formula,
                    side: Side::First,
                    allows: subject,
                    refuses: None,
                });
            }
        }
        query.distinct();
        Ok(query)
    }

    /// What `more` allows and `less` does not.
    fn compare(
        &mut self,
        more: &'a Subject<'a>,
        less: &'a Subject<'a>,
        side: Side,
    ) -> Result<(), Problem> {
        let any = |_: &str| true;
        for identity in more.identities() {
            for (api, operation) in asked(more.state.apis) {
                let state = State { subject: more, other: Some(less), forbids: false };
                let is = self.allowed(state, identity, (api, operation), &any)?;
                if is == Term::FALSE {
                    continue;
                }
                let there = less.api(api.id.as_str()).and_then(|other| {
                    let same = |one: &&Operation| Some(&one.id) == operation.map(|one| &one.id);
                    let found = other.operations.iter().find(same);
                    (found.is_some() == operation.is_some()).then_some((other, found))
                });
                let was = match there {
                    Some(asked) => {
                        let state = State { subject: less, other: Some(more), forbids: true };
                        self.allowed(state, identity, asked, &any)?
                    }
                    None => Term::FALSE,
                };
                let formula = if is == was { Term::FALSE } else { Term::and([is, Term::not(was)]) };
                let refuses = Some(less);
                self.add(Asked { identity, api, operation, formula, side, allows: more, refuses });
            }
        }
        self.distinct();
        Ok(())
    }

    fn add(&mut self, mut asked: Asked<'a>) {
        if asked.formula != Term::FALSE {
            let path = self.path(&asked);
            asked.formula = Term::and([asked.formula, path]);
            self.cases.push(asked);
        }
    }

    /// What holds of the path of every request to an operation: each parameter of its template is
    /// there or cannot be read, and of no other parameter anything can be said.
    fn path(&mut self, asked: &Asked<'_>) -> Term {
        let subjects = [Some(asked.allows), asked.refuses];
        let places = subjects.into_iter().flatten().flat_map(|subject| &subject.uses().places);
        let mut parts = Vec::new();
        for place in places {
            let Place::Path(name) = place else { continue };
            let text = self.names.text(&place.to_string());
            let unreadable = Term::member(text, Term::var("unreadable"));
            parts.push(if members::has_parameter(asked.operation, name) {
                let is_empty = Term::equal(self.names.place(place), Term::empty());
                Term::or([unreadable, Term::not(is_empty)])
            } else {
                Term::not(unreadable)
            });
        }
        Term::and(parts)
    }

    /// When a caller may do what is asked, by permits that count.
    fn allowed(
        &mut self,
        state: State<'_, 'a>,
        identity: &IdentityId,
        (api, operation): (&Api, Option<&Operation>),
        counts: &dyn Fn(&str) -> bool,
    ) -> Result<Term, Problem> {
        let subject = state.subject;
        let Some((identity, about)) = subject.identity(identity) else { return Ok(Term::FALSE) };
        let case = Case { subject, identity, about, api, operation };
        let mut permitted = Vec::new();
        for (mark, policy) in subject.policies_for(&identity.id, Effect::Permit) {
            if counts(mark) {
                let term = case.policy(policy, &mut self.names);
                permitted.push(term.map_err(|why| unproved(mark, &why))?);
            }
        }
        let permitted = Term::or(permitted);
        if permitted == Term::FALSE {
            return Ok(permitted);
        }
        let mut forbidden = Vec::new();
        for (mark, policy) in subject.policies_for(&identity.id, Effect::Forbid) {
            forbidden.push(match case.policy(policy, &mut self.names) {
                Ok(term) => term,
                Err(why) => {
                    self.left_open.get_or_insert_with(|| unproved(mark, &why));
                    self.strange(state, &case, mark)
                }
            });
        }
        Ok(Term::and([permitted, Term::not(Term::or(forbidden))]))
    }

    /// What a guardrail outside of the fragment counts as.
    fn strange(&mut self, state: State<'_, 'a>, case: &Case<'_>, mark: &str) -> Term {
        let action = case.action();
        let asked = [
            ("Identity", case.identity.id.as_str()),
            ("Action", action.as_str()),
            ("Api", case.api.id.as_str()),
        ];
        match state.other {
            Some(other) if state.subject.shares(other, asked, mark) => self.names.strange(mark),
            _ => Term::Bool(state.forbids),
        }
    }

    /// Callers for whom the same is asked are asked for once.
    fn distinct(&mut self) {
        let mut seen = BTreeSet::new();
        self.cases.retain(|asked| seen.insert(asked.formula.clone()));
    }

    /// Nothing is left that a solver could tell: it holds.
    pub fn is_settled(&self) -> bool {
        self.cases.is_empty()
    }

    /// How many different cases there are.
    pub fn cases(&self) -> usize {
        self.cases.len()
    }

    /// The script, in SMT-LIB 2 with cvc5's sets: one question and what to print of the answer.
    pub fn script(&mut self) -> String {
        let mut out = self.names.preamble();
        out.push_str("(assert (or false");
        for (number, asked) in self.cases.iter().enumerate() {
            let _ = write!(out, "\n  (and (= case {number}) {})", asked.formula);
        }
        out.push_str("))\n(check-sat)\n(get-value (");
        for (name, _) in self.names.unknowns() {
            let _ = write!(out, " {name}");
        }
        out.push_str("))\n");
        out
    }

    /// The proof of a settled question.
    pub fn settled(&self) -> Option<Proof> {
        self.is_settled().then(|| Proof {
            holds: true,
            counterexample: None,
            solver: "none".to_owned(),
        })
    }

    /// What the solver's output comes to. An answer that is neither, and a counterexample that
    /// Cedar does not decide as claimed, are problems and no proof.
    pub fn conclude(&self, output: &str, solver: &str) -> Result<Proof, Problem> {
        let proof =
            |holds, counterexample| Ok(Proof { holds, counterexample, solver: solver.to_owned() });
        match output.lines().next().map(str::trim) {
            Some("unsat") => proof(true, None),
            Some("sat") => {
                let model = model::Model::read(output, &self.names)?;
                let asked = usize::try_from(model.case()).ok().and_then(|at| self.cases.get(at));
                let asked = asked.ok_or_else(|| Problem::internal("the solver names no case"))?;
                let example = model.example(asked.identity, asked.api, asked.operation, asked.side);
                let left_open = self.left_open.as_ref();
                example.confirm(asked.allows, true, left_open)?;
                if let Some(refuses) = asked.refuses {
                    example.confirm(refuses, false, left_open)?;
                }
                proof(false, Some(example))
            }
            other => Err(Problem::internal(format!(
                "the solver did not decide: `{}`",
                other.unwrap_or_default()
            ))
            .hint("give it more time, or ask about fewer identities")),
        }
    }
}

/// A state that is asked, beside the one that it is compared with.
#[derive(Clone, Copy)]
struct State<'s, 'a> {
    subject: &'s Subject<'a>,
    other: Option<&'s Subject<'a>>,
    /// Whether a guardrail that is not understood counts as forbidding.
    forbids: bool,
}

/// Every operation of every API, and what is unknown of each.
fn asked(apis: &[Api]) -> impl Iterator<Item = (&Api, Option<&Operation>)> {
    apis.iter().flat_map(|api| {
        api.operations.iter().map(Some).chain([None]).map(move |operation| (api, operation))
    })
}

fn unproved(mark: &str, why: &Outside) -> Problem {
    let detail = format!("`{mark}` cannot be proved about: {}", why.0);
    Problem::invalid("not_provable", detail)
        .hint("proofs know comparisons, sets, times, networks and membership")
}

/// Whether a policy shows a field of the class in the responses of an operation.
fn shows(grants: &[Grant], mark: &str, operation: &Operation, class: DataClass) -> bool {
    let id = mark.strip_prefix("grant:");
    let grant = id.and_then(|id| grants.iter().find(|grant| grant.id.as_str() == id));
    // What only observe mode lets pass is shown whole.
    let Some(entries) = grant.and_then(|grant| grant.fields.as_ref()) else { return true };
    policy::shows_class(Some(entries), &operation.fields, class)
}

/// What a counterexample asks for.
type Target = (IdentityId, ApiId, Option<OperationId>);
/// Values by name.
type Values = BTreeMap<String, BTreeSet<String>>;
