//! Between the permission and the limits: a request that keeps to the API's document, or whose API
//! does not insist on it.

use std::sync::Arc;

use catalog::CheckMode;
use contract::{Head, OperationContract, path};
use policy::CheckedContract;
use traffic::Reason;

use super::{Admitted, Needs, Pending, Permitted, Received};
use crate::inspection::{self, Plan, Sent, content_type};
use crate::refusal::{Refused, VIOLATIONS_TOLD_MAX};

/// A permitted request that was held against the document, where there is one to hold it against.
pub(crate) struct Checked<'h> {
    pub(super) permitted: Permitted<'h>,
    /// What is left to check while it is forwarded.
    pub(super) plan: Option<Plan>,
}

/// What is said of a request that is not refused.
#[expect(clippy::large_enum_variant, reason = "nearly every request is checked at once")]
pub(crate) enum Conformity<'h> {
    Checked(Checked<'h>),
    /// Its body is to be checked, and was not read yet.
    Waits(Pending),
}

/// What was found: for the record, and for the caller.
#[derive(Default)]
struct Found {
    kept: Vec<String>,
    told: Vec<String>,
}

/// What the body says.
enum Body {
    /// Nothing is left to look at.
    Done,
    /// It is to be read first.
    Needed,
    /// It is checked as it passes.
    Passes(Sent),
    /// It has two readings.
    Ambiguous,
}

impl<'h> Permitted<'h> {
    /// Holds the request against the API's document.
    pub(crate) fn check(self) -> Result<Conformity<'h>, Refused> {
        let received = &self.received;
        let checks = received.ruleset.contract(&received.api.api().id);
        let operation = received.operation.map(|operation| &operation.id);
        let (Some(checks), Some(operation)) = (checks, operation) else {
            return Ok(Conformity::Checked(Checked { permitted: self, plan: None }));
        };
        let Some(contract) = checks.operation(operation) else {
            return Ok(Conformity::Checked(Checked { permitted: self, plan: None }));
        };
        let mut plan =
            Plan { checks: Arc::clone(checks), operation: operation.clone(), request: None };
        if checks.requests == CheckMode::Off {
            return Ok(Conformity::Checked(Checked { permitted: self, plan: Some(plan) }));
        }
        let enforced = checks.requests == CheckMode::Enforce;
        let media = media_of(received);
        let mut found = of_head(received, contract, media.as_deref());
        // Of what is refused anyway no body is asked for.
        let body = match enforced && !found.kept.is_empty() {
            true => Body::Done,
            false => of_body(received, checks, contract, media, &mut found),
        };
        let is_ambiguous = matches!(body, Body::Ambiguous);
        match body {
            Body::Needed => {
                let needs = Needs::Body { refuses_ambiguity: true };
                return Ok(Conformity::Waits(Pending::new(self.received, needs)));
            }
            Body::Passes(sent) => plan.request = Some(sent),
            Body::Done | Body::Ambiguous => {}
        }
        self.conclude(found, plan, enforced, is_ambiguous)
    }

    fn conclude(
        mut self,
        found: Found,
        plan: Plan,
        enforced: bool,
        is_ambiguous: bool,
    ) -> Result<Conformity<'h>, Refused> {
        let is_broken = !found.kept.is_empty();
        let Found { kept, told } = found;
        self.received.journal.note(|record| inspection::keep(&mut record.violations, kept));
        if !(enforced && is_broken) {
            return Ok(Conformity::Checked(Checked { permitted: self, plan: Some(plan) }));
        }
        let reason = if is_ambiguous { Reason::AmbiguousBody } else { Reason::ContractViolation };
        let Received { journal, fields, api, .. } = self.received;
        Err(Refused::new(journal, reason, &fields).for_api(api.api()).telling(told))
    }
}

impl Checked<'_> {
    /// Holds the request against the limits.
    pub(crate) fn limit(self) -> Result<Admitted, Refused> {
        Admitted::within_limits(self)
    }
}

/// The media type of the request.
fn media_of(received: &Received<'_>) -> Option<String> {
    content_type(&fields_of(received, "content-type"))
}

/// The values of a field, as they are forwarded.
fn fields_of<'h>(received: &Received<'h>, name: &str) -> Vec<&'h [u8]> {
    let fields = received.arrival.fields.iter().enumerate();
    let travelling = fields.filter(|(index, field)| {
        received.fields.travels(*index) && field.name.eq_ignore_ascii_case(name)
    });
    travelling.map(|(_, field)| field.value).collect()
}

fn has_body(received: &Received<'_>) -> bool {
    match received.body {
        Some(body) => !body.bytes().is_empty(),
        None => !received.fields.framing.is_empty(),
    }
}

fn of_head(received: &Received<'_>, contract: &OperationContract, media: Option<&str>) -> Found {
    let template = received.operation.filter(|_| contract.reads_path());
    // A path that does not fit the template has no values, and misses those that it must have.
    let values = template.and_then(|op| path::values(&op.path, received.target.path()));
    let violations = contract.check_head(&Head {
        path_params: &values.unwrap_or_default(),
        query: received.target.query(),
        headers: &|name| fields_of(received, name),
        content_type: media,
        has_body: has_body(received),
    });
    let mut found = Found::default();
    found.add(&violations);
    found
}

fn of_body(
    received: &Received<'_>,
    checks: &CheckedContract,
    contract: &OperationContract,
    media: Option<String>,
    found: &mut Found,
) -> Body {
    if !has_body(received) || !contract.reads_body(media.as_deref()) {
        return Body::Done;
    }
    let Some(body) = received.body else {
        let is_encoded = !fields_of(received, "content-encoding").is_empty();
        return match checks.requests {
            CheckMode::Enforce => Body::Needed,
            CheckMode::Observe | CheckMode::Off => {
                Body::Passes(Sent { content_type: media, is_encoded })
            }
        };
    };
    if contract.reads_form(media.as_deref()) {
        match fields_of(received, "content-encoding").is_empty() {
            true => found.add(&contract.check_form(media.as_deref(), body.bytes())),
            false => found.unreadable("has a content coding"),
        }
        return Body::Done;
    }
    match body.value() {
        Ok(value) => found.add(&contract.check_body(media.as_deref(), value)),
        Err(why) => found.unreadable(&why),
    }
    if body.is_ambiguous() { Body::Ambiguous } else { Body::Done }
}

impl Found {
    fn unreadable(&mut self, why: &str) {
        self.kept.push(inspection::unreadable_request(why));
        self.told.push(format!("body {why}"));
    }

    fn add(&mut self, violations: &[contract::Violation]) {
        self.kept.extend(violations.iter().map(inspection::text_of));
        let room = VIOLATIONS_TOLD_MAX.saturating_sub(self.told.len());
        self.told.extend(violations.iter().take(room).map(ToString::to_string));
    }
}
