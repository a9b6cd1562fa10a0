//! Tokens of the admin API: bearer secrets that act for an identity with a role.

use base::{Problem, encoding};
use store::session::AdminToken as TokenRow;
use token::AdminToken;

use crate::authority::Authority;
use crate::identity::seen_identity;
use crate::sign_in::unauthenticated;
use crate::{Actor, App, Channel, Role};

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

    /// Who acts with this token. Unknown, revoked and expired answer alike.
    pub async fn actor_of_token(&self, text: &str) -> Result<Actor, Problem> {
        let refused = || {
            unauthenticated("bad_admin_token", "this admin token is unknown, revoked or expired")
                .hint("sign in with portreeve login, or set PORTREEVE_TOKEN")
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
