//! One state, ready to be asked about.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base::{IdentityId, Problem};
use catalog::Api;
use cedar_policy::pst::{Effect, EntityOrSlot, Policy, PrincipalConstraint, Template};
use identity::{Identity, IdentityStatus};
use policy::About;

use crate::export::{Related, State, export, group_hierarchy, memberships};
use crate::meaning::Meaning;
use crate::moment;
use crate::names::Types;
use crate::rails::MARK;
use crate::uses::Uses;

/// A state with its exported policies by whom they are for.
#[derive(Debug)]
pub struct Subject<'a> {
    pub(super) state: State<'a>,
    pub(super) meaning: Meaning,
    types: Types,
    /// Policies with their marks.
    policies: Vec<(String, Template)>,
    /// Numbers of policies by the entity that their principal is or is in.
    by_principal: HashMap<String, Vec<usize>>,
    /// For everybody.
    everybody: Vec<usize>,
    identities: BTreeMap<&'a IdentityId, (&'a Identity, About)>,
    related: BTreeMap<IdentityId, BTreeMap<String, BTreeSet<String>>>,
}

impl<'a> Subject<'a> {
    /// Exports a state and reads it back.
    pub fn new(state: State<'a>) -> Result<Self, Problem> {
        let meaning = Meaning::read(&export(&state)?)?;
        let types = Types::new().ok_or_else(|| Problem::internal("types do not parse"))?;
        let policies = trees(&meaning)?;
        let (mut by_principal, mut everybody) = (HashMap::<String, Vec<usize>>::new(), Vec::new());
        for (number, (_, policy)) in policies.iter().enumerate() {
            match &policy.principal {
                PrincipalConstraint::Eq(EntityOrSlot::Entity(uid))
                | PrincipalConstraint::In(EntityOrSlot::Entity(uid))
                | PrincipalConstraint::IsIn(_, EntityOrSlot::Entity(uid)) => {
                    by_principal.entry(key(&uid.ty.to_string(), &uid.eid)).or_default().push(number)
                }
                _ => everybody.push(number),
            }
        }
        let about = |identity: &Identity| About {
            kind: identity.kind,
            environment: identity.environment,
            owner: identity.owner.clone(),
            vendor: identity.vendor.clone(),
            email: identity.email.clone(),
            attributes: identity.attributes.clone(),
        };
        let identities = state.identities.iter().map(|one| (&one.id, (one, about(one)))).collect();
        let related = related(&state);
        Ok(Self { state, meaning, types, policies, by_principal, everybody, identities, related })
    }

    pub(super) fn types(&self) -> &Types {
        &self.types
    }

    pub(super) fn uses(&self) -> &Uses {
        self.meaning.uses()
    }

    pub(super) fn identity(&self, id: &IdentityId) -> Option<(&'a Identity, &About)> {
        self.identities.get(id).map(|(identity, about)| (*identity, about))
    }

    pub(super) fn identities(&self) -> impl Iterator<Item = &'a IdentityId> {
        self.identities.keys().copied()
    }

    pub(super) fn api(&self, id: &str) -> Option<&'a Api> {
        self.state.apis.iter().find(|api| api.id.as_str() == id)
    }

    /// The objects that an identity has a relation to, sorted.
    pub(super) fn objects(&self, id: &IdentityId, relation: &str) -> Vec<String> {
        let objects = self.related.get(id).and_then(|related| related.get(relation));
        objects.into_iter().flatten().cloned().collect()
    }

    /// The status that is exported: who left before time can be written is disabled.
    pub(super) fn status(&self, identity: &Identity) -> &'static str {
        let left = identity.left_at.map(|left| moment::split(left).0);
        match left {
            Some(millis) if millis < 0 && moment::text(millis).is_none() => {
                IdentityStatus::Disabled.as_str()
            }
            _ => identity.status.as_str(),
        }
    }

    /// Whether an entity is another or in it.
    pub(super) fn is_within(&self, kind: &str, id: &str, of: &str, group: &str) -> bool {
        if kind == of && id == group {
            return true;
        }
        let (Some(one), Some(other)) = (self.uid(kind, id), self.uid(of, group)) else {
            return false;
        };
        self.meaning.entities.is_ancestor_of(&other, &one)
    }

    /// Whether this policy is one of another state too, and all that it can look at beside the request
    /// is the same there: then it holds in both of them or in none.
    pub(super) fn shares(&self, other: &Self, asked: [(&str, &str); 3], mark: &str) -> bool {
        let of = |subject: &Self| subject.policies.iter().find(|(known, _)| known == mark).cloned();
        let same = |(kind, id): (&str, &str)| {
            let entity = |of: &'_ Self| {
                let uid = of.uid(kind, id)?;
                of.meaning.entities.get(&uid).cloned()
            };
            match (entity(self), entity(other)) {
                (Some(one), Some(two)) => one.deep_eq(&two),
                _ => false,
            }
        };
        of(self) == of(other) && asked.into_iter().all(same)
    }

    fn uid(&self, kind: &str, id: &str) -> Option<cedar_policy::EntityUid> {
        match kind {
            "Identity" => Some(self.types.identity(id)),
            "Group" => Some(self.types.group(id)),
            "Api" => Some(self.types.api(id)),
            "Action" => Some(self.types.action(id)),
            _ => None,
        }
    }

    /// The policies whose principal an identity is, with their marks.
    pub(super) fn policies_for(
        &self,
        id: &IdentityId,
        effect: Effect,
    ) -> impl Iterator<Item = &(String, Template)> {
        let uid = self.types.identity(id.as_str());
        let above = self.meaning.entities.ancestors(&uid).into_iter().flatten();
        let keys = above.map(|group| key("Group", group.id().unescaped()));
        let own = key("Identity", id.as_str());
        let numbers: BTreeSet<usize> = keys
            .chain([own])
            .filter_map(|key| self.by_principal.get(&key))
            .flatten()
            .chain(&self.everybody)
            .copied()
            .collect();
        let found = numbers.into_iter().filter_map(|number| self.policies.get(number));
        found.filter(move |(_, policy)| policy.effect == effect)
    }
}

fn key(kind: &str, id: &str) -> String {
    format!("{kind}::{id}")
}

fn trees(meaning: &Meaning) -> Result<Vec<(String, Template)>, Problem> {
    let mut policies = Vec::new();
    for policy in meaning.policies.policies() {
        let tree = policy.to_pst().map_err(|e| Problem::internal(e.to_string()))?;
        let Policy::Static(tree) = tree else { continue };
        let mark = policy.annotation(MARK).unwrap_or_default().to_owned();
        policies.push((mark, tree.body().clone()));
    }
    policies.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(policies)
}

fn related(state: &State<'_>) -> BTreeMap<IdentityId, BTreeMap<String, BTreeSet<String>>> {
    let groups = group_hierarchy(state);
    let related = Related::of(state, &groups);
    let direct = memberships(state, &groups);
    let none = BTreeSet::new();
    let of = |identity: &Identity| {
        let direct = direct.get(identity.id.as_str()).unwrap_or(&none);
        (identity.id.clone(), related.objects(identity, direct))
    };
    state.identities.iter().map(of).collect()
}
