//! People, machines, credentials, grants and exceptions from their CSV files, as the product's own
//! values. People become identities; teams become groups.

use std::net::{IpAddr, Ipv4Addr};

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use traffic::{CallRecord, Outcome};

use base::{ApiId, CredentialId, Digest, GrantId, GroupId, IdentityId, OperationId, Timestamp};
use catalog::Api;
use grant::{Grant, GrantReason, GrantStatus, GrantSubject, OperationSet, Terms};
use identity::{
    Credential, CredentialClass, CredentialStatus, Environment, Group, Identity, IdentityKind,
    IdentityStatus, Origin, Owner, Seasonality,
};
use review::{Exception, FindingSubject, UsageFacts};
use serde_json::Value;
use traffic::{Usage, UsageKey};

use super::routes::Routes;
use super::traffic_log::Request;
use super::{Failure, csv, json};

/// One line of a table.
#[derive(Debug)]
pub(super) struct Row(pub(super) BTreeMap<String, String>);

impl Row {
    fn text(&self, column: &str) -> Result<&str, Failure> {
        let cell = self.0.get(column).map(String::as_str);
        Ok(cell.ok_or_else(|| format!("no column `{column}`"))?)
    }

    fn some(&self, column: &str) -> Result<Option<&str>, Failure> {
        Ok(Some(self.text(column)?).filter(|text| !text.is_empty()))
    }

    fn time(&self, column: &str) -> Result<Option<Timestamp>, Failure> {
        Ok(self.some(column)?.map(Timestamp::parse).transpose()?)
    }

    fn created(&self, column: &str) -> Result<Timestamp, Failure> {
        Ok(self.time(column)?.ok_or_else(|| format!("`{column}` is empty"))?)
    }
}

/// A text member of a JSON object.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, Failure> {
    Ok(value[name].as_str().ok_or_else(|| format!("no text `{name}`"))?)
}

#[derive(Debug)]
pub(super) struct Tables {
    pub(super) identities: Vec<Identity>,
    pub(super) groups: Vec<Group>,
    pub(super) credentials: Vec<Credential>,
    pub(super) apis: Vec<Api>,
    pub(super) grants: Vec<Grant>,
    pub(super) exceptions: Vec<Exception>,
    holders: BTreeMap<CredentialId, IdentityId>,
    reach: BTreeMap<IdentityId, Vec<GrantSubject>>,
    by_target: BTreeMap<(GrantSubject, ApiId), Vec<usize>>,
}

/// An allowed request of a known credential.
#[derive(Debug)]
pub(super) struct Call {
    at: Timestamp,
    succeeded: bool,
    credential: CredentialId,
    identity: IdentityId,
    pub(super) operation: Option<(ApiId, OperationId)>,
    grants: Vec<GrantId>,
}

impl Call {
    /// The record that the gate would leave; `None` of a person's call, or to no operation.
    pub(super) fn record(&self, request: &Request) -> Option<CallRecord> {
        let (api, operation) = self.operation.clone()?;
        Some(CallRecord {
            request_id: request.request_id.parse().ok()?,
            at: self.at,
            duration_us: 0,
            identity_id: Some(self.identity.clone()),
            credential_id: Some(self.credential.clone()),
            api_id: Some(api),
            operation: Some(operation),
            method: request.method.clone(),
            path: request.path.split('?').next().unwrap_or_default().to_owned(),
            source_ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            user_agent: None,
            outcome: Outcome::Allowed,
            reason: None,
            would_refuse: None,
            status: request.status,
            grant_ids: self.grants.clone(),
            fields_removed: Vec::new(),
            violations: Vec::new(),
            fields_seen: None,
            guardrails: Vec::new(),
            bytes_in: 0,
            bytes_out: 0,
            ruleset_version: 0,
            binding: None,
            rollout: None,
        })
    }

