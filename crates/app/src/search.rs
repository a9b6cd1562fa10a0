//! One search box over everything that has a name.

use base::Problem;
use store::IdentityFilter;

use crate::authority::Authority;
use crate::view::SearchHit;
use crate::{Actor, App};

/// Hits per kind.
const HITS_MAX: u32 = 20;
const TEXT_CHARS_MAX: usize = 128;

impl App {
    /// What the actor sees and whose id or name contains the text; grants and credentials by their
    /// whole id.
    pub async fn search(&self, actor: &Actor, text: &str) -> Result<Vec<SearchHit>, Problem> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > TEXT_CHARS_MAX {
            return Ok(Vec::new());
        }
        let mut state = self.read().await?;
        let authority = Authority::of(&mut state, actor).await?;
        let mut hits = self.search_apis(&authority, text);
        let filter = IdentityFilter {
            text: Some(text.to_owned()),
            visible_to: authority.narrowed_to(),
            ..IdentityFilter::default()
        };
        for identity in state.identities(&filter, "", HITS_MAX).await? {
            hits.push(hit("identity", identity.id.as_str(), &identity.name));
        }
        drop(state);
        let lower = text.to_lowercase();
        let groups = self.groups(actor).await?.into_iter();
        let named = groups.filter(|g| contains(&g.id, &lower) || contains(&g.name, &lower));
        hits.extend(named.take(HITS_MAX as usize).map(|g| hit("group", &g.id, &g.name)));
        if let Ok(grant) = self.grant(actor, text).await {
            let name = format!("{} on {}", grant.subject_name, grant.api_name);
            hits.push(hit("grant", &grant.id, &name));
        }
        Ok(hits)
    }

    fn search_apis(&self, authority: &Authority<'_>, text: &str) -> Vec<SearchHit> {
        let lower = text.to_lowercase();
        let ruleset = self.ruleset().load();
        let found = ruleset
            .apis()
            .filter(|api| contains(api.id.as_str(), &lower) || contains(&api.name, &lower))
            .filter(|api| authority.sees_api(api));
        let mut hits: Vec<_> = found.map(|api| hit("api", api.id.as_str(), &api.name)).collect();
        hits.sort_by(|a, b| a.id.cmp(&b.id));
        hits.truncate(HITS_MAX as usize);
        hits
    }
}

fn contains(text: &str, lower: &str) -> bool {
    text.to_lowercase().contains(lower)
}

fn hit(kind: &str, id: &str, name: &str) -> SearchHit {
    SearchHit { kind: kind.to_owned(), id: id.to_owned(), name: name.to_owned() }
}
