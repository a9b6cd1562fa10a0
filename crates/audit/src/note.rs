//! Signed notes (c2sp.org/signed-note): a text, a blank line, signature lines of the form
//! `— name base64(key id ‖ signature)`. Only Ed25519 keys (signature type 0x01).

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base::{Digest, Secret, encoding};
use base64::{Engine, engine::general_purpose::STANDARD};

const ED25519_TYPE: u8 = 0x01;
/// The format asks verifiers to take at least 16.
const SIGNATURES_MAX: usize = 64;
const SIGNATURE_LINE: &str = "\u{2014} ";

/// Why a key or a note is not one, or not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Empty, or with a space or a plus sign.
    #[error("`{0}` cannot name a key: a name has no white space and no `+`")]
    BadName(String),
    /// Not `name+hash+base64`, or not of a known type.
    #[error("a verifier key is written name+hash+base64, with an Ed25519 key")]
    BadVerifierKey,
    /// The hash in the key's text is not that of its name and bytes.
    #[error("the hash of the verifier key does not fit its name and bytes")]
    KeyHashMismatch,
    /// The seed is not one.
    #[error("an Ed25519 signing key needs a seed of 32 bytes")]
    BadSeed,
    /// The text cannot be signed: no newline at its end, or control characters.
    #[error("a note's text ends in a newline and has no control characters")]
    BadText,
    /// Text and signatures are not separated by a blank line, or a signature line is malformed.
    #[error("not a signed note")]
    Malformed,
    /// No line carries the key's name and id.
    #[error("not signed by {0}")]
    Unsigned(String),
    /// A line of the key does not verify.
    #[error("the signature of {0} does not fit the text")]
    BadSignature(String),
}

/// The key that a ledger signs with.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    verifier: VerifierKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.verifier.to_string()).finish()
    }
}

impl SigningKey {
    /// The key of a name and a 32-byte seed (RFC 8032 §5.1.5).
    pub fn from_seed(name: &str, seed: &Secret<[u8; 32]>) -> Result<Self, NoteError> {
        check_name(name)?;
        let pair =
            Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| NoteError::BadSeed)?;
        let public: [u8; 32] =
            pair.public_key().as_ref().try_into().map_err(|_| NoteError::BadSeed)?;
        Ok(Self { verifier: VerifierKey::new(name, public), pair })
    }

    /// What others verify with.
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a text that ends in a newline.
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        check_text(text)?;
        let mut blob = self.verifier.id.to_vec();
        blob.extend_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        let (name, blob) = (&self.verifier.name, STANDARD.encode(blob));
        Ok(format!("{text}\n{SIGNATURE_LINE}{name} {blob}\n"))
    }
}

/// The public half of a [`SigningKey`], written `name+hash+base64(type ‖ public key)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    public: [u8; 32],
}

impl VerifierKey {
    fn new(name: &str, public: [u8; 32]) -> Self {
        let hash = Digest::of(&[name.as_bytes(), b"\n", &[ED25519_TYPE], &public]);
        let [a, b, c, d, ..] = hash.0;
        Self { name: name.to_owned(), id: [a, b, c, d], public }
    }

    /// The key's name; of a ledger's key also the origin of its checkpoints.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text of a note that this key signed. Lines of other keys are passed over, as the
    /// format demands: they are witnesses.
    pub fn open<'note>(&self, note: &'note str) -> Result<&'note str, NoteError> {
        let (text, lines) = split(note)?;
        let mut verified = false;
        for line in lines {
            let (name, id, signature) = read_line(line)?;
            if name != self.name || id != self.id {
                continue;
            }
            UnparsedPublicKey::new(&ED25519, self.public)
                .verify(text.as_bytes(), &signature)
                .map_err(|_| NoteError::BadSignature(self.name.clone()))?;
            verified = true;
        }
        if verified { Ok(text) } else { Err(NoteError::Unsigned(self.name.clone())) }
    }

    /// As [`VerifierKey::open`], for a note that this key alone may have signed.
    pub fn open_alone<'note>(&self, note: &'note str) -> Result<&'note str, NoteError> {
        match split(note)?.1.as_slice() {
            [_] => self.open(note),
            _ => Err(NoteError::Malformed),
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![ED25519_TYPE];
        bytes.extend_from_slice(&self.public);
        write!(f, "{}+{}+{}", self.name, encoding::to_hex(&self.id), STANDARD.encode(bytes))
    }
}

impl std::str::FromStr for VerifierKey {
    type Err = NoteError;
    fn from_str(text: &str) -> Result<Self, NoteError> {
        // The base64 part may hold further plus signs; name and hash cannot.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(hash), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::BadVerifierKey);
        };
        check_name(name)?;
        let bytes = STANDARD.decode(key).map_err(|_| NoteError::BadVerifierKey)?;
        let [ED25519_TYPE, public @ ..] = bytes.as_slice() else {
            return Err(NoteError::BadVerifierKey);
        };
        let key = Self::new(name, public.try_into().map_err(|_| NoteError::BadVerifierKey)?);
        if encoding::to_hex(&key.id) != hash {
            return Err(NoteError::KeyHashMismatch);
        }
        Ok(key)
    }
}

fn check_name(name: &str) -> Result<(), NoteError> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.contains(bad) {
        return Err(NoteError::BadName(name.to_owned()));
    }
    Ok(())
}

fn check_text(text: &str) -> Result<(), NoteError> {
    let control = |c: char| c < ' ' && c != '\n';
    if !text.ends_with('\n') || text.contains(control) {
        return Err(NoteError::BadText);
    }
    Ok(())
}

/// The text with its newline, and the signature lines.
fn split(note: &str) -> Result<(&str, Vec<&str>), NoteError> {
    let blank = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
    let (text, rest) = note.split_at_checked(blank + 1).ok_or(NoteError::Malformed)?;
    check_text(text)?;
    let signatures = rest.strip_prefix('\n').and_then(|rest| rest.strip_suffix('\n'));
    let lines: Vec<_> = signatures.ok_or(NoteError::Malformed)?.split('\n').collect();
    if lines.len() > SIGNATURES_MAX {
        return Err(NoteError::Malformed);
    }
    Ok((text, lines))
}

fn read_line(line: &str) -> Result<(&str, [u8; 4], Vec<u8>), NoteError> {
    let (name, blob) = line
        .strip_prefix(SIGNATURE_LINE)
        .and_then(|line| line.split_once(' '))
        .ok_or(NoteError::Malformed)?;
    check_name(name).map_err(|_| NoteError::Malformed)?;
    let bytes = STANDARD.decode(blob).map_err(|_| NoteError::Malformed)?;
    match bytes.as_slice() {
        [a, b, c, d, signature @ ..] if !signature.is_empty() => {
            Ok((name, [*a, *b, *c, *d], signature.to_vec()))
        }
        _ => Err(NoteError::Malformed),
    }
}

#[cfg(test)]
mod tests;
