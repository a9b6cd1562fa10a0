//! `portreeve key …`

use std::path::{Path, PathBuf};

use app::view::{
    ApiDetail, ChangeReceipt, CredentialView, GrantView, IdentityDetail, IdentityView,
    IssuedCredential, NewCredential, NewGrant, NewIdentity,
};
use base::{Clock, Problem, Span};
use clap::Subcommand;
use serde::Serialize;

use super::{Remote, receipt};
use crate::client::{query, segment};
use crate::failure::{Exit, Failure};
use crate::output::{Table, moment, until};
use crate::system::SystemClock;

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Issue a credential; its secret is shown this once
    Issue(IssueArgs),
    /// List credentials; never their secrets
    List {
        /// Only those of this identity
        identity: Option<String>,
    },
    /// Issue a successor; the old credential works until it is revoked
    Rotate {
        /// The credential
        id: String,
        /// How long the new one lives
        #[arg(long = "for", value_name = "D", default_value = "90d", value_parser = span)]
        lifetime: String,
        /// The next client certificate, PEM, where the credential is one
        #[arg(long, value_name = "FILE")]
        cert: Option<PathBuf>,
    },
    /// Refuse a credential for good; returns when every live node enforces it
    Revoke {
        /// The credential
        id: String,
        /// Why
        #[arg(long, value_name = "T", default_value = "revoked on the command line")]
        reason: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct IssueArgs {
    /// Whom it proves; made as a service account of yours when it does not exist and --api is given
    identity: String,
    /// What kind of proof it is
    #[arg(long, value_parser = ["api_key", "issuer_subject", "certificate"], default_value = "api_key")]
    class: String,
    /// How long it lives
    #[arg(long = "for", value_name = "D", default_value = "90d", value_parser = span)]
    lifetime: String,
    /// Also give a grant on this API, for as long as the credential lives
    #[arg(long, value_name = "NAME")]
    api: Option<String>,
    /// What the grant allows: read, write, all, or operation ids
    #[arg(
        long,
        value_name = "OP",
        value_delimiter = ',',
        requires = "api",
        default_value = "read"
    )]
    can: Vec<String>,
    /// The configured issuer, for issuer_subject
    #[arg(long, value_name = "NAME", required_if_eq("class", "issuer_subject"))]
    issuer: Option<String>,
    /// The `sub` of its tokens, for issuer_subject
    #[arg(long, value_name = "SUB", required_if_eq("class", "issuer_subject"))]
    subject: Option<String>,
    /// The client certificate, PEM, for certificate; its key stays with the client
    #[arg(long, value_name = "FILE", required_if_eq("class", "certificate"))]
    cert: Option<PathBuf>,
}

/// What `key issue` prints: the credential, and the grant when one was given with it.
#[derive(Debug, Serialize)]
struct Issued {
    #[serde(flatten)]
    issued: IssuedCredential,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<GrantView>,
}

fn span(text: &str) -> Result<String, String> {
    Span::parse(text).map(|span| span.to_string()).map_err(|error| error.to_string())
}

impl Key {
    pub(crate) async fn run(self, remote: &Remote) -> Result<Exit, Failure> {
        match self {
            Self::Issue(args) => issue(args, remote).await,
            Self::List { identity } => {
                let filter = query(&[("identity", identity.as_deref())]);
                let keys: Vec<CredentialView> =
                    remote.client.get(&format!("/keys{filter}")).await?;
                remote.out.show(&keys, |keys| listed(keys))?;
                Ok(Exit::Done)
            }
            Self::Rotate { id, lifetime, cert } => rotate(id, lifetime, cert, remote).await,
            Self::Revoke { id, reason } => {
                let body = admin::form::Reason { reason };
                let changed: ChangeReceipt =
                    remote.client.post(&format!("/keys/{}/revoke", segment(&id)), &body).await?;
                remote.out.show(&changed, receipt)?;
                Ok(Exit::Done)
            }
        }
    }
}

async fn issue(args: IssueArgs, remote: &Remote) -> Result<Exit, Failure> {
    let certificate = args.cert.as_deref().map(certificate_in).transpose()?;
    let identity = find_or_add(&args, remote).await?;
    // The grant comes first: a key that is printed works, and a refused grant leaves no key.
    let grant = match &args.api {
        Some(api) => Some(give(&args, api, remote).await?),
        None => None,
    };
    let new = NewCredential {
        identity: identity.id.clone(),
        class: Some(args.class),
        expires_in: Some(args.lifetime),
        issuer: args.issuer,
        subject: args.subject,
        certificate,
        rotates: None,
    };
    let issued: IssuedCredential = match remote.client.post("/keys", &new).await {
        Ok(issued) => issued,
        Err(failure) => {
            take_back(grant.as_ref(), remote).await;
            return Err(failure);
        }
    };
    let can = args.can.join(",");
    remote.out.show(&Issued { issued, grant }, |issued| {
        let allowed = args.api.map(|api| format!(" · {can} {api}")).unwrap_or_default();
        told(&issued.issued, &allowed, identity.owner.as_deref())
    })?;
    Ok(Exit::Done)
}

