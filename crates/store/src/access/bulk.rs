//! Many new objects at once, for imports and for the demo's world.

use catalog::Api;
use grant::Grant;
use identity::{Credential, Group, Identity};
use serde::Serialize;

use super::{credential, grant as grants, group, identity as identities};
use crate::{NewChange, StoreError, Tx};

/// New objects. None of their ids may exist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct World {
    /// APIs.
    pub apis: Vec<Api>,
    /// Identities.
    pub identities: Vec<Identity>,
    /// Groups; members are identities of the world or of the store.
    pub groups: Vec<Group>,
    /// Credentials.
    pub credentials: Vec<Credential>,
    /// Grants.
    pub grants: Vec<Grant>,
}

impl Tx {
    /// Writes all of it, one change per object, with few statements. For millions of grants, use
    /// several transactions: a transaction holds what it changed in memory until it is published.
    pub async fn add_world(&mut self, world: &World) -> Result<(), StoreError> {
        for api in &world.apis {
            self.save_api(audit::Event::ApiAdded, None, api).await?;
        }
        let rows: Result<Vec<_>, StoreError> =
            world.identities.iter().map(identities::values).collect();
        self.insert_rows(identities::INTO, rows?).await?;
        self.insert_rows(group::INTO, world.groups.iter().map(group::values).collect()).await?;
        let members = world.groups.iter().flat_map(group::member_values).collect();
        self.insert_rows(group::INTO_MEMBERS, members).await?;
        let within = world.groups.iter().map(group::self_values).collect();
        self.insert_rows(group::INTO_WITHIN, within).await?;
        let nested: Vec<_> =
            world.groups.iter().filter(|group| !group.groups.is_empty()).cloned().collect();
        if !nested.is_empty() {
            self.nest(&nested).await?;
        }
        let rows = world.credentials.iter().map(credential::values).collect();
        self.insert_rows(credential::INTO, rows).await?;
        let rows: Result<Vec<_>, StoreError> = world.grants.iter().map(grants::values).collect();
        self.insert_rows(grants::INTO, rows?).await?;
        self.record_all(changes(world)?).await
    }
}

fn changes(world: &World) -> Result<Vec<NewChange>, StoreError> {
    use audit::Event;
    fn new<T: Serialize>(
        event: Event,
        kind: &'static str,
        id: &dyn ToString,
        value: &T,
    ) -> Result<NewChange, StoreError> {
        NewChange::new(event, kind, id.to_string(), None, Some(value))
    }
    let identities =
        world.identities.iter().map(|i| new(Event::IdentityAdded, "identity", &i.id, i));
    let groups = world.groups.iter().map(|g| new(Event::GroupChanged, "group", &g.id, g));
    let credentials =
        world.credentials.iter().map(|c| new(Event::CredentialIssued, "credential", &c.id, c));
    let grants = world.grants.iter().map(|g| new(Event::GrantGiven, "grant", &g.id, g));
    identities.chain(groups).chain(credentials).chain(grants).collect()
}
