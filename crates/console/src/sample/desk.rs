//! The sample world as a [`Desk`]: the review can be decided, undone and signed, in memory.

use std::sync::{Mutex, MutexGuard, PoisonError};

use app::view::{
    ApiDetail, ApiView, AuditView, CallQuery, CallView, ChainStatus, ChangeReceipt, Explanation,
    FindingView, IdentityDetail, IdentityQuery, IdentityView, ItemView, NewDecision, Page,
    ReviewStatus, ReviewView, SearchHit, SignOffView, Today, WrittenRequest,
};
use app::{Actor, NewSession, Role, Session};
use base::Problem;

use crate::desk::{Act, Answer, AuditFilter, Desk, FindingFilter};
use crate::words;

/// Answers from sample data. Cookie and one-time code are the role's word: `admin`, `auditor`,
/// `member`.
#[derive(Debug)]
pub struct SampleDesk {
    items: Mutex<Vec<ItemView>>,
}

impl Default for SampleDesk {
    fn default() -> Self {
        Self { items: Mutex::new(super::items()) }
    }
}

impl SampleDesk {
    fn items(&self) -> MutexGuard<'_, Vec<ItemView>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn review(&self) -> ReviewView {
        let items = self.items();
        let of = |state: &str| {
            u64::try_from(items.iter().filter(|item| item.state == state).count()).unwrap_or(0)
        };
        let all = words::len(&items);
        let state = if of("decided") == all { "COMPLETED" } else { "ACTIVE" };
        ReviewView {
            state: state.to_owned(),
            drafted: of("drafted"),
            decided: of("decided"),
            ..super::review()
        }
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut ItemView)) -> Answer<ItemView> {
        let mut items = self.items();
        let item = items.iter_mut().find(|item| item.id == id);
        let item = item.ok_or_else(|| Problem::not_found("review item", id))?;
        if item.state == "decided" {
            return Err(Problem::conflict("signed", "This item is signed already."));
        }
        change(item);
        Ok(item.clone())
    }

    fn count(&self, verdict: &str) -> u64 {
        let items = self.items();
        let of = items.iter().filter(|item| item.verdict.as_deref() == Some(verdict));
        u64::try_from(of.count()).unwrap_or(0)
    }
}

fn one_page<T>(items: Vec<T>) -> Page<T> {
    Page { total: words::len(&items), items, next: None }
}

/// The draft takes access away.
fn takes(item: &ItemView) -> bool {
    item.state == "drafted" && matches!(item.verdict.as_deref(), Some("narrow" | "remove"))
}

fn is(name: &str, id: &str, what: &str) -> Answer<()> {
    if name == id { Ok(()) } else { Err(Problem::not_found(what, id)) }
}

impl Desk for SampleDesk {
    async fn redeem(&self, code: &str) -> Answer<NewSession> {
        self.session(code).await?;
        let expires_at = super::NOW + base::Span::from_days(1);
        Ok(NewSession { cookie: code.to_owned(), expires_at })
    }

    async fn session(&self, cookie: &str) -> Answer<Session> {
        let role: Role = cookie.parse().map_err(|_| {
            let detail = "This sign-in link was used already or is too old.";
            Problem::new(base::problem::ProblemKind::Unauthenticated, "bad_code", detail)
        })?;
        let viewer = super::viewer(role);
        Ok(Session { actor: viewer.actor, csrf: viewer.csrf })
    }

    async fn sign_out(&self, _: &str) -> Answer<()> {
        Ok(())
    }

    async fn today(&self, _: &Actor) -> Answer<Today> {
        Ok(Today { reviews: vec![self.review()], ..super::today() })
    }

    async fn reviews(&self, _: &Actor) -> Answer<Vec<ReviewView>> {
        let mut reviews = super::reviews();
        if let Some(first) = reviews.first_mut() {
            *first = self.review();
        }
        Ok(reviews)
    }

    async fn review_status(&self, _: &Actor, review: &str) -> Answer<ReviewStatus> {
        is("machines", review, "review")?;
        Ok(ReviewStatus { review: self.review(), ..super::status_completed() })
    }

    async fn review_items(&self, _: &Actor, review: &str) -> Answer<Vec<ItemView>> {
        is("machines", review, "review")?;
        Ok(self.items().clone())
    }

