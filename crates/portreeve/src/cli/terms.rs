//! The terms of a grant as options.

use app::view::{GrantView, TermsView};

use base::{Clock, Timestamp};

use crate::failure::Failure;
use crate::system::SystemClock;

/// Under which circumstances a grant allows. Without any of these it allows always.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Terms")]
pub(crate) struct TermsArgs {
    /// Tie the object to the caller, e.g. "path.tenant = identity.tenant"; several times: all hold
    #[arg(long = "when", value_name = "TIE")]
    ties: Vec<String>,
    /// Only from these networks
    #[arg(long = "from", value_name = "NET[,NET…]", value_delimiter = ',')]
    networks: Vec<String>,
    /// Only at these hours, e.g. "mon-fri 08:00-18:00 +01:00"; several times: any of them
    #[arg(long = "hours", value_name = "H")]
    hours: Vec<String>,
    /// Only callers of these environments
    #[arg(long = "for-environment", value_name = "E[,E…]", value_delimiter = ',')]
    environments: Vec<String>,
    /// Only with these kinds of credential
    #[arg(long = "with", value_name = "CLASS[,CLASS…]", value_delimiter = ',')]
    credentials: Vec<String>,
    /// Only with a proof that is at least this strong
    #[arg(long, value_name = "S", value_parser = ["shared_secret", "signed_token", "sender_constrained"])]
    strength: Option<String>,
    /// Only with a proof that is bound to its sender so: mtls, dpop
    #[arg(long = "bound", value_name = "B[,B…]", value_delimiter = ',', value_parser = ["mtls", "dpop"])]
    bindings: Vec<String>,
    /// Properties that a request's JSON body may have; no others
    #[arg(long = "writes", value_name = "F[,F…]", value_delimiter = ',')]
    writable: Option<Vec<String>>,
    /// It allows until then unless a review keeps it: a date, a time, or a duration from now
    #[arg(long, value_name = "T")]
    certified_until: Option<String>,
}

impl TermsArgs {
    /// `None` when none was given.
    pub(crate) fn view(self) -> Result<Option<TermsView>, Failure> {
        let view = TermsView {
            environments: self.environments,
            hours: self.hours,
            networks: self.networks,
            credentials: self.credentials,
            strength: self.strength,
            bindings: self.bindings,
            ties: self.ties,
            writable: self.writable,
            certified_until: self
                .certified_until
                .as_deref()
                .map(|text| super::grant::moment_of(text, "--certified-until"))
                .transpose()?,
        };
        Ok((view != TermsView::default()).then_some(view))
    }
}

/// Whether the date until which a review would have had to keep it has passed: it allows nothing.
pub(crate) fn is_uncertified(grant: &GrantView, now: Timestamp) -> bool {
    let until = grant.terms.as_ref().and_then(|terms| terms.certified_until.as_deref());
    until.and_then(|until| Timestamp::parse(until).ok()).is_some_and(|until| until <= now)
}

/// What makes a grant allow less than its operations, a line each.
pub(crate) fn lines(grant: &GrantView) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = |what: &str, values: &[String]| {
        if !values.is_empty() {
            lines.push(format!("{what} {}", values.join(", ")));
        }
    };
    line("shows", grant.fields.as_deref().unwrap_or_default());
    if let Some(terms) = &grant.terms {
        line("when", &terms.ties);
        line("from", &terms.networks);
        line("at", &terms.hours);
        line("for callers of", &terms.environments);
        line("with", &terms.credentials);
        line("with a proof of strength", terms.strength.as_slice());
        line("bound by", &terms.bindings);
        line("writes", terms.writable.as_deref().unwrap_or_default());
        let kept = if is_uncertified(grant, SystemClock.now()) {
            "was kept until"
        } else {
            "unless kept, until"
        };
        line(kept, terms.certified_until.as_slice());
    }
    if let Some(taken) = &grant.withdrawal {
        let how = match taken.stage.as_str() {
            "log_only" => "in the log only".to_owned(),
            _ => format!("for {}.{:02} % of requests", taken.share / 100, taken.share % 100),
        };
        lines.push(format!("being taken back {how} since {} by {}", taken.since, taken.by));
    }
    lines
}
