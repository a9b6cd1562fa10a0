//! Sources of relations: from the configuration to the gate, and as the use cases ask them. The two
//! crates do not know each other; this is where they meet.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;

use app::{App, Looked, RelationSources};
use base::{ApiId, IdentityId, Problem};
use policy::Lookup;
use proxy::Lookups;
use proxy::lookup::{Asker, SourceConfig, Sources};

use crate::config::RelationSetting;

/// The sources that the gate of this process asks.
pub(crate) struct GateSources(pub(crate) Arc<Lookups>);

impl RelationSources for GateSources {
    fn ask<'a>(
        &'a self,
        identity: &'a IdentityId,
        api: &'a ApiId,
        lookups: &'a [Lookup],
    ) -> Pin<Box<dyn Future<Output = Vec<Looked>> + Send + 'a>> {
        Box::pin(async move {
            let asker = Asker { identity: identity.clone(), api: api.clone() };
            let looked = self.0.ask(&asker, lookups).await;
            let each = |one: proxy::lookup::Looked| {
                let proxy::lookup::Looked { lookup, source, answer, asked_at } = one;
                Looked { lookup, source, answer, asked_at }
            };
            looked.into_iter().map(each).collect()
        })
    }
}

/// Reads the tokens of sources.
pub(crate) fn read(settings: &[RelationSetting]) -> Result<Vec<SourceConfig>, Problem> {
    let source = |setting: &RelationSetting| {
        let token = setting.token.as_ref().map(|token| token.read()).transpose();
        Ok(SourceConfig {
            name: setting.name.clone(),
            relations: setting.relations.clone(),
            url: setting.url.clone(),
            token: token?,
            timeout: setting.timeout.to_std(),
            cache_for: setting.cache_for,
            cache_entries: setting.cache_entries,
        })
    };
    settings.iter().map(source).collect()
}

/// Sources that can be installed.
pub(crate) struct Prepared {
    relations: BTreeSet<String>,
    sources: Sources,
}

/// Makes sure that sources can be installed, and changes nothing yet.
pub(crate) async fn prepare(
    app: &App,
    lookups: &Lookups,
    configs: Vec<SourceConfig>,
) -> Result<Prepared, Problem> {
    let relations = configs.iter().flat_map(|source| source.relations.iter().cloned()).collect();
    app.may_look_up(&relations).await?;
    Ok(Prepared { relations, sources: lookups.prepare(configs)? })
}

/// Asks these sources and no others. The ruleset is told first: in between, what has no source yet is
/// not known, and refused.
pub(crate) async fn install(
    app: &App,
    lookups: &Lookups,
    prepared: Prepared,
) -> Result<(), Problem> {
    app.look_up(prepared.relations).await?;
    lookups.install(prepared.sources);
    Ok(())
}
