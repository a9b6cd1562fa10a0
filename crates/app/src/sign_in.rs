//! Signing in: one-time links and sessions of people. What a person may do is not part of a
//! session: it is looked up each time, so that leaving a group of administrators takes effect at
//! the next request.

use base::problem::ProblemKind;
use base::{Digest, Entropy, Problem, Timestamp, encoding};
use identity::{Identity, IdentityKind};
use store::Connection;
use store::session::{SessionRow, SignInCode};

use crate::authority::Authority;
use crate::identity::seen_identity;
use crate::{Actor, App, Channel, Role};

/// Purposes keep the hashes of different secrets apart.
const CODE: &str = "sign-in code";
const SESSION: &str = "session";
const CSRF: &str = "csrf";
/// A session's last use is written down at most once in so many microseconds.
const TOUCH_EVERY: base::Span = base::Span::from_secs(60);

/// A session that was just opened.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSession {
    /// The value of the session cookie; a secret.
    pub cookie: String,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for NewSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSession").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Who a session cookie belongs to.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// The person.
    pub actor: Actor,
    /// What every form of this session must carry; a secret.
    pub csrf: String,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("actor", &self.actor).finish_non_exhaustive()
    }
}

impl App {
    /// A code that signs a person in once, within 15 minutes unless configured otherwise.
    pub async fn sign_in_link(&self, actor: &Actor, identity: &str) -> Result<String, Problem> {
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        let person = seen_identity(&mut tx, &authority, identity).await?;
        authority.must_administer("make a sign-in link")?;
        check_may_sign_in(&person, self.now())?;
        let code = self.secret();
        tx.add_sign_in_code(&SignInCode {
            lookup: self.keys.pepper.digest(CODE, code.as_bytes()),
            identity: person.id,
            expires_at: tx.at() + self.settings.sign_in_lifetime,
        })
        .await?;
        self.commit(tx).await?;
        Ok(code)
    }

    /// Opens a session with a code, which is used up by that.
    pub async fn redeem(&self, code: &str) -> Result<NewSession, Problem> {
        let lookup = self.keys.pepper.digest(CODE, code.as_bytes());
        // One answer for unknown, used and expired: a guesser learns nothing.
        let refused = || {
            let detail = "this sign-in link is unknown, used or expired";
            unauthenticated("bad_sign_in_code", detail).hint("ask for a new one")
        };
        let mut state = self.read().await?;
        let now = self.now();
        let known = state.sign_in_code(lookup).await?.filter(|code| code.expires_at > now);
        let known = known.ok_or_else(refused)?;
        let person = state.identity(known.identity.as_str()).await?.ok_or_else(refused)?;
        drop(state);
        check_may_sign_in(&person, now)?;
        let cookie = self.secret();
        let expires_at = now + self.settings.session_lifetime;
        let actor = self.actor_for(&person, Role::Member, Channel::Console);
        let mut tx = self.begin(&actor).await?;
        // Of two who redeem at the same time, one takes it.
        if !tx.take_sign_in_code(lookup).await? {
            return Err(refused());
        }
        tx.add_session(&SessionRow {
            lookup: self.keys.pepper.digest(SESSION, cookie.as_bytes()),
            identity: person.id,
            created_at: now,
            last_seen: now,
            expires_at,
        })
        .await?;
        self.commit(tx).await?;
        Ok(NewSession { cookie, expires_at })
    }

    /// Whose session a cookie is.
    pub async fn session(&self, cookie: &str) -> Result<Session, Problem> {
        let lookup = self.keys.pepper.digest(SESSION, cookie.as_bytes());
        let mut state = self.read().await?;
        let row = self.live_session(&mut state, lookup).await?;
        let person = state.identity(row.identity.as_str()).await?;
        let person = person.filter(|person| person.is_active(self.now()));
        let person = person.ok_or_else(signed_out)?;
        let role = self.role_of(&mut state, &person).await?;
        drop(state);
        if self.now().since(row.last_seen) >= TOUCH_EVERY {
            self.touch(lookup).await?;
        }
        let csrf = self.keys.pepper.digest(CSRF, cookie.as_bytes()).to_hex();
        Ok(Session { actor: self.actor_for(&person, role, Channel::Console), csrf })
    }

    async fn live_session(
        &self,
        state: &mut Connection,
        lookup: Digest,
    ) -> Result<SessionRow, Problem> {
        let now = self.now();
        let idle = |row: &SessionRow| now.since(row.last_seen) >= self.settings.session_idle;
        let row = state.session(lookup).await?;
        row.filter(|row| row.expires_at > now && !idle(row)).ok_or_else(signed_out)
    }

    async fn touch(&self, lookup: Digest) -> Result<(), Problem> {
        let mut tx = self.begin(&Actor::system(crate::system_id("session")?)).await?;
        tx.touch_session(lookup).await?;
        Ok(tx.commit().await.map(|_| ())?)
    }

    /// Ends a session. Ending one that is not there is no failure: it is what was wanted.
    pub async fn sign_out(&self, cookie: &str) -> Result<(), Problem> {
        let lookup = self.keys.pepper.digest(SESSION, cookie.as_bytes());
        let Some(row) = self.read().await?.session(lookup).await? else { return Ok(()) };
        let mut actor = Actor::system(row.identity.clone());
        actor.channel = Channel::Console;
        let mut tx = self.begin(&actor).await?;
        tx.end_session(&row).await?;
        self.commit(tx).await.map(|_| ())
    }

    /// What a person may do when they sign in, as the settings and their groups say now.
    async fn role_of(&self, state: &mut Connection, person: &Identity) -> Result<Role, Problem> {
        let groups = state.groups_of(person.id.as_str()).await?;
        let named = |list: &[String]| {
            list.iter().any(|entry| match entry.strip_prefix("group:") {
                Some(group) => groups.iter().any(|id| id.as_str() == group),
                None => entry == person.id.as_str(),
            })
        };
        Ok(match (named(&self.settings.admins), named(&self.settings.auditors)) {
            (true, _) => Role::Admin,
            (false, true) => Role::Auditor,
            (false, false) => Role::Member,
        })
    }

    pub(crate) fn actor_for(&self, person: &Identity, role: Role, channel: Channel) -> Actor {
        Actor { id: person.id.clone(), name: person.name.clone(), role, channel }
    }

    /// 256 random bits, as text for URLs and cookies.
    fn secret(&self) -> String {
        self.draw(|_, entropy: &mut dyn Entropy| {
            let mut bytes = [0; 32];
            entropy.fill(&mut bytes);
            encoding::to_base62(&bytes)
        })
    }
}

fn check_may_sign_in(person: &Identity, now: Timestamp) -> Result<(), Problem> {
    let refused = |reason: &str, detail: String| Err(Problem::conflict(reason, detail));
    if person.kind != IdentityKind::Person {
        let detail = format!("`{}` is a {}; only people sign in", person.id, person.kind);
        return refused("not_a_person", detail);
    }
    if !person.is_active(now) {
        return refused("identity_inactive", format!("`{}` may not act", person.id));
    }
    Ok(())
}

pub(crate) fn unauthenticated(reason: &str, detail: &str) -> Problem {
    Problem::new(ProblemKind::Unauthenticated, reason, detail)
}

fn signed_out() -> Problem {
    unauthenticated("signed_out", "you are not signed in, or were signed out")
        .hint("open a new sign-in link: portreeve identity sign-in ID")
}
