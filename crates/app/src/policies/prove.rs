//! Proofs about policy: of all requests, not of recorded or written ones.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{IdentityId, Problem};
use catalog::DataClass;
use guardrail::prove::{Counterexample, Proof, Query, Side, Subject};

use super::solver;
use super::whole::{Lists, Whole};
use crate::authority::Authority;
use crate::input;
use crate::view::{CounterexampleView, ExportView, ProofView, ProveRequest};
use crate::{Actor, App};

/// How long the solver may take unless asked otherwise.
const SECONDS: u32 = 60;
/// How long it may take at most.
const SECONDS_MAX: u32 = 600;
/// How often the state is read again because it changed meanwhile.
const READS_MAX: usize = 5;

/// What is asked.
#[derive(Debug, Clone)]
enum Question {
    NoMore,
    Same,
    NeverSees(DataClass, Vec<IdentityId>),
}

impl App {
    /// Answers a question about all requests, by the export of what decides and a solver. Nothing
    /// changes.
    pub async fn prove_policy(
        &self,
        actor: &Actor,
        asked: ProveRequest,
    ) -> Result<ProofView, Problem> {
        let authority = Authority::of(&mut *self.read().await?, actor).await?;
        authority.must_read_all("prove something about policy")?;
        let question = question(&asked)?;
        let seconds = asked.seconds.unwrap_or(SECONDS);
        if seconds == 0 || seconds > SECONDS_MAX {
            let detail = format!("`seconds` is from 1 to {SECONDS_MAX}");
            return Err(Problem::invalid("out_of_range", detail).at("seconds"));
        }
        let names = names(&question, asked.change.is_some());
        let (old, new) = self.states(actor, &asked).await?;
        let looked_up = self.ruleset().load().looked_up().clone();
        let (old, new) = (old.looking_up(&looked_up), new.looking_up(&looked_up));
        provable(&old, &looked_up)?;
        provable(&new, &looked_up)?;
        if let Question::NeverSees(_, identities) = &question {
            known(&new, identities)?;
        }
        // One at a time: a solver takes a processor and what memory it needs. Held until it is
        // done, also when nobody waits for the answer any more.
        let turn = Arc::clone(&self.proving).lock_owned().await;
        let work = move || {
            let _turn = turn;
            answer(&question, &old, &new, seconds).map(|(proof, cases)| view(proof, cases, names))
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| Problem::internal(error.to_string()))?
    }

    /// What decides, written down as Cedar policies, schema and entities.
    pub async fn export_policy(&self, actor: &Actor) -> Result<ExportView, Problem> {
        let authority = Authority::of(&mut *self.read().await?, actor).await?;
        authority.must_read_all("export the policy")?;
        let ruleset = self.ruleset().load_full();
        let state = Whole::read(&self.store).await?.0.into_lists();
        let state = state.looking_up(ruleset.looked_up());
        let work = move || {
            let apis: Vec<_> = ruleset.apis().map(|api| catalog::Api::clone(api)).collect();
            guardrail::export(&state.state()).map(|export| (export, guardrail::schema(&apis)))
        };
        let done = tokio::task::spawn_blocking(work).await;
        let (export, vocabulary) = done.map_err(|error| Problem::internal(error.to_string()))??;
        Ok(ExportView {
            policies: export.policies,
            schema: export.schema,
            entities: export.entities,
            vocabulary,
        })
    }

    /// What holds, and what would hold after the change.
    async fn states(&self, actor: &Actor, asked: &ProveRequest) -> Result<(Lists, Lists), Problem> {
        let Some(change) = &asked.change else {
            let now = Whole::read(&self.store).await?.0;
            return Ok((now.clone().into_lists(), now.into_lists()));
        };
        for _ in 0..READS_MAX {
            // Never committed: dropped, the transaction leaves nothing. It is dropped before the
            // state is read, as each of both takes a connection.
            let mut tx = self.begin(actor).await?;
            self.apply(&mut tx, actor, change, &[]).await?;
            self.after(&mut tx).await?;
            let changed: Vec<_> =
                tx.changes().iter().filter_map(|change| change.object.clone()).collect();
            let base = tx.base();
            drop(tx);
            let (old, version) = Whole::read(&self.store).await?;
            // Of another state, what the change makes of it would be another thing.
            if version == base {
                let mut new = old.clone();
                changed.into_iter().for_each(|object| new.put(object));
                return Ok((old.into_lists(), new.into_lists()));
            }
        }
        Err(Problem::conflict("changing", "the policy changed each time that it was read")
            .hint("ask again when less is being changed"))
    }
}

