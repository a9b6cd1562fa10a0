//! Client certificates as credentials: found by their SHA-256, which callers show in mutual TLS.

use base::{Digest, Problem, Timestamp};
use identity::CredentialClass;
use x509_parser::pem::Pem;
use x509_parser::prelude::X509Certificate;

use super::Made;
use crate::view::NewCredential;

/// The longest file that is read, in bytes.
const PEM_BYTES_MAX: usize = 64 * 1024;
/// The longest name of a subject that a label shows, in characters.
const NAME_CHARS_MAX: usize = 80;
/// How much of the SHA-256 a label shows, in hexadecimal digits.
const DIGITS: usize = 16;

/// The credential that the first certificate of the text is.
pub(super) fn made(new: &NewCredential, now: Timestamp) -> Result<Made, Problem> {
    let bad = |reason: &'static str, detail: String| {
        Problem::invalid(reason, detail).at("certificate").hint(
            "give the client's own certificate in PEM, `-----BEGIN CERTIFICATE-----` and so on",
        )
    };
    let text = new.certificate.as_deref();
    let text = text.ok_or_else(|| bad("missing", "a certificate needs its PEM".to_owned()))?;
    if text.len() > PEM_BYTES_MAX {
        let detail = format!("a certificate has at most {PEM_BYTES_MAX} bytes");
        return Err(bad("too_long", detail));
    }
    if text.contains("PRIVATE KEY") {
        let detail = "the text holds a private key, which nobody but the client may have";
        return Err(bad("private_key", detail.to_owned()));
    }
    let unreadable = |why: String| bad("bad_certificate", format!("not a certificate: {why}"));
    let pem = Pem::iter_from_buffer(text.as_bytes())
        .next()
        .ok_or_else(|| unreadable("there is no PEM in it".to_owned()))?
        .map_err(|error| unreadable(error.to_string()))?;
    if pem.label != "CERTIFICATE" {
        return Err(unreadable(format!("it is a `{}`", pem.label)));
    }
    let read = pem.parse_x509().map_err(|error| unreadable(error.to_string()))?;
    let ends_at = Timestamp::from_secs(read.validity().not_after.timestamp());
    if ends_at <= now {
        return Err(bad("certificate_ended", format!("the certificate ended at {ends_at}")));
    }
    if read.is_ca() {
        let detail = "it is the certificate of an authority: whoever it vouches for would be one";
        return Err(bad("not_a_client", detail.to_owned()));
    }
    let lookup = Digest::of(&[&pem.contents]);
    let label = label(&read, lookup);
    let class = CredentialClass::Certificate;
    Ok(Made { class, label, lookup, key: None, ends_at: Some(ends_at) })
}

fn label(read: &X509Certificate<'_>, lookup: Digest) -> String {
    let subject = read.subject().to_string();
    let name = subject.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX);
    let digits: String = lookup.to_hex().chars().take(DIGITS).collect();
    format!("{} sha256:{digits}", name.collect::<String>()).trim_start().to_owned()
}