    async fn decide(&self, _: &Actor, item: &str, decision: NewDecision) -> Answer<ItemView> {
        let suggested = self
            .items()
            .iter()
            .find(|known| known.id == item)
            .map(|known| known.recommendation.verdict.clone());
        let against = suggested.is_some_and(|word| word != "none" && word != decision.verdict);
        let note = decision.note.filter(|note| !note.trim().is_empty());
        if against && note.is_none() {
            let detail = "This goes against the recommendation: say why in a note.";
            return Err(Problem::invalid("note_required", detail));
        }
        self.change(item, |item| {
            item.state = "drafted".to_owned();
            item.verdict = Some(decision.verdict);
            item.note = note;
        })
    }

    async fn undo(&self, _: &Actor, item: &str) -> Answer<ItemView> {
        self.change(item, |item| {
            item.state = "open".to_owned();
            item.verdict = None;
            item.note = None;
        })
    }

    async fn sign_off(&self, _: &Actor, review: &str) -> Answer<SignOffView> {
        is("machines", review, "review")?;
        let items = self.items().clone();
        let open = items.iter().filter(|item| item.state == "open").count();
        let differs = |item: &ItemView| {
            item.state == "drafted"
                && item.recommendation.verdict != "none"
                && item.verdict.as_ref() != Some(&item.recommendation.verdict)
        };
        Ok(SignOffView {
            review: self.review(),
            keep: self.count("keep"),
            narrow: self.count("narrow"),
            remove: self.count("remove"),
            open: u64::try_from(open).unwrap_or(0),
            changes: items.iter().filter(|item| takes(item)).cloned().collect(),
            against: items.into_iter().filter(differs).collect(),
            ..super::sign_off()
        })
    }

    async fn sign(&self, actor: &Actor, review: &str, _: &str) -> Answer<ReviewStatus> {
        for item in self.items().iter_mut().filter(|item| item.state == "drafted") {
            item.state = "decided".to_owned();
            item.decided_at = Some(super::NOW.to_string());
        }
        self.review_status(actor, review).await
    }

    async fn evidence(&self, _: &Actor, review: &str) -> Answer<Vec<u8>> {
        is("machines", review, "review")?;
        Ok(b"{\"sample\":true}".to_vec())
    }

    async fn identities(&self, _: &Actor, _: IdentityQuery) -> Answer<Page<IdentityView>> {
        Ok(one_page(super::identities()))
    }

    async fn identity(&self, _: &Actor, id: &str) -> Answer<IdentityDetail> {
        let mut detail = super::identity_detail();
        let known = super::identities().into_iter().find(|identity| identity.id == id);
        detail.identity = known.ok_or_else(|| Problem::not_found("identity", id))?;
        Ok(detail)
    }

    async fn apis(&self, _: &Actor) -> Answer<Vec<ApiView>> {
        Ok(super::apis())
    }

    async fn api(&self, _: &Actor, id: &str) -> Answer<ApiDetail> {
        is("orders", id, "API")?;
        Ok(super::api_detail())
    }

    async fn calls(&self, _: &Actor, query: CallQuery) -> Answer<Page<CallView>> {
        let mut calls = super::calls();
        calls.retain(|call| query.outcome.as_ref().is_none_or(|wanted| *wanted == call.outcome));
        Ok(one_page(calls))
    }

    async fn explain(&self, _: &Actor, request_id: &str) -> Answer<Explanation> {
        let known = [super::explanation(), super::explanation_of_refusal()];
        let found = known.into_iter().find(|known| known.call.request_id == request_id);
        found.ok_or_else(|| Problem::not_found("request", request_id))
    }

    async fn explain_written(&self, _: &Actor, request: WrittenRequest) -> Answer<Explanation> {
        match request.identity.as_str() {
            "svc-invoice-export" => Ok(super::explanation_of_written()),
            other => Err(Problem::not_found("identity", other)),
        }
    }

    async fn findings(&self, _: &Actor, _: &FindingFilter) -> Answer<Vec<FindingView>> {
        Ok(super::findings())
    }

    async fn audit_events(&self, _: &Actor, _: &AuditFilter) -> Answer<Page<AuditView>> {
        Ok(one_page(super::audit_events()))
    }

    async fn chain_status(&self, _: &Actor) -> Answer<ChainStatus> {
        Ok(super::chain_intact())
    }

    async fn search(&self, _: &Actor, text: &str) -> Answer<Vec<SearchHit>> {
        let known = super::identities().into_iter().filter(|known| known.name.contains(text));
        let hit = |known: IdentityView| SearchHit {
            kind: "identity".to_owned(),
            id: known.id,
            name: known.name,
        };
        Ok(known.map(hit).collect())
    }

    async fn act(&self, _: &Actor, _: Act, _: &str, _: &str) -> Answer<ChangeReceipt> {
        Ok(ChangeReceipt { change: 813, receipts: Vec::new(), rollout_returned: None })
    }
}
