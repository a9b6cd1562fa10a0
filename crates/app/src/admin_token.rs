//! Tokens of the admin API: bearer secrets that act for an identity with a role.

use base::{Problem, encoding};
use store::session::AdminToken as TokenRow;
use token::AdminToken;

use crate::authority::Authority;
use crate::identity::seen_identity;
use crate::sign_in::unauthenticated;
use crate::view::AdminTokenView;
use crate::{Actor, App, Channel, Role, input};

impl App {
    /// Issues a token that acts for an identity. The answer is the only place where it is.
    pub async fn issue_admin_token(
        &self,
        actor: &Actor,
        identity: &str,
        role: Role,
    ) -> Result<String, Problem> {
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        let identity = seen_identity(&mut tx, &authority, identity).await?;
        authority.must_administer("issue an admin token")?;
        let (token, id) = self.draw(|_, entropy| {
            let mut id = [0; 10];
            let token = AdminToken::generate(entropy);
            entropy.fill(&mut id);
            (token, format!("token_{}", encoding::to_hex(&id)))
        });
        let now = tx.at();
        tx.add_admin_token(&TokenRow {
            lookup: token.lookup(&self.keys.pepper),
            id,
            identity: identity.id,
            role: role.to_string(),
            label: token.label(),
            created_at: now,
            expires_at: Some(now + self.settings.key_lifetime_max),
            revoked_at: None,
        })
        .await?;
        self.commit(tx).await?;
        Ok(token.expose().to_owned())
    }

    /// Every admin token, oldest first.
    pub async fn admin_tokens(&self, actor: &Actor) -> Result<Vec<AdminTokenView>, Problem> {
        let mut state = self.read().await?;
        if !actor.reads_all() {
            let detail = format!("{} may not list admin tokens", actor.id);
            return Err(Problem::forbidden("not_allowed", detail).hint("ask an administrator"));
        }
        Ok(state.admin_tokens().await?.into_iter().map(view).collect())
    }

    /// Refuses an admin token for good.
    pub async fn revoke_admin_token(
        &self,
        actor: &Actor,
        id: &str,
        reason: &str,
    ) -> Result<(), Problem> {
        let note = input::maybe_line("reason", Some(reason))?;
        let mut tx = self.begin(actor).await?;
        Authority::of(&mut tx, actor).await?.must_administer("revoke an admin token")?;
        let tokens = tx.admin_tokens().await?;
        let token = tokens.iter().find(|token| token.id == id);
        let token = token.ok_or_else(|| Problem::not_found("admin token", id))?;
        if token.revoked_at.is_some() {
            let detail = format!("admin token `{id}` is revoked already");
            return Err(Problem::conflict("already_revoked", detail));
        }
        tx.revoke_admin_token(token, note.as_deref()).await?;
        self.commit(tx).await.map(|_| ())
    }

    /// Who acts with this token. Unknown, revoked and expired answer alike.
    pub async fn actor_of_token(&self, text: &str) -> Result<Actor, Problem> {
        let refused = || {
            unauthenticated("bad_admin_token", "this admin token is unknown, revoked or expired")
                .hint("set PORTREEVE_TOKEN; get one with portreeve identity token ID --role R")
        };
        let token = AdminToken::parse(text).ok_or_else(refused)?;
        let now = self.now();
        let mut state = self.read().await?;
        let row = state.admin_token(token.lookup(&self.keys.pepper)).await?;
        let row = row
            .filter(|row| row.revoked_at.is_none() && row.expires_at.is_none_or(|end| end > now));
        let row = row.ok_or_else(refused)?;
        let identity = state.identity(row.identity.as_str()).await?;
        let identity = identity.filter(|identity| identity.is_active(now)).ok_or_else(refused)?;
        let role: Role = row.role.parse().map_err(|_| Problem::internal("bad role of a token"))?;
        Ok(self.actor_for(&identity, role, Channel::Api))
    }
}

fn view(row: TokenRow) -> AdminTokenView {
    AdminTokenView {
        id: row.id,
        identity_id: row.identity.to_string(),
        role: row.role,
        label: row.label,
        created_at: row.created_at.to_string(),
        expires_at: row.expires_at.map(|moment| moment.to_string()),
        revoked_at: row.revoked_at.map(|moment| moment.to_string()),
    }
}
