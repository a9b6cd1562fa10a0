//! Sign-in state: sessions, one-time codes, admin tokens. Only keyed hashes of their secrets are
//! here.
//!
//! A session's last use is not an administrative change, so touching one is not recorded; starting
//! and ending one is.

use audit::Event;
use base::{Digest, IdentityId, Timestamp};
use serde::Serialize;

use crate::sql::{Connection, Row, Value};
use crate::{NewChange, StoreError, Tx};

/// A signed-in browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Keyed hash of the cookie's value.
    pub lookup: Digest,
    /// The person.
    pub identity: IdentityId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute or so.
    pub last_seen: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
}

/// A code that signs somebody in once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInCode {
    /// Keyed hash of the code.
    pub lookup: Digest,
    /// The person.
    pub identity: IdentityId,
    /// When it ends unused.
    pub expires_at: Timestamp,
}

/// A bearer token of the admin API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminToken {
    /// Keyed hash of the token.
    pub lookup: Digest,
    /// Public id.
    pub id: String,
    /// For whom it acts.
    pub identity: IdentityId,
    /// What it may do, as the word of a role.
    pub role: String,
    /// What a person recognises it by.
    pub label: String,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// What the log keeps of sign-in state: no hash, which would serve no reader.
#[derive(Serialize)]
struct Logged<'a> {
    identity_id: &'a IdentityId,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Timestamp>,
}

fn session(mut row: Row) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        lookup: row.digest()?,
        identity: row.parsed()?,
        created_at: row.time()?,
        last_seen: row.time()?,
        expires_at: row.time()?,
    })
}

fn admin_token(mut row: Row) -> Result<AdminToken, StoreError> {
    Ok(AdminToken {
        lookup: row.digest()?,
        id: row.text()?,
        identity: row.parsed()?,
        role: row.text()?,
        label: row.text()?,
        created_at: row.time()?,
        expires_at: row.maybe_time()?,
        revoked_at: row.maybe_time()?,
    })
}

const ADMIN_TOKEN: &str = "SELECT lookup, id, identity_id, role, label, created_at, expires_at, \
                           revoked_at FROM admin_token";

impl Connection {
    /// The session with this hash, ended or not.
    pub async fn session(&mut self, lookup: Digest) -> Result<Option<SessionRow>, StoreError> {
        const SQL: &str = "SELECT lookup, identity_id, created_at, last_seen, expires_at \
                           FROM session WHERE lookup = $1";
        self.fetch_first(SQL, vec![lookup.into()]).await?.map(session).transpose()
    }

    /// The one-time code with this hash, expired or not.
    pub async fn sign_in_code(&mut self, lookup: Digest) -> Result<Option<SignInCode>, StoreError> {
        const SQL: &str = "SELECT lookup, identity_id, expires_at FROM sign_in_code \
                           WHERE lookup = $1";
        let Some(mut row) = self.fetch_first(SQL, vec![lookup.into()]).await? else {
            return Ok(None);
        };
        let (lookup, identity) = (row.digest()?, row.parsed()?);
        Ok(Some(SignInCode { lookup, identity, expires_at: row.time()? }))
    }

    /// The admin token with this hash, whatever its state.
    pub async fn admin_token(&mut self, lookup: Digest) -> Result<Option<AdminToken>, StoreError> {
        let sql = format!("{ADMIN_TOKEN} WHERE lookup = $1");
        self.fetch_first(&sql, vec![lookup.into()]).await?.map(admin_token).transpose()
    }

    /// Admin tokens, oldest first.
    pub async fn admin_tokens(&mut self) -> Result<Vec<AdminToken>, StoreError> {
        let sql = format!("{ADMIN_TOKEN} ORDER BY created_at, id");
        self.fetch(&sql, vec![]).await?.into_iter().map(admin_token).collect()
    }
}

impl Tx {
    /// Keeps a one-time code and drops those that have ended.
    pub async fn add_sign_in_code(&mut self, code: &SignInCode) -> Result<(), StoreError> {
        let now = self.at.into();
        self.execute("DELETE FROM sign_in_code WHERE expires_at <= $1", vec![now]).await?;
        let values = vec![code.lookup.into(), Value::text(&code.identity), code.expires_at.into()];
        self.insert_rows("sign_in_code (lookup, identity_id, expires_at)", vec![values]).await?;
        let logged = Logged {
            identity_id: &code.identity,
            role: None,
            expires_at: Some(code.expires_at),
            revoked_at: None,
        };
        let event = Event::SignInLinkIssued;
        let change = NewChange::new(event, "sign_in_link", &code.identity, None, Some(&logged))?;
        self.record(change).await.map(|_| ())
    }

