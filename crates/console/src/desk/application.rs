//! The application as the console's [`Desk`]: one line per use case.

use app::findings::FindingQuery;
use app::view::{
    ApiDetail, ApiView, AuditQuery, AuditView, CallQuery, CallView, ChainStatus, ChangeReceipt,
    Explanation, FindingView, IdentityDetail, IdentityQuery, IdentityView, ItemView, NewDecision,
    Page, ReviewStatus, ReviewView, SearchHit, SignOffView, Today, WrittenRequest,
};
use app::{Actor, App, NewSession, Session};

use super::{Act, Answer, AuditFilter, Desk, FindingFilter};
use crate::page::given;

impl Desk for App {
    async fn redeem(&self, code: &str) -> Answer<NewSession> {
        Self::redeem(self, code).await
    }

    async fn session(&self, cookie: &str) -> Answer<Session> {
        Self::session(self, cookie).await
    }

    async fn sign_out(&self, cookie: &str) -> Answer<()> {
        Self::sign_out(self, cookie).await
    }

    async fn today(&self, actor: &Actor) -> Answer<Today> {
        Self::today(self, actor).await
    }

    async fn reviews(&self, actor: &Actor) -> Answer<Vec<ReviewView>> {
        Self::reviews(self, actor).await
    }

    async fn review_status(&self, actor: &Actor, review: &str) -> Answer<ReviewStatus> {
        Self::review_status(self, actor, review).await
    }

    async fn review_items(&self, actor: &Actor, review: &str) -> Answer<Vec<ItemView>> {
        Self::review_items(self, actor, review).await
    }

    async fn decide(&self, actor: &Actor, item: &str, decision: NewDecision) -> Answer<ItemView> {
        Self::decide(self, actor, item, decision).await
    }

    async fn undo(&self, actor: &Actor, item: &str) -> Answer<ItemView> {
        Self::undo(self, actor, item).await
    }

    async fn sign_off(&self, actor: &Actor, review: &str) -> Answer<SignOffView> {
        Self::sign_off(self, actor, review).await
    }

    async fn sign(&self, actor: &Actor, review: &str, drafts: &str) -> Answer<ReviewStatus> {
        Self::sign(self, actor, review, Some(drafts)).await
    }

    async fn evidence(&self, actor: &Actor, review: &str) -> Answer<Vec<u8>> {
        self.build_evidence(actor, review).await
    }

    async fn identities(&self, actor: &Actor, query: IdentityQuery) -> Answer<Page<IdentityView>> {
        Self::identities(self, actor, query).await
    }

    async fn identity(&self, actor: &Actor, id: &str) -> Answer<IdentityDetail> {
        Self::identity(self, actor, id).await
    }

    async fn apis(&self, actor: &Actor) -> Answer<Vec<ApiView>> {
        Self::apis(self, actor).await
    }

    async fn api(&self, actor: &Actor, id: &str) -> Answer<ApiDetail> {
        Self::api(self, actor, id).await
    }

    async fn calls(&self, actor: &Actor, query: CallQuery) -> Answer<Page<CallView>> {
        Self::calls(self, actor, query).await
    }

    async fn explain(&self, actor: &Actor, request_id: &str) -> Answer<Explanation> {
        Self::explain(self, actor, request_id).await
    }

    async fn explain_written(&self, actor: &Actor, request: WrittenRequest) -> Answer<Explanation> {
        Self::explain_written(self, actor, request).await
    }

    async fn findings(&self, actor: &Actor, filter: &FindingFilter) -> Answer<Vec<FindingView>> {
        let query = FindingQuery {
            rule: given(filter.rule.clone()),
            state: given(filter.state.clone()),
            ..FindingQuery::default()
        };
        Self::findings(self, actor, query).await
    }

    async fn audit_events(&self, actor: &Actor, filter: &AuditFilter) -> Answer<Page<AuditView>> {
        let query = AuditQuery {
            subject: given(filter.subject.clone()),
            event: given(filter.event.clone()),
            actor: given(filter.actor.clone()),
            before: filter.before,
            limit: None,
        };
        Self::audit_events(self, actor, query).await
    }

    async fn chain_status(&self, actor: &Actor) -> Answer<ChainStatus> {
        Self::chain_status(self, actor).await
    }

    async fn search(&self, actor: &Actor, text: &str) -> Answer<Vec<SearchHit>> {
        Self::search(self, actor, text).await
    }

    async fn act(&self, actor: &Actor, act: Act, id: &str, reason: &str) -> Answer<ChangeReceipt> {
        match act {
            Act::SuspendIdentity => self.suspend_identity(actor, id, reason).await,
            Act::ResumeIdentity => self.resume_identity(actor, id, reason).await,
            Act::RevokeKey => self.revoke_key(actor, id, reason).await,
            Act::RevokeGrant => self.revoke_grant(actor, id, reason).await,
        }
    }
}
