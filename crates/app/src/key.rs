//! Credentials: issued for an identity, shown once, kept as keyed hashes, revoked for good.

use base::{CredentialId, Digest, Problem, Timestamp};
use identity::{Credential, CredentialClass, CredentialStatus, Identity};
use store::{Connection, IdentityFilter, Tx};
use token::ApiKey;

mod certificate;

use crate::authority::Authority;
use crate::identity::seen_identity;
use crate::view::{ChangeReceipt, CredentialView, IssuedCredential, NewCredential};
use crate::{Actor, App, input, render};

/// Identities and credentials of a list that is not narrowed to one identity.
const LISTED_MAX: usize = 10_000;
const BATCH: u32 = 1_000;
/// The longest `sub` that is taken (OpenID Connect Core §2 allows 255 characters).
const SUBJECT_CHARS_MAX: usize = 255;

/// A credential that is to be, and its secret if it has one.
struct Made {
    class: CredentialClass,
    label: String,
    lookup: Digest,
    key: Option<ApiKey>,
    /// When it ends by itself.
    ends_at: Option<Timestamp>,
}

impl App {
    /// The credentials of one identity, newest first; without one, of all that the actor sees,
    /// at most 10,000.
    pub async fn keys(
        &self,
        actor: &Actor,
        identity: Option<&str>,
    ) -> Result<Vec<CredentialView>, Problem> {
        let mut state = self.read().await?;
        let authority = Authority::of(&mut state, actor).await?;
        let credentials = match identity {
            Some(id) => {
                let identity = seen_identity(&mut state, &authority, id).await?;
                state.credentials_of(&identity.id).await?
            }
            None => all_seen(&mut state, &authority).await?,
        };
        render::credentials(&mut state, &credentials, self.now()).await
    }

    /// Issues a credential. The secret is in the answer and nowhere else.
    pub async fn issue_key(
        &self,
        actor: &Actor,
        new: NewCredential,
    ) -> Result<IssuedCredential, Problem> {
        let class = input::word_or("class", new.class.as_deref(), CredentialClass::ApiKey)?;
        let lifetime = self.lifetime(new.expires_in.as_deref())?;
        let made = self.make(class, &new)?;
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        let identity = seen_identity(&mut tx, &authority, &new.identity)
            .await
            .map_err(|problem| problem.at("identity"))?;
        let theirs = identity.is_non_human() && authority.owns_identity(&identity);
        authority.must(theirs, "issue a key for this identity", "ask its owner")?;
        check_active(&identity, self.now())?;
        let rotates = rotated(&mut tx, &identity, new.rotates.as_deref()).await?;
        check_unbound(&mut tx, made.lookup).await?;
        let now = tx.at();
        let credential = Credential {
            id: self.draw(CredentialId::generate),
            identity: identity.id.clone(),
            class: made.class,
            label: made.label,
            lookup: made.lookup,
            environment: identity.environment,
            created_at: now,
            expires_at: Some(made.ends_at.map_or(now + lifetime, |end| end.min(now + lifetime))),
            rotates,
            status: CredentialStatus::Active,
            revoked_at: None,
            created_by: actor.id.to_string(),
            last_used_before: None,
        };
        let event = audit::Event::CredentialIssued;
        tx.save_credential(event, None, &credential, None).await?;
        self.commit(tx).await?;
        let mut state = self.read().await?;
        let views = render::credentials(&mut state, &[credential], now).await?;
        let view = views.into_iter().next();
        Ok(IssuedCredential {
            credential: view.ok_or_else(|| Problem::internal("no view of a credential"))?,
            key: made.key.map(|key| key.expose().to_owned()),
        })
    }

    fn lifetime(&self, asked: Option<&str>) -> Result<base::Span, Problem> {
        let max = self.settings.key_lifetime_max;
        let Some(asked) = asked else { return Ok(self.settings.key_lifetime.min(max)) };
        let span = input::span("expires_in", asked)?;
        if span > max {
            let detail = format!("a credential lives at most {max} here, not {span}");
            return Err(Problem::invalid("lifetime_too_long", detail)
                .at("expires_in")
                .hint(format!("ask for {max} or less, and rotate")));
        }
        Ok(span)
    }

    fn make(&self, class: CredentialClass, new: &NewCredential) -> Result<Made, Problem> {
        check_for(class, new)?;
        match class {
            CredentialClass::ApiKey => {
                let label = self.settings.key_label;
                let key = self.draw(|_, entropy| ApiKey::generate(label, entropy));
                let lookup = key.lookup(&self.keys.pepper);
                let label = key.label();
                Ok(Made { class, label, lookup, key: Some(key), ends_at: None })
            }
            CredentialClass::IssuerSubject => self.make_subject(new),
            CredentialClass::Certificate => certificate::made(new, self.now()),
            CredentialClass::ClientSecret
            | CredentialClass::PrivateKeyJwt
            | CredentialClass::SigningKey => {
                let detail = format!("`{class}` cannot be issued here");
                Err(Problem::invalid("class_not_issued", detail)
                    .at("class")
                    .hint("api_key, issuer_subject or certificate"))
            }
        }
    }