    /// Counts it the way the gate's records are folded.
    pub(super) fn add_to(&self, usage: &mut UsageFacts) {
        let (api, operation) = match (&self.operation, ApiId::parse("undocumented")) {
            (Some((api, operation)), _) => (api.clone(), Some(operation.clone())),
            (None, Ok(api)) => (api, None),
            (None, Err(_)) => return,
        };
        let seen = Usage {
            calls: 1,
            succeeded: u64::from(self.succeeded),
            first_at: self.at,
            last_at: self.at,
        };
        let key = |grant_id| UsageKey {
            grant_id,
            identity_id: self.identity.clone(),
            credential_id: self.credential.clone(),
            api_id: api.clone(),
            operation: operation.clone(),
            day: self.at.day(),
        };
        if self.grants.is_empty() {
            usage.add(&key(None), &seen);
        }
        for grant in &self.grants {
            usage.add(&key(Some(grant.clone())), &seen);
        }
    }
}

impl Tables {
    /// The call that an allowed request is; refused ones and those of unknown credentials are none.
    pub(super) fn allowed_call(&self, request: &Request, routes: &Routes) -> Option<Call> {
        if matches!(request.status, 401 | 403 | 429) {
            return None;
        }
        let credential = CredentialId::parse(request.credential_id.as_deref()?).ok()?;
        let identity = self.holders.get(&credential)?.clone();
        let operation = routes.locate(&request.method, &request.path).cloned();
        let mut call = Call {
            at: request.ts,
            succeeded: (200..300).contains(&request.status),
            credential,
            identity,
            operation,
            grants: vec![],
        };
        call.grants = self.covering_at(&call, call.at).iter().map(|g| g.id.clone()).collect();
        Some(call)
    }

    /// The grants of the caller that contain the operation and stood at a moment.
    pub(super) fn covering_at(&self, call: &Call, at: Timestamp) -> Vec<&Grant> {
        let Some((api, operation)) = &call.operation else { return vec![] };
        let subjects = self.reach.get(&call.identity).map(Vec::as_slice).unwrap_or_default();
        let rows = subjects.iter().flat_map(|subject| {
            self.by_target.get(&(subject.clone(), api.clone())).into_iter().flatten()
        });
        rows.filter_map(|row| self.grants.get(*row))
            .filter(|grant| grant.operations.contains(operation))
            .filter(|grant| grant.created_at < at && grant.expires_at.is_none_or(|end| end > at))
            .collect()
    }

    /// The operations of a grant.
    pub(super) fn operations_of<'a>(&'a self, grant: &'a Grant) -> Vec<&'a OperationId> {
        match &grant.operations {
            OperationSet::Only(ids) => ids.iter().collect(),
            OperationSet::All(_) => {
                let api = self.apis.iter().find(|api| api.id == grant.api);
                api.into_iter().flat_map(|api| &api.operations).map(|op| &op.id).collect()
            }
        }
    }
}

/// Reads every table.
pub(super) fn read(root: &Path, apis: Vec<Api>, as_of: Timestamp) -> Result<Tables, Failure> {
    let rows = |name: &str| csv(&root.join(name));
    let mut identities = Vec::new();
    for row in rows("people.csv")? {
        identities.push(person(&row)?);
    }
    for row in rows("identities.csv")? {
        identities.push(machine(&row)?);
    }
    let groups = groups(&rows("teams.csv")?, &rows("memberships.csv")?)?;
    let credentials: Result<Vec<_>, _> = rows("credentials.csv")?.iter().map(credential).collect();
    let credentials = credentials?;
    let roles = roles(&json(&root.join("roles.json"))?)?;
    let grants: Result<Vec<_>, _> =
        rows("grants.csv")?.iter().map(|row| grant_of(row, &roles)).collect();
    let grants = grants?;
    let mut exceptions = Vec::new();
    for row in rows("exceptions.csv")? {
        exceptions.extend(exception(&row, as_of)?);
    }
    let mut by_target: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (index, grant) in grants.iter().enumerate() {
        by_target.entry((grant.subject.clone(), grant.api.clone())).or_default().push(index);
    }
    Ok(Tables {
        holders: credentials.iter().map(|c| (c.id.clone(), c.identity.clone())).collect(),
        reach: reach(&identities, &groups),
        by_target,
        identities,
        groups,
        credentials,
        apis,
        grants,
        exceptions,
    })
}