fn question(asked: &ProveRequest) -> Result<Question, Problem> {
    let compared = |question| match asked.change {
        Some(_) => Ok(question),
        None => {
            let detail = "a change is compared with what holds now, and there is none";
            Err(Problem::invalid("missing_change", detail).at("change"))
        }
    };
    match asked.question.as_str() {
        "no_more" => compared(Question::NoMore),
        "same" => compared(Question::Same),
        "never_sees" => {
            let class = asked.class.as_deref().ok_or_else(|| {
                let detail = "`never_sees` asks about a data class";
                Problem::invalid("missing_class", detail).at("class")
            })?;
            let class: DataClass = input::word("class", class)?;
            let identity = |id: &String| input::id("identities", id);
            let identities = asked.identities.iter().map(identity).collect::<Result<_, _>>()?;
            Ok(Question::NeverSees(class, identities))
        }
        other => Err(Problem::invalid("bad_question", format!("`{other}` is not a question"))
            .at("question")
            .hint("ask no_more, same or never_sees")),
    }
}

/// What a source will say is known to nobody, so nothing is proved about grants that hang on it.
fn provable(state: &Lists, looked_up: &BTreeSet<String>) -> Result<(), Problem> {
    let Some((grant, relation)) = state.hanging_on(looked_up) else { return Ok(()) };
    let detail = format!(
        "grant `{}` hangs on `related.{relation}`, which is looked up: what its source will say \
         cannot be proved",
        grant.id
    );
    Err(Problem::conflict("relation_looked_up", detail)
        .hint("ask `policy replay`, or take the tie out of the grants that the proof is about"))
}

/// Somebody who does not exist would be proved to see nothing.
fn known(state: &Lists, identities: &[IdentityId]) -> Result<(), Problem> {
    match identities.iter().find(|id| !state.has_identity(id.as_str())) {
        None => Ok(()),
        Some(id) => Err(Problem::not_found("identity", id.as_str()).at("identities")),
    }
}

fn answer(
    question: &Question,
    old: &Lists,
    new: &Lists,
    seconds: u32,
) -> Result<(Proof, u64), Problem> {
    let (old, new) = (Subject::new(old.state())?, Subject::new(new.state())?);
    let mut query = match question {
        Question::NoMore => Query::no_more(&old, &new)?,
        Question::Same => Query::same(&old, &new)?,
        Question::NeverSees(class, identities) => Query::never_sees(&new, identities, *class)?,
    };
    let cases = u64::try_from(query.cases()).unwrap_or(u64::MAX);
    let proof = match query.settled() {
        Some(proof) => proof,
        None => {
            let output = solver::solve(&query.script(), seconds)?;
            query.conclude(&output, solver::NAME)?
        }
    };
    Ok((proof, cases))
}

/// What the first and the second state of a question are called. Whoever asks about one state alone
/// asks about what the change makes of it, if there is one.
fn names(question: &Question, is_changed: bool) -> [&'static str; 2] {
    match question {
        Question::NeverSees(..) if is_changed => ["changed"; 2],
        Question::NeverSees(..) => ["present"; 2],
        Question::NoMore | Question::Same => ["present", "changed"],
    }
}

fn view(proof: Proof, cases: u64, names: [&'static str; 2]) -> ProofView {
    let counterexample = proof.counterexample.map(|example| counterexample(&example, names));
    ProofView { holds: proof.holds, cases, solver: proof.solver, counterexample }
}

fn counterexample(example: &Counterexample, names: [&'static str; 2]) -> CounterexampleView {
    let [first, second] = names;
    let allowed_by = match example.allowed_by {
        Side::First => first,
        Side::Second => second,
    };
    let values = example.values.iter().map(|(place, values)| (place.to_string(), values.clone()));
    CounterexampleView {
        text: example.to_string(),
        allowed_by: allowed_by.to_owned(),
        identity: example.identity.to_string(),
        api: example.api.to_string(),
        operation: example.operation.as_ref().map(ToString::to_string),
        at: example.now.to_string(),
        source: example.source.map(|source| source.to_string()),
        credential: example.credential_class.clone(),
        values: values.collect(),
        claims: example.claims.clone(),
    }
}
