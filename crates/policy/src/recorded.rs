//! A recorded request, as conditions read it. What no record keeps counts as not read yet, so that
//! an answer that depends on it says so.

use base::IdentityId;
use catalog::{Accept, Api, Operation};
use grant::Place;
use identity::{Binding, CredentialClass};
use traffic::CallRecord;

use crate::facts::{Reading, Request, Writes};
use crate::{Caller, Ruleset, reading};

/// What a record keeps of a request: its path, and whether there was a body.
#[derive(Debug, Clone, Copy)]
pub struct RecordedRequest<'a> {
    record: &'a CallRecord,
    template: Option<&'a str>,
}

impl<'a> RecordedRequest<'a> {
    /// The request of a record, to this operation.
    pub fn new(record: &'a CallRecord, operation: Option<&'a Operation>) -> Self {
        Self { record, template: operation.map(|operation| operation.path.as_str()) }
    }
}

impl Request for RecordedRequest<'_> {
    fn read(&self, place: &Place) -> Reading<'_> {
        let Place::Path(name) = place else { return Reading::Later };
        reading::path(self.template, &self.record.path, name)
    }

    fn writes(&self, _allowed: &[String]) -> Writes {
        if self.record.bytes_in == 0 { Writes::Within } else { Writes::Later }
    }
}

impl Ruleset {
    /// Who made a recorded call, as far as the record says: the claims and scopes of a token are not
    /// kept.
    pub fn recorded_caller<'a>(
        &self,
        record: &CallRecord,
        identity: &'a IdentityId,
        api: &Api,
    ) -> Caller<'a> {
        let known = record.credential_id.as_ref().and_then(|id| self.class_of(id));
        let class = known.unwrap_or_else(|| accepted_by(api));
        // A certificate always is bound to its connection.
        let mutual = (class == CredentialClass::Certificate).then_some(Binding::Mtls);
        let who = Caller::supposed(identity, class).bound(record.binding.or(mutual));
        let may_claim = match known {
            Some(class) => class == CredentialClass::IssuerSubject,
            None => api.accept.contains(&Accept::Token),
        };
        if may_claim { who.without_claims_kept() } else { who }
    }
}

/// The kind of a credential that is not known any more: one that got so far was of an accepted kind.
fn accepted_by(api: &Api) -> CredentialClass {
    match api.accept.as_slice() {
        [Accept::Token] => CredentialClass::IssuerSubject,
        [Accept::Certificate] => CredentialClass::Certificate,
        _ => CredentialClass::ApiKey,
    }
}