fn reach(identities: &[Identity], groups: &[Group]) -> BTreeMap<IdentityId, Vec<GrantSubject>> {
    let own = |id: &IdentityId| (id.clone(), vec![GrantSubject::Identity(id.clone())]);
    let mut reach: BTreeMap<_, Vec<_>> = identities.iter().map(|i| own(&i.id)).collect();
    for group in groups {
        for member in &group.members {
            let subjects = reach.entry(member.clone()).or_default();
            subjects.push(GrantSubject::Group(group.id.clone()));
        }
    }
    reach
}

fn blank(id: IdentityId, kind: IdentityKind, name: &str, created_at: Timestamp) -> Identity {
    Identity {
        id,
        kind,
        name: name.to_owned(),
        owner: None,
        environment: Environment::Production,
        purpose: None,
        email: None,
        manager: None,
        vendor: None,
        contract_end: None,
        status: IdentityStatus::Active,
        left_at: None,
        seasonality: Seasonality::None,
        attributes: BTreeMap::new(),
        origin: Origin::Import,
        created_at,
    }
}

fn person(row: &Row) -> Result<Identity, Failure> {
    let id = row.text("id")?.parse()?;
    let is_active = row.text("active")? == "true";
    Ok(Identity {
        email: row.some("email")?.map(str::to_owned),
        manager: row.some("manager_id")?.map(str::parse).transpose()?,
        status: if is_active { IdentityStatus::Active } else { IdentityStatus::Disabled },
        left_at: row.time("left_at")?,
        ..blank(id, IdentityKind::Person, row.text("display_name")?, row.created("joined_at")?)
    })
}

fn machine(row: &Row) -> Result<Identity, Failure> {
    let id = row.text("id")?.parse()?;
    let kind = row.text("kind")?.parse()?;
    let person = row.some("owner_person_id")?.map(str::to_owned);
    let team = row.some("owner_team_id")?.map(|id| format!("group:{id}"));
    Ok(Identity {
        owner: person.or(team).map(|owner| owner.parse::<Owner>()).transpose()?,
        environment: row.text("environment")?.parse()?,
        purpose: row.some("business_process")?.map(str::to_owned),
        vendor: row.some("vendor")?.map(str::to_owned),
        contract_end: row.time("contract_end")?,
        status: row.text("status")?.parse()?,
        seasonality: row.some("seasonality")?.map_or(Ok(Seasonality::None), str::parse)?,
        ..blank(id, kind, row.text("name")?, row.created("created_at")?)
    })
}

fn groups(teams: &[Row], memberships: &[Row]) -> Result<Vec<Group>, Failure> {
    let mut members: BTreeMap<&str, BTreeSet<IdentityId>> = BTreeMap::new();
    for row in memberships {
        members.entry(row.text("team_id")?).or_default().insert(row.text("person_id")?.parse()?);
    }
    let group = |row: &Row| -> Result<Group, Failure> {
        Ok(Group {
            id: GroupId::parse(row.text("id")?)?,
            name: row.text("name")?.to_owned(),
            members: members.remove(row.text("id")?).unwrap_or_default().into_iter().collect(),
            groups: Vec::new(),
            origin: Origin::Import,
            created_at: Timestamp::default(),
        })
    };
    teams.iter().map(group).collect()
}

