//! What the console asks of the application. [`app::App`] answers in production; the sample world
//! answers in the gallery and in page tests, so that every page can be seen in every state without
//! a database.

mod application;

use std::future::Future;

use app::view::{
    ApiDetail, ApiView, AuditView, CallQuery, CallView, ChainStatus, ChangeReceipt, Explanation,
    FindingView, IdentityDetail, IdentityQuery, IdentityView, ItemView, NewDecision, Page,
    ReviewStatus, ReviewView, SearchHit, SignOffView, Today, WrittenRequest,
};
use app::{Actor, NewSession, Session};
use base::Problem;

/// The outcome of a use case.
pub type Answer<T> = Result<T, Problem>;

/// Which findings to list. Empty members do not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingFilter {
    /// Rule id.
    pub rule: String,
    /// `open` or `resolved`.
    pub state: String,
}

/// Which administrative events to list. Empty members do not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// `kind/id`.
    pub subject: String,
    /// Event code.
    pub event: String,
    /// Who acted.
    pub actor: String,
    /// Only entries before this sequence.
    pub before: Option<u64>,
}

/// What a person does to one object, with the reason they give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Stops an identity, reversibly.
    SuspendIdentity,
    /// Lets it call again.
    ResumeIdentity,
    /// Ends a credential for good.
    RevokeKey,
    /// Ends a grant for good.
    RevokeGrant,
}

macro_rules! asks {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $kind:ty),*) -> $out:ty;)*) => {
        /// The use cases behind the pages. The first argument is who asks; what they may not see is
        /// answered as not found.
        pub trait Desk: Send + Sync + 'static {
            $($(#[$doc])*
            fn $name(&self, $($arg: $kind),*) -> impl Future<Output = Answer<$out>> + Send;)*
        }
    };
}

asks! {
    /// Opens a session with a one-time code, which is used up.
    fn redeem(code: &str) -> NewSession;
    /// Whose session this is.
    fn session(cookie: &str) -> Session;
    /// Ends a session.
    fn sign_out(cookie: &str) -> ();
    /// What waits for the person.
    fn today(actor: &Actor) -> Today;
    /// Campaigns with items that the person may see.
    fn reviews(actor: &Actor) -> Vec<ReviewView>;
    /// Progress and proof of one.
    fn review_status(actor: &Actor, review: &str) -> ReviewStatus;
    /// Its items.
    fn review_items(actor: &Actor, review: &str) -> Vec<ItemView>;
    /// Drafts a decision.
    fn decide(actor: &Actor, item: &str, decision: NewDecision) -> ItemView;
    /// Takes a draft back.
    fn undo(actor: &Actor, item: &str) -> ItemView;
    /// What signing would do.
    fn sign_off(actor: &Actor, review: &str) -> SignOffView;
    /// Signs the drafts that `drafts_digest` names.
    fn sign(actor: &Actor, review: &str, drafts_digest: &str) -> ReviewStatus;
    /// The evidence bundle of a campaign.
    fn evidence(actor: &Actor, review: &str) -> Vec<u8>;
    /// Identities, 50 a page.
    fn identities(actor: &Actor, query: IdentityQuery) -> Page<IdentityView>;
    /// Everything on one identity.
    fn identity(actor: &Actor, id: &str) -> IdentityDetail;
    /// All APIs.
    fn apis(actor: &Actor) -> Vec<ApiView>;
    /// Everything on one API.
    fn api(actor: &Actor, id: &str) -> ApiDetail;
    /// Recorded calls, newest first.
    fn calls(actor: &Actor, query: CallQuery) -> Page<CallView>;
    /// Why a request was decided as it was.
    fn explain(actor: &Actor, request_id: &str) -> Explanation;
    /// Why a written request would be decided as it would.
    fn explain_written(actor: &Actor, request: WrittenRequest) -> Explanation;
    /// Detected problems.
    fn findings(actor: &Actor, filter: &FindingFilter) -> Vec<FindingView>;
    /// Administrative events, newest first.
    fn audit_events(actor: &Actor, filter: &AuditFilter) -> Page<AuditView>;
    /// Whether the ledger's chain holds.
    fn chain_status(actor: &Actor) -> ChainStatus;
    /// Objects by name or id.
    fn search(actor: &Actor, text: &str) -> Vec<SearchHit>;
    /// Changes one object at once, enforced before this returns.
    fn act(actor: &Actor, act: Act, id: &str, reason: &str) -> ChangeReceipt;
}
