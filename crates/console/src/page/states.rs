//! Every page in every state, from sample data. The gallery serves them, the page tests render
//! them; a page that is not here has not been looked at.

use app::Role;
use app::view::{AuditView, Page, SearchHit};
use askama::Template;
use base::Problem;

use super::api::ApiPage;
use super::apis::ApisPage;
use super::audit::AuditPage;
use super::calls::{self, CallsPage};
use super::error::ErrorPage;
use super::explain::{self, ExplainPage};
use super::findings::FindingsPage;
use super::identities::{self, IdentitiesPage};
use super::identity::IdentityPage;
use super::result::ResultPage;
use super::review::{Asked, List, ReviewPage, RowError, Tab};
use super::reviews::ReviewsPage;
use super::search::SearchPage;
use super::sign_in::SignInPage;
use super::sign_off::SignOffPage;
use super::today::TodayPage;
use crate::desk::{AuditFilter, FindingFilter};
use crate::shell::{Grouping, Section, Shell};
use crate::{sample, words};

/// One page in one state.
pub struct State {
    /// The page's name.
    pub page: &'static str,
    /// The state's name.
    pub state: &'static str,
    /// The rendered page.
    pub html: String,
}

struct States(Vec<State>);

impl States {
    fn add(&mut self, page: &'static str, state: &'static str, template: &impl Template) {
        let html = template.render().unwrap_or_else(|error| format!("not rendered: {error}"));
        self.0.push(State { page, state, html });
    }
}

/// All of them, in the order of the navigation.
pub fn all() -> Vec<State> {
    let mut states = States(Vec::new());
    arriving(&mut states);
    reviewing(&mut states);
    signing(&mut states);
    access(&mut states);
    activity(&mut states);
    errors(&mut states);
    states.0
}

fn shell(section: Section) -> Shell {
    sample::shell(section)
}

fn page_of<T>(items: Vec<T>) -> Page<T> {
    Page { total: words::len(&items), items, next: None }
}

fn arriving(states: &mut States) {
    let nobody = || Shell { viewer: None, ..shell(Section::Elsewhere) };
    let sign_in = |refused, left| SignInPage { shell: nobody(), refused, left };
    states.add("sign-in", "plain", &sign_in(false, false));
    states.add("sign-in", "refused", &sign_in(true, false));
    states.add("sign-in", "left", &sign_in(false, true));
    let today = |today| TodayPage { shell: shell(Section::Today), today };
    states.add("today", "quiet", &today(sample::today_quiet()));
    states.add("today", "many", &today(sample::today()));
    let mut member = today(sample::today());
    member.shell.viewer = Some(sample::viewer(Role::Member));
    states.add("today", "member", &member);
}

fn review_page(
    tab: Tab,
    group: Grouping,
    change: impl FnOnce(&mut Vec<app::view::ItemView>),
) -> ReviewPage {
    let mut items = sample::items();
    change(&mut items);
    let asked = Asked { tab: Some(tab), group: Some(group), ..Asked::default() };
    ReviewPage {
        shell: shell(Section::Reviews),
        review: sample::review(),
        list: List::new(items, asked, group),
        done: None,
    }
}

