//! Starting a review: population, reviewers and consequences are settled and sealed before anybody
//! is asked.

use std::sync::Arc;

use audit::Event;
use base::{CampaignId, Problem};
use identity::IdentityKind;
use review::{Campaign, Definition, Inventory, LaunchFailure, Population, Rules, plan};
use serde_json::json;

use super::{must_administer, ordered, refused};
use crate::view::{ReviewDefinition, ReviewView};
use crate::{Actor, App, input};

/// How many reasons a refusal spells out.
const REASONS_SHOWN: usize = 5;

impl App {
    /// Starts a review. When grants have no independent reviewer, or there is nothing to review,
    /// the failed launch is put on record and told, and nobody is asked.
    pub async fn start_review(
        &self,
        actor: &Actor,
        written: ReviewDefinition,
    ) -> Result<ReviewView, Problem> {
        must_administer(actor, "start a review")?;
        let definition = ordered::definition(&written)?;
        let inventory = Arc::new(self.inventory().await?);
        known(&definition, &inventory)?;
        let id = self.campaign_id(&mut *self.read().await?, &definition.name).await?;
        match self.populate(&id, &definition, inventory).await? {
            Ok(population) => self.launch(actor, id, definition, population).await,
            Err(failure) => Err(self.put_failure_on_record(actor, definition, failure).await?),
        }
    }

    /// The sealed population. Planning and replaying are long, so they are off the async threads.
    async fn populate(
        &self,
        id: &CampaignId,
        definition: &Definition,
        inventory: Arc<Inventory>,
    ) -> Result<Result<Population, LaunchFailure>, Problem> {
        let (id, definition) = (id.clone(), definition.clone());
        let (calls, ruleset) = (self.recorded_calls(), self.ruleset().load_full());
        let populate = move || -> Result<Result<Population, LaunchFailure>, Problem> {
            let rules = Rules::default();
            let findings = review::detect(&inventory, &rules).findings;
            let draft = match plan::plan(&id, &definition, &inventory, &findings, &rules) {
                Ok(draft) => draft,
                Err(failure) => return Ok(Err(failure)),
            };
            let mut replay = draft.replay(ruleset);
            let window = inventory.window();
            calls.each(window.from, window.until, &mut |record| replay.add(record))?;
            let consequences = replay.finish();
            let sealed = draft.seal(consequences);
            Ok(Ok(sealed.map_err(|error| Problem::internal(error.to_string()))?))
        };
        let done = tokio::task::spawn_blocking(populate).await;
        done.map_err(|error| Problem::internal(error.to_string()))?
    }

    async fn launch(
        &self,
        actor: &Actor,
        id: CampaignId,
        definition: Definition,
        population: Population,
    ) -> Result<ReviewView, Problem> {
        let mut tx = self.begin(actor).await?;
        let now = tx.at();
        let staged = Campaign::staged(id.clone(), definition, population.seal.clone(), now);
        let campaign = staged.launch(now).map_err(|refusal| refused(&refusal))?;
        let seal = &population.seal;
        let detail = json!({
            "population_digest": seal.digest,
            "items": seal.items,
            "ruleset_version": seal.ruleset_version,
            "inventory_digest": seal.inventory,
            "definition": campaign.definition,
        });
        tx.add_campaign(Event::ReviewStarted, &campaign, &population.items, detail).await?;
        self.commit(tx).await?;
        // Grants may have changed since the snapshot; their items must not wait for the next job.
        self.supersede_outdated().await?;
        Ok(self.review_status(actor, id.as_str()).await?.review)
    }

    async fn put_failure_on_record(
        &self,
        actor: &Actor,
        definition: Definition,
        failure: LaunchFailure,
    ) -> Result<Problem, Problem> {
        let reasons = failure.reasons();
        let id = self.draw(CampaignId::generate);
        let mut tx = self.begin(actor).await?;
        let campaign = Campaign::launch_failed(id, definition, reasons.clone(), tx.at());
        let detail = json!({ "definition": campaign.definition, "reasons": reasons });
        tx.add_campaign(Event::ReviewLaunchFailed, &campaign, &[], detail).await?;
        self.commit(tx).await?;
        let mut shown: Vec<_> = reasons.iter().take(REASONS_SHOWN).cloned().collect();
        if let Some(more) = reasons.len().checked_sub(REASONS_SHOWN).filter(|more| *more > 0) {
            shown.push(format!("and {more} more"));
        }
        let hint = match failure {
            LaunchFailure::EmptyScope => "widen the scope",
            LaunchFailure::Unassigned(_) => {
                "name owners, or a fallback who holds none of the access"
            }
        };
        Ok(Problem::conflict("launch_failed", shown.join("; ")).hint(hint))
    }
}

/// A fallback or an API that does not exist is a slip of the pen, not an empty review.
fn known(definition: &Definition, inventory: &Inventory) -> Result<(), Problem> {
    let fallback = &definition.fallback;
    let exists = match fallback {
        identity::Owner::Person(id) => inventory.identity(id).is_some(),
        identity::Owner::Group(id) => inventory.group(id).is_some(),
    };
    if !exists {
        let detail = format!("there is no `{fallback}`");
        let problem = Problem::invalid("unknown_fallback", detail).at("fallback");
        let people = inventory.identities().iter().filter(|one| one.kind == IdentityKind::Person);
        let people = people.map(|person| person.id.to_string());
        let groups = inventory.groups().iter().map(|group| format!("group:{}", group.id));
        let known: Vec<String> = people.chain(groups).collect();
        let known = known.iter().map(String::as_str);
        return Err(input::with_nearest(problem, &fallback.to_string(), known));
    }
    let unknown = definition.scope.apis.iter().find(|api| inventory.api(api).is_none());
    match unknown {
        Some(api) => {
            let detail = format!("there is no API `{api}`");
            let problem = Problem::invalid("unknown_api", detail).at("of.apis");
            let known = inventory.apis().iter().map(|api| api.id.as_str());
            Err(input::with_nearest(problem, api.as_str(), known))
        }
        None => Ok(()),
    }
}