fn credential(row: &Row) -> Result<Credential, Failure> {
    let class = match row.text("class")? {
        "oauth_client" => CredentialClass::ClientSecret,
        class => class.parse()?,
    };
    let holder = row.some("identity_id")?.map_or_else(|| row.text("person_id"), Ok)?;
    Ok(Credential {
        id: row.text("id")?.parse()?,
        identity: holder.parse()?,
        class,
        label: row.text("id")?.to_owned(),
        lookup: Digest::from_hex(row.text("fingerprint")?).ok_or("a bad fingerprint")?,
        environment: row.text("environment")?.parse()?,
        created_at: row.created("created_at")?,
        expires_at: row.time("expires_at")?,
        rotates: row.some("rotates_credential_id")?.map(str::parse).transpose()?,
        status: row.text("status")?.parse::<CredentialStatus>()?,
        revoked_at: row.time("revoked_at")?,
        created_by: row.text("created_by")?.to_owned(),
        last_used_before: row.time("last_used_before_window")?,
    })
}

type Roles = BTreeMap<(String, ApiId), BTreeSet<OperationId>>;

fn roles(document: &Value) -> Result<Roles, Failure> {
    let mut roles = Roles::new();
    for role in document.as_array().into_iter().flatten() {
        for part in role["permissions"].as_array().into_iter().flatten() {
            let operations = part["operations"].as_array().into_iter().flatten();
            let operations: Result<_, Failure> = operations
                .map(|op| Ok(op.as_str().ok_or("an operation is no text")?.parse()?))
                .collect();
            let key = (text(role, "id")?.to_owned(), text(part, "api_id")?.parse()?);
            roles.insert(key, operations?);
        }
    }
    Ok(roles)
}

pub(super) fn subject(kind: &str, id: &str) -> Result<GrantSubject, Failure> {
    Ok(match kind {
        "team" => GrantSubject::Group(id.parse()?),
        _ => GrantSubject::Identity(id.parse()?),
    })
}

fn grant_of(row: &Row, roles: &Roles) -> Result<Grant, Failure> {
    let api: ApiId = row.text("api_id")?.parse()?;
    let what = row.text("role_or_operations")?;
    let operations = if what == "*" {
        OperationSet::ALL
    } else if let Some(role) = what.strip_prefix("role:") {
        let operations = roles.get(&(role.to_owned(), api.clone()));
        OperationSet::Only(operations.ok_or_else(|| format!("no role {role}"))?.clone())
    } else {
        OperationSet::Only(what.split(';').map(str::parse).collect::<Result<_, _>>()?)
    };
    let fields = row.some("fields")?.map(|text| text.split(';').map(str::to_owned).collect());
    Ok(Grant {
        id: row.text("id")?.parse()?,
        version: 1,
        subject: subject(row.text("subject_kind")?, row.text("subject_id")?)?,
        api,
        operations,
        roles: BTreeSet::new(),
        fields,
        terms: Terms::default(),
        created_at: row.created("created_at")?,
        expires_at: row.time("expires_at")?,
        status: GrantStatus::Active,
        reason: GrantReason::Import,
        requested_by: row.some("requested_by")?.map(str::to_owned),
        approved_by: row.some("approved_by")?.map(str::to_owned),
        last_certified_at: row.time("last_certified_at")?,
        last_certified_by: row.some("last_certified_by")?.map(str::to_owned),
        origin: Origin::Import,
    })
}

/// Exceptions of rules that the product does not have yet are passed over.
fn exception(row: &Row, as_of: Timestamp) -> Result<Option<Exception>, Failure> {
    let Ok(rule) = row.text("rule")?.parse() else { return Ok(None) };
    let id = row.text("subject_id")?;
    let subject = match row.text("subject_kind")? {
        "grant" => FindingSubject::Grant(id.parse()?),
        "credential" => FindingSubject::Credential(id.parse()?),
        _ => FindingSubject::Identity(id.parse()?),
    };
    let expires_at = row.time("expires_at")?.unwrap_or(as_of);
    let approved_at = row.created("approved_at")?;
    Ok(Some(Exception { rule, subject, approved_at, expires_at }))
}