fn reviewing(states: &mut States) {
    let reviews = |reviews| ReviewsPage { shell: shell(Section::Reviews), reviews };
    states.add("reviews", "empty", &reviews(Vec::new()));
    states.add("reviews", "one", &reviews(vec![sample::review()]));
    states.add("reviews", "many", &reviews(sample::reviews()));
    let by = |tab, group| review_page(tab, group, |_| ());
    states.add("review", "look", &by(Tab::Look, Grouping::Api));
    states.add("review", "quiet", &by(Tab::Quiet, Grouping::Identity));
    states.add("review", "decided", &by(Tab::Decided, Grouping::Flat));
    states.add("review", "one", &review_page(Tab::Look, Grouping::Api, |items| items.truncate(1)));
    states.add("review", "empty", &review_page(Tab::Look, Grouping::Api, Vec::clear));
    states.add(
        "review",
        "all-decided",
        &review_page(Tab::Look, Grouping::Api, |items| {
            items.retain(|item| item.state != "open");
        }),
    );
    states.add(
        "review",
        "not-mine",
        &review_page(Tab::Look, Grouping::Api, |items| {
            items.iter_mut().for_each(|item| item.mine = false);
        }),
    );
    let mut refused = by(Tab::Look, Grouping::Api);
    let rows = refused.list.groups.iter_mut().flat_map(|group| group.rows.iter_mut());
    for row in rows.take(1) {
        row.error = Some(RowError {
            message: "This goes against the recommendation: say why in a note.".to_owned(),
            verdict: "keep".to_owned(),
            note: String::new(),
        });
    }
    states.add("review", "refused", &refused);
    let mut done = by(Tab::Look, Grouping::Api);
    done.done = sample::items().into_iter().find(|item| item.id == "item_6");
    states.add("review", "done", &done);
}

fn signing(states: &mut States) {
    let sign_off = |view, refused| SignOffPage::new(shell(Section::Reviews), view, refused);
    states.add("sign-off", "many", &sign_off(sample::sign_off(), None));
    let mut nothing = sample::sign_off();
    (nothing.keep, nothing.remove, nothing.against) = (0, 0, Vec::new());
    nothing.changes.clear();
    states.add("sign-off", "empty", &sign_off(nothing, None));
    let stale = "The drafts have changed since you saw them.".to_owned();
    states.add("sign-off", "refused", &sign_off(sample::sign_off(), Some(stale)));
    let result = |status| ResultPage::new(shell(Section::Reviews), status, &sample::signed_items());
    let mut open = sample::status_completed();
    (open.review, open.remediations) = (sample::review(), Vec::new());
    (open.kept, open.narrowed, open.removed) = (0, 0, 0);
    (open.probe, open.applied_in_ms) = ("none".to_owned(), None);
    let mut items = sample::items();
    items.iter_mut().for_each(|item| item.decided_at = None);
    let unsigned = ResultPage::new(shell(Section::Reviews), open, &items);
    states.add("result", "not-signed", &unsigned);
    states.add("result", "completed", &result(sample::status_completed()));
    states.add("result", "verifying", &result(sample::status_verifying()));
    let mut member = result(sample::status_completed());
    member.shell.viewer = Some(sample::viewer(Role::Member));
    states.add("result", "member", &member);
    let mut kept = sample::status_completed();
    kept.remediations.clear();
    (kept.kept, kept.narrowed, kept.removed) = (7, 0, 0);
    (kept.probe, kept.applied_in_ms) = ("none".to_owned(), None);
    states.add("result", "all-kept", &result(kept));
}

fn access(states: &mut States) {
    let identities = |rows, q: &str| IdentitiesPage {
        shell: shell(Section::Access),
        rows: page_of(rows),
        asked: identities::Asked { q: q.to_owned(), ..identities::Asked::default() },
    };
    states.add("identities", "empty", &identities(Vec::new(), ""));
    states.add("identities", "no-match", &identities(Vec::new(), "nobody"));
    states.add("identities", "many", &identities(sample::identities(), ""));
    let identity = |detail| IdentityPage { shell: shell(Section::Access), detail };
    states.add("identity", "many", &identity(sample::identity_detail()));
    let mut bare = sample::identity_detail();
    (bare.grants, bare.credentials) = (Vec::new(), Vec::new());
    (bare.findings, bare.recent_calls, bare.groups) = (Vec::new(), Vec::new(), Vec::new());
    bare.identity = sample::identity("ci-release", "ci_pipeline", None, "suspended");
    states.add("identity", "empty", &identity(bare));
    let mut foreign = identity(sample::identity_detail());
    foreign.shell.viewer = Some(sample::viewer(Role::Auditor));
    states.add("identity", "auditor", &foreign);
    let apis = |apis| ApisPage { shell: shell(Section::Apis), apis };
    states.add("apis", "empty", &apis(Vec::new()));
    states.add("apis", "many", &apis(sample::apis()));
    let mut none = apis(Vec::new());
    none.shell.viewer = Some(sample::viewer(Role::Member));
    states.add("apis", "none-of-yours", &none);
    let gate_url = sample::config().gate_url;
    let api = |detail| ApiPage { shell: shell(Section::Apis), detail, gate_url: gate_url.clone() };
    states.add("api", "many", &api(sample::api_detail()));
    let mut silent = sample::api_detail();
    silent.grants.clear();
    silent.operations.iter_mut().for_each(|operation| operation.calls_90d = 0);
    states.add("api", "no-calls", &api(silent));
}