async fn find_or_add(args: &IssueArgs, remote: &Remote) -> Result<IdentityView, Failure> {
    let path = format!("/identities/{}", segment(&args.identity));
    match remote.client.get::<IdentityDetail>(&path).await {
        Ok(detail) => return Ok(detail.identity),
        Err(failure)
            if failure.problem.kind != base::problem::ProblemKind::NotFound
                || args.api.is_none() =>
        {
            return Err(failure);
        }
        Err(_) => {}
    }
    // Before anything is added: a slip in the rest must not leave an identity behind.
    check_grant(&args.can, args.api.as_deref(), remote).await?;
    let me: admin::form::Whoami = remote.client.get("/whoami").await?;
    let new = NewIdentity {
        name: args.identity.clone(),
        kind: "service_account".to_owned(),
        owner: Some(me.id.clone()),
        ..NewIdentity::default()
    };
    let identity: IdentityView = remote.client.post("/identities", &new).await?;
    remote.out.hint(&format!("{} is new: a service account, owner {}", identity.id, me.id));
    Ok(identity)
}

/// The API is there, and what is to be granted are words or operations of it.
async fn check_grant(can: &[String], api: Option<&str>, remote: &Remote) -> Result<(), Failure> {
    let Some(api) = api else { return Ok(()) };
    let detail: ApiDetail = remote.client.get(&format!("/apis/{}", segment(api))).await?;
    let known: Vec<&str> = ["read", "write", "all", "*"]
        .into_iter()
        .chain(detail.operations.iter().map(|operation| operation.id.as_str()))
        .collect();
    let Some(unknown) = can.iter().find(|word| !known.contains(&word.as_str())) else {
        return Ok(());
    };
    let problem = Problem::invalid("unknown_operation", format!("{api} has no `{unknown}`"));
    let problem = problem.at("--can");
    Err(match base::nearest(unknown, known.iter().copied()) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem.hint(format!("see portreeve api show {api}")),
    }
    .into())
}

async fn give(args: &IssueArgs, api: &str, remote: &Remote) -> Result<GrantView, Failure> {
    let new = NewGrant {
        subject: args.identity.clone(),
        api: api.to_owned(),
        can: args.can.clone(),
        fields: None,
        terms: None,
        until: Some(super::grant::end(&args.lifetime)?),
    };
    remote.client.post("/grants", &new).await
}

async fn take_back(grant: Option<&GrantView>, remote: &Remote) {
    let Some(grant) = grant else { return };
    let body = admin::form::Reason { reason: "the key it came with was refused".to_owned() };
    let path = format!("/grants/{}/revoke", segment(&grant.id));
    if let Err(failure) = remote.client.post::<_, ChangeReceipt>(&path, &body).await {
        failure.print();
        remote.out.hint(&format!("grant {} is left: portreeve grant revoke it", grant.id));
    }
}

fn certificate_in(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure::file(file, &error))
}

async fn rotate(
    id: String,
    lifetime: String,
    cert: Option<PathBuf>,
    remote: &Remote,
) -> Result<Exit, Failure> {
    let old: CredentialView = remote.client.get(&format!("/keys/{}", segment(&id))).await?;
    let new = NewCredential {
        identity: old.identity_id,
        class: Some(old.class),
        expires_in: Some(lifetime),
        rotates: Some(id.clone()),
        certificate: cert.as_deref().map(certificate_in).transpose()?,
        ..NewCredential::default()
    };
    let issued: IssuedCredential = remote.client.post("/keys", &new).await?;
    remote.out.show(&issued, |issued| told(issued, "", None))?;
    remote.out.hint(&format!("when nothing uses the old one: portreeve key revoke {id}"));
    Ok(Exit::Done)
}

fn told(issued: &IssuedCredential, allowed: &str, owner: Option<&str>) -> String {
    let credential = &issued.credential;
    let end = credential.expires_at.as_deref();
    let end = end.map(|end| format!(" · until {}", until(end, SystemClock.now())));
    let owner = owner.map(|owner| format!(" · owner {owner}")).unwrap_or_default();
    let (text, shown) = match &issued.key {
        Some(key) => (key.as_str(), "shown once"),
        None => (credential.label.as_str(), credential.class.as_str()),
    };
    format!("{text}   {shown}{allowed}{}{owner}\n", end.unwrap_or_default())
}

pub(super) fn listed(keys: &[CredentialView]) -> String {
    let mut table =
        Table::new(&["id", "identity", "class", "label", "status", "until", "last used"]);
    for key in keys {
        table.row([
            key.id.clone(),
            key.identity_id.clone(),
            key.class.clone(),
            key.label.clone(),
            key.status.clone(),
            moment(key.expires_at.as_deref()),
            moment(key.last_used_at.as_deref()),
        ]);
    }
    table.render("No credentials: portreeve key issue IDENTITY")
}