    /// Takes a code out of the store; false when it is gone. Only one caller ever gets true.
    pub async fn take_sign_in_code(&mut self, lookup: Digest) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM sign_in_code WHERE lookup = $1";
        Ok(self.execute(SQL, vec![lookup.into()]).await? == 1)
    }

    /// Starts a session and drops those that have ended.
    pub async fn add_session(&mut self, session: &SessionRow) -> Result<(), StoreError> {
        let now = self.at.into();
        self.execute("DELETE FROM session WHERE expires_at <= $1", vec![now]).await?;
        let values = vec![
            session.lookup.into(),
            Value::text(&session.identity),
            session.created_at.into(),
            session.last_seen.into(),
            session.expires_at.into(),
        ];
        const INTO: &str = "session (lookup, identity_id, created_at, last_seen, expires_at)";
        self.insert_rows(INTO, vec![values]).await?;
        self.record(session_change(Event::SessionStarted, session, true)?).await.map(|_| ())
    }

    /// Notes that a session was used. Not recorded.
    pub async fn touch_session(&mut self, lookup: Digest) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE session SET last_seen = $2 WHERE lookup = $1";
        let values = vec![lookup.into(), self.at.into()];
        self.execute(SQL, values).await.map(|_| ())
    }

    /// Ends a session.
    pub async fn end_session(&mut self, session: &SessionRow) -> Result<(), StoreError> {
        let lookup = vec![session.lookup.into()];
        if self.execute("DELETE FROM session WHERE lookup = $1", lookup).await? == 0 {
            return Ok(());
        }
        self.record(session_change(Event::SessionEnded, session, false)?).await.map(|_| ())
    }

    /// Keeps a new admin token.
    pub async fn add_admin_token(&mut self, token: &AdminToken) -> Result<(), StoreError> {
        let values = vec![
            token.lookup.into(),
            Value::text(&token.id),
            Value::text(&token.identity),
            Value::text(&token.role),
            Value::text(&token.label),
            token.created_at.into(),
            Value::maybe_time(token.expires_at),
            Value::maybe_time(token.revoked_at),
        ];
        const INTO: &str = "admin_token (lookup, id, identity_id, role, label, created_at, \
                            expires_at, revoked_at)";
        self.insert_rows(INTO, vec![values]).await?;
        let after = logged_token(token);
        let event = Event::AdminTokenIssued;
        let change = NewChange::new(event, "admin_token", &token.id, None, Some(&after))?;
        self.record(change).await.map(|_| ())
    }

    /// Writes that an admin token is revoked.
    pub async fn revoke_admin_token(
        &mut self,
        before: &AdminToken,
        note: Option<&str>,
    ) -> Result<(), StoreError> {
        let after = AdminToken { revoked_at: Some(self.at), ..before.clone() };
        const SQL: &str = "UPDATE admin_token SET revoked_at = $2 \
                           WHERE id = $1 AND revoked_at IS NULL";
        let values = vec![Value::text(&before.id), Value::maybe_time(after.revoked_at)];
        self.change_one(SQL, values, "admin_token", &before.id).await?;
        let (was, is) = (logged_token(before), logged_token(&after));
        let event = Event::AdminTokenRevoked;
        let change = NewChange::new(event, "admin_token", &before.id, Some(&was), Some(&is))?;
        self.record(change.because(note)).await.map(|_| ())
    }
}

fn logged_token(token: &AdminToken) -> Logged<'_> {
    Logged {
        identity_id: &token.identity,
        role: Some(&token.role),
        expires_at: token.expires_at,
        revoked_at: token.revoked_at,
    }
}

fn session_change(
    event: Event,
    session: &SessionRow,
    starts: bool,
) -> Result<NewChange, StoreError> {
    let logged = Logged {
        identity_id: &session.identity,
        role: None,
        expires_at: Some(session.expires_at),
        revoked_at: None,
    };
    let (before, after) = if starts { (None, Some(&logged)) } else { (Some(&logged), None) };
    NewChange::new(event, "session", &session.identity, before, after)
}
