//! Limits of APIs and costs of their operations: read, checked, changed.

use std::collections::BTreeMap;

use base::{OperationId, Problem};
use catalog::{Api, Operation};
use identity::Origin;
use traffic::Limit;
use traffic::limit::COST_MAX;

use crate::authority::Authority;
use crate::view::{ChangeReceipt, NewApi, SetLimits};
use crate::{Actor, App, input};

impl App {
    /// Replaces the limits of an API and what its operations cost. What was used so far stays used.
    pub async fn set_api_limits(
        &self,
        actor: &Actor,
        id_or_name: &str,
        wanted: SetLimits,
    ) -> Result<ChangeReceipt, Problem> {
        let (limits, costs) = (limits(&wanted.limits)?, costs(&wanted.costs)?);
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        let before = self.seen_api(&mut tx, &authority, "api", id_or_name).await?;
        let hint = "ask the API's owner or an administrator";
        authority.must(authority.owns_api(&before), "change the limits of this API", hint)?;
        if before.origin == Origin::File.as_str() {
            let detail = format!("API `{}` is maintained by the configuration file", before.name);
            let hint = "write its limits there, and reload";
            return Err(Problem::conflict("other_origin", detail).hint(hint));
        }
        let after = Api { limits, costs, ..before.clone() };
        after.check_limits()?;
        if after != before {
            tx.save_api(audit::Event::ApiChanged, Some(&before), &after).await?;
        }
        self.settle(tx).await
    }
}

/// Limits as they are written.
pub(super) fn limits(texts: &[String]) -> Result<Vec<Limit>, Problem> {
    texts.iter().map(|text| text.parse().map_err(|problem: Problem| problem.at("limits"))).collect()
}

/// Costs as they are written.
pub(super) fn costs(costs: &BTreeMap<String, u32>) -> Result<BTreeMap<OperationId, u32>, Problem> {
    let cost = |(operation, cost): (&String, &u32)| {
        if *cost > COST_MAX {
            let detail = format!("`{operation}` costs {cost}; at most {COST_MAX} can be counted");
            return Err(Problem::invalid("bad_cost", detail).at("costs"));
        }
        Ok((input::id("costs", operation)?, *cost))
    };
    costs.iter().map(cost).collect()
}

/// Refuses limits and costs of a new API that could not be held, once its operations are known.
pub fn check_limits(new: &NewApi, operations: &[Operation]) -> Result<(), Problem> {
    catalog::check_limits(&limits(&new.limits)?, &costs(&new.costs)?, operations)
}