fn activity(states: &mut States) {
    let section = Section::Activity;
    let calls = |rows| CallsPage {
        shell: shell(section),
        rows: page_of(rows),
        asked: calls::Asked { since: "24h".to_owned(), ..calls::Asked::default() },
    };
    states.add("calls", "empty", &calls(Vec::new()));
    states.add("calls", "many", &calls(sample::calls()));
    let explained = |id: &str, found| ExplainPage {
        shell: shell(section),
        asked: explain::Asked { id: id.to_owned(), ..explain::Asked::default() },
        wrong: None,
        found,
    };
    states.add("explain", "blank", &explained("", None));
    states.add("explain", "unknown", &explained("r_01kafz9q", None));
    states.add("explain", "allowed", &explained("r_1", Some(sample::explanation())));
    states.add("explain", "refused", &explained("r_2", Some(sample::explanation_of_refusal())));
    let nobody = Some(sample::explanation_without_credential());
    states.add("explain", "no-credential", &explained("r_3", nobody));
    let asked = explain::Asked {
        identity: "svc-invoice-export".to_owned(),
        request: "POST /orders/42/refund".to_owned(),
        ..explain::Asked::default()
    };
    let written =
        |wrong, found| ExplainPage { shell: shell(section), asked: asked.clone(), wrong, found };
    states.add("explain", "written", &written(None, Some(sample::explanation_of_written())));
    let wrong = "`refund` is not a method and a target".to_owned();
    states.add("explain", "written-wrong", &written(Some(wrong), None));
    let filter = FindingFilter { state: "open".to_owned(), ..FindingFilter::default() };
    let findings = |rows| FindingsPage::new(shell(section), rows, filter.clone());
    states.add("findings", "empty", &findings(Vec::new()));
    states.add("findings", "many", &findings(sample::findings()));
    let audit = |rows: Vec<AuditView>, chain| AuditPage {
        shell: shell(section),
        rows: page_of(rows),
        chain,
        filter: AuditFilter::default(),
    };
    states.add("audit", "many", &audit(sample::audit_events(), sample::chain_intact()));
    states.add("audit", "broken", &audit(sample::audit_events(), sample::chain_broken()));
    states.add("audit", "no-match", &audit(Vec::new(), sample::chain_intact()));
    let search = |text: &str, hits| SearchPage {
        shell: shell(Section::Elsewhere),
        text: text.to_owned(),
        hits,
    };
    let hit = |kind: &str, id: &str| SearchHit {
        kind: kind.to_owned(),
        id: id.to_owned(),
        name: id.to_owned(),
    };
    states.add("search", "none", &search("zebra", Vec::new()));
    let hits = vec![hit("identity", "svc-invoice-export"), hit("api", "orders")];
    states.add("search", "many", &search("or", hits));
}

fn errors(states: &mut States) {
    let mut error = |state, status, problem: Problem| {
        let page = ErrorPage::new(shell(Section::Elsewhere), status, &problem);
        states.add("error", state, &page);
    };
    error("403", 403, Problem::forbidden("not_owner", "Only an administrator may suspend it."));
    error("404", 404, Problem::not_found("review", "machines"));
    error("409", 409, Problem::conflict("signed", "This review is signed already."));
    error("500", 500, Problem::internal("the disk is full at /secret/path"));
}

#[cfg(test)]
mod tests;