    fn make_subject(&self, new: &NewCredential) -> Result<Made, Problem> {
        let missing = |field: &str| {
            let detail = format!("an issuer_subject needs its {field}");
            Problem::invalid("missing", detail).at(field)
        };
        let name = new.issuer.as_deref().ok_or_else(|| missing("issuer"))?;
        let subject = new.subject.as_deref().ok_or_else(|| missing("subject"))?;
        let known = &self.settings.issuers;
        let issuer = known.iter().find(|known| known.name == name || known.issuer == name);
        let Some(issuer) = issuer else {
            let detail = format!("no issuer `{name}` is trusted");
            let names = known.iter().map(|known| known.name.as_str());
            let problem = Problem::invalid("unknown_issuer", detail).at("issuer");
            return Err(input::with_nearest(problem, name, names));
        };
        // A `sub` is compared to the byte, so it is not trimmed.
        let length = subject.chars().count();
        if !(1..=SUBJECT_CHARS_MAX).contains(&length) || subject.chars().any(char::is_control) {
            let detail = format!("a subject has 1 to {SUBJECT_CHARS_MAX} printable characters");
            return Err(Problem::invalid("bad_subject", detail).at("subject"));
        }
        Ok(Made {
            class: CredentialClass::IssuerSubject,
            label: format!("{}#{subject}", issuer.name),
            lookup: Digest::of(&[issuer.issuer.as_bytes(), &[0], subject.as_bytes()]),
            key: None,
            ends_at: None,
        })
    }

    /// Refuses a credential for good, from the next request on.
    pub async fn revoke_key(
        &self,
        actor: &Actor,
        id: &str,
        reason: &str,
    ) -> Result<ChangeReceipt, Problem> {
        let note = input::maybe_line("reason", Some(reason))?;
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        let before = seen_credential(&mut tx, &authority, id).await?;
        // Whoever sees a credential owns it or is proved by it: both may stop it.
        authority.must(true, "revoke this credential", "ask its owner or an administrator")?;
        if before.status == CredentialStatus::Revoked {
            let detail = format!("credential `{id}` is revoked already");
            return Err(Problem::conflict("already_revoked", detail));
        }
        let after = Credential {
            status: CredentialStatus::Revoked,
            revoked_at: Some(tx.at()),
            ..before.clone()
        };
        let event = audit::Event::CredentialRevoked;
        tx.save_credential(event, Some(&before), &after, note.as_deref()).await?;
        let change = self.commit(tx).await?;
        self.receipt(change).await
    }
}

async fn seen_credential(
    state: &mut Connection,
    authority: &Authority<'_>,
    id: &str,
) -> Result<Credential, Problem> {
    let unknown = || Problem::not_found("credential", id);
    let credential = state.credential(id).await?.ok_or_else(unknown)?;
    let holder = state.identity(credential.identity.as_str()).await?;
    let seen = holder.is_some_and(|identity| authority.sees_identity(&identity));
    seen.then_some(credential).ok_or_else(unknown)
}

async fn all_seen(
    state: &mut Connection,
    authority: &Authority<'_>,
) -> Result<Vec<Credential>, Problem> {
    let mut found = Vec::new();
    match authority.narrowed_to() {
        None => {
            let mut after = String::new();
            while found.len() < LISTED_MAX {
                let batch = state.credentials(&after, BATCH).await?;
                let Some(last) = batch.last() else { break };
                after = last.id.to_string();
                found.extend(batch);
            }
        }
        visible_to @ Some(_) => {
            let filter = IdentityFilter { visible_to, ..IdentityFilter::default() };
            for identity in state.identities(&filter, "", BATCH).await? {
                found.extend(state.credentials_of(&identity.id).await?);
            }
        }
    }
    found.truncate(LISTED_MAX);
    found.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    Ok(found)
}

/// What belongs to another class of credentials was meant for one.
fn check_for(class: CredentialClass, new: &NewCredential) -> Result<(), Problem> {
    let given = [
        ("issuer", new.issuer.is_some(), CredentialClass::IssuerSubject),
        ("subject", new.subject.is_some(), CredentialClass::IssuerSubject),
        ("certificate", new.certificate.is_some(), CredentialClass::Certificate),
    ];
    match given.into_iter().find(|(_, given, of)| *given && *of != class) {
        None => Ok(()),
        Some((field, _, of)) => {
            let detail = format!("a credential of class {class} has no {field}");
            Err(Problem::invalid("not_for_this_class", detail)
                .at("class")
                .hint(format!("with a {field}, say class {of}")))
        }
    }
}

fn check_active(identity: &Identity, now: Timestamp) -> Result<(), Problem> {
    if identity.is_active(now) {
        return Ok(());
    }
    let detail = format!("identity `{}` may not act, so a key for it would not work", identity.id);
    Err(Problem::conflict("identity_inactive", detail).at("identity").hint("resume it first"))
}

async fn rotated(
    tx: &mut Tx,
    identity: &Identity,
    id: Option<&str>,
) -> Result<Option<CredentialId>, Problem> {
    let Some(id) = id else { return Ok(None) };
    let old = tx.credential(id).await?.filter(|old| old.identity == identity.id);
    let old = old.ok_or_else(|| Problem::not_found("credential", id).at("rotates"))?;
    if old.status == CredentialStatus::Revoked {
        let detail = format!("credential `{id}` is revoked: there is nothing to take over");
        return Err(Problem::conflict("already_revoked", detail).at("rotates"));
    }
    Ok(Some(old.id))
}

/// One secret, or one subject of one issuer, proves one identity.
async fn check_unbound(tx: &mut Tx, lookup: Digest) -> Result<(), Problem> {
    match tx.credential_by_lookup(lookup).await? {
        None => Ok(()),
        Some(other) => {
            let detail = format!("it is credential `{}` of `{}`", other.id, other.identity);
            Err(Problem::conflict("already_bound", detail)
                .at("subject")
                .hint(format!("revoke {} first", other.id)))
        }
    }
}
