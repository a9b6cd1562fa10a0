//! Third stage: a request that the ruleset permits.

use base::Timestamp;
use catalog::{ApiMode, Timeouts};
use policy::{Answers, Decided, Facts, Lookup, Permit, Refusal, draw_of};
use token::Verified;
use traffic::headers::Framing;
use traffic::{Reason, RolloutMark};

use super::facts::Reader;
use super::{Authenticated, Journal, JudgedBody, Received};
use crate::inspection;
use crate::lookup::{Asker, Lookups};
use crate::refusal::Refused;
use crate::screen::Screen;

/// A request that the ruleset permits.
pub(crate) struct Permitted<'h> {
    pub(super) received: Received<'h>,
    pub(super) who: Verified,
    pub(super) permit: Permit,
    /// What is to be done to the response.
    pub(super) screen: Option<Screen>,
}

/// What the ruleset says of a request that it does not refuse.
#[expect(clippy::large_enum_variant, reason = "nearly every request is permitted; a box costs it")]
pub(crate) enum Ruling<'h> {
    Permitted(Permitted<'h>),
    /// Something has to be known first.
    Waits(Pending),
}

/// How often sources are asked for one request: a second time when the ruleset changed meanwhile.
const ASKED_MAX: u8 = 2;

/// What has to be known before a request can be decided.
pub(crate) enum Needs {
    /// Its body. `refuses_ambiguity`: one with two readings is refused for that alone.
    Body { refuses_ambiguity: bool },
    /// What sources say.
    Relations(Asker, Vec<Lookup>),
}

/// A request that waits for something.
pub(crate) struct Pending {
    pub(crate) needs: Needs,
    pub(crate) journal: Journal,
    answers: Answers,
    asked: u8,
    pub(crate) framing: Framing,
    pub(crate) expects_continue: bool,
    /// The caller keeps its connection.
    pub(crate) keep_alive: bool,
    pub(crate) timeouts: Timeouts,
}

/// A request that begins again, with what it waited for.
pub(crate) struct Resumed<'b> {
    pub(crate) journal: Journal,
    pub(crate) body: Option<&'b JudgedBody>,
    pub(super) answers: Answers,
    pub(super) asked: u8,
    pub(super) now: Timestamp,
}

impl Resumed<'_> {
    /// A request that begins.
    pub(super) fn not(journal: Journal) -> Self {
        let now = journal.at();
        Self { journal, body: None, answers: Answers::default(), asked: 0, now }
    }
}

impl Pending {
    pub(super) fn new(received: Received<'_>, needs: Needs) -> Self {
        Self {
            needs,
            answers: received.answers,
            asked: received.asked,
            framing: received.fields.framing,
            expects_continue: received.fields.expects_continue,
            keep_alive: received.fields.keep_alive,
            timeouts: received.api.api().timeouts,
            journal: received.journal,
        }
    }

    /// Asks the sources, where it is they that have to be asked.
    pub(crate) async fn ask(&mut self, lookups: &Lookups) {
        if let Needs::Relations(asker, wanted) = &self.needs {
            for looked in lookups.ask(asker, wanted).await {
                self.answers.put(looked.lookup, looked.answer);
            }
            self.asked += 1;
        }
    }

    /// Begins again, with the body if it was read. A body may take its time: what was true when the
    /// head came, of credentials as of relations, is asked again.
    pub(crate) fn resume<'b>(self, body: Option<&'b JudgedBody>) -> Resumed<'b> {
        let Self { journal, answers, asked, needs, .. } = self;
        let now = journal.core().clock.now();
        match needs {
            Needs::Body { .. } => {
                Resumed { journal, body, answers: Answers::default(), asked: 0, now }
            }
            Needs::Relations(..) => Resumed { journal, body, answers, asked, now },
        }
    }
}

impl<'h> Permitted<'h> {
    pub(super) fn decide(authenticated: Authenticated<'h>) -> Result<Ruling<'h>, Refused> {
        let Authenticated { mut received, who } = authenticated;
        if let Some(body) = received.body.filter(|body| body.is_refused()) {
            return Err(ambiguous(received, body));
        }
        let (mut decided, mut mark) = decide(&received, &who);
        if let Ok(Decided::NeedsRelations(lookups)) = &decided {
            let known = &received.worker.core().lookups;
            if known.recall(&asker(&received, &who), lookups, &mut received.answers) {
                (decided, mark) = decide(&received, &who);
            }
        }
        let decided = decided.map_err(|refusal| {
            received.journal.note(|record| record.guardrails = refusal.forbidden_by());
            refusal.reason
        });
        if mark.is_some() {
            received.journal.note(|record| record.rollout = mark);
        }
        let reason = match decided {
            Ok(Decided::Permit(permit)) => match Screen::of(permit.shows()) {
                Ok(screen) => {
                    return Ok(Ruling::Permitted(Self { received, who, permit, screen }));
                }
                Err(reason) => reason,
            },
            Ok(Decided::NeedsBody) if received.body.is_none() => {
                let enforced = received.api.api().mode == ApiMode::Enforce;
                let needs = Needs::Body { refuses_ambiguity: enforced };
                return Ok(Ruling::Waits(Pending::new(received, needs)));
            }
            Ok(Decided::NeedsRelations(lookups)) if received.asked < ASKED_MAX => {
                let needs = Needs::Relations(asker(&received, &who), lookups);
                return Ok(Ruling::Waits(Pending::new(received, needs)));
            }
            Ok(Decided::NeedsRelations(_)) => Reason::RelationUnknown,
            // Asked again with the body, the answer cannot be that it is needed.
            Ok(Decided::NeedsBody) => Reason::PolicyError,
            Err(reason) => reason,
        };
        // A guardrail looks at what cannot be read there.
        if let Some(body) = received.body.filter(|_| reason == Reason::AmbiguousBody) {
            return Err(ambiguous(received, body));
        }
        let refused = Refused::new(received.journal, reason, &received.fields);
        Err(refused.for_api(received.api.api()))
    }
}

/// Asks the ruleset.
fn decide(
    received: &Received<'_>,
    who: &Verified,
) -> (Result<Decided, Refusal>, Option<RolloutMark>) {
    let reader = Reader::new(received);
    let facts = Facts {
        source: Some(received.source),
        draw: draw_of(received.journal.request_id().as_str()),
        request: &reader,
        answers: &received.answers,
    };
    let (api, operation, now) = (received.api, received.operation, received.now);
    received.ruleset.decide_rolled_out(who, api, operation, facts, now)
}

fn asker(received: &Received<'_>, who: &Verified) -> Asker {
    Asker { identity: who.identity().clone(), api: received.api.api().id.clone() }
}

fn ambiguous(mut received: Received<'_>, body: &JudgedBody) -> Refused {
    let told: Vec<_> = body.value().err().map(|why| format!("body {why}")).into_iter().collect();
    let kept = body.value().err().map(|why| inspection::unreadable_request(&why));
    received.journal.note(|record| inspection::keep(&mut record.violations, kept));
    let refused = Refused::new(received.journal, Reason::AmbiguousBody, &received.fields);
    refused.for_api(received.api.api()).telling(told)
}
