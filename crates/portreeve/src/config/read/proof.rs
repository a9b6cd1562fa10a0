//! How callers can prove more than a bearer can: client certificates, and proofs of possession.

use base::Span;
use toml::Spanned;

use super::super::raw::{RawDpop, RawTls};
use super::super::settings::{ClientFiles, TlsFiles};
use super::Reader;

/// The longest that a proof may be good for: each is remembered so long.
const LIFETIME_MAX: Span = Span::from_secs(600);

impl Reader<'_> {
    pub(super) fn tls(&mut self, raw: RawTls) -> TlsFiles {
        let clients = match (raw.client_roots, raw.client_certificates) {
            (Some(roots), wanted) => {
                let required = wanted.is_some_and(|word| word.get_ref() == "required");
                Some(ClientFiles { roots: self.folder.join(roots), required })
            }
            (None, Some(wanted)) => {
                let what = "nobody vouches for client certificates";
                self.wrong(what, wanted.span(), "name who does in client-roots, a PEM file");
                None
            }
            (None, None) => None,
        };
        let (cert, key) = (self.folder.join(raw.cert), self.folder.join(raw.key));
        TlsFiles { cert, key, clients }
    }

    pub(super) fn proof_lifetime(&mut self, raw: RawDpop) -> Span {
        let given = raw.lifetime.as_ref();
        // The shape was checked: this is a duration.
        let span = given.and_then(|given: &Spanned<String>| Span::parse(given.get_ref()).ok());
        let Some((given, span)) = given.zip(span) else {
            return proxy::GateConfig::default().proofs.lifetime;
        };
        if span.as_micros() == 0 || span > LIFETIME_MAX {
            let what = format!("a proof is good for more than 0s and at most {LIFETIME_MAX}");
            self.wrong(what, given.span(), "60s is usual: each proof is for one request");
        }
        span
    }
}
