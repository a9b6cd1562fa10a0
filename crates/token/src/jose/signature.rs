//! Verification of signatures, by aws-lc.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents,
};

use super::algorithm::KeyType;
use super::{Algorithm, Compact, JwkSet};

/// How many keys are tried for one token. Sets with more keys of one kind need `kid`.
const ATTEMPTS_MAX: usize = 8;

/// A public key, parsed once when its set is read.
#[derive(Debug, Clone)]
pub(super) enum PublicKey {
    /// Modulus and exponent, big-endian: which padding and hash apply is the algorithm's.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    /// A curve has one algorithm.
    Curve(KeyType, ParsedPublicKey),
}

impl PublicKey {
    pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let components = RsaPublicKeyComponents { n: modulus, e: exponent };
        components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()?;
        Some(Self::Rsa { modulus: modulus.to_vec(), exponent: exponent.to_vec() })
    }

    /// A key on a curve, from its uncompressed point (RFC 8037: the 32 bytes of Ed25519). `None`
    /// when the point is not on the curve.
    pub(super) fn new(kind: KeyType, bytes: Vec<u8>) -> Option<Self> {
        let parsed = match kind {
            KeyType::P256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bytes),
            KeyType::P384 => ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, bytes),
            KeyType::Ed25519 => ParsedPublicKey::new(&ED25519, bytes),
            KeyType::Rsa => return None,
        };
        Some(Self::Curve(kind, parsed.ok()?))
    }

    pub(super) fn key_type(&self) -> KeyType {
        match self {
            Self::Rsa { .. } => KeyType::Rsa,
            Self::Curve(kind, _) => *kind,
        }
    }

    pub(super) fn verify(
        &self,
        algorithm: Algorithm,
        signed: &[u8],
        signature: &[u8],
    ) -> Option<()> {
        match self {
            Self::Curve(kind, key) if *kind == algorithm.key_type() => {
                key.verify_sig(signed, signature).ok()
            }
            Self::Curve(..) => None,
            Self::Rsa { modulus, exponent } => RsaPublicKeyComponents { n: modulus, e: exponent }
                .verify(rsa_parameters(algorithm)?, signed, signature)
                .ok(),
        }
    }
}

fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => None,
    }
}

/// `Some` when one of the issuer's keys made the signature with an algorithm of its list.
///
/// `kid` is a hint: it leaves out keys that bear another id, and never adds a key.
pub(crate) fn verify_signature(
    token: &Compact<'_>,
    keys: &JwkSet,
    allowed: &[Algorithm],
) -> Option<()> {
    let algorithm = token.algorithm();
    if !allowed.contains(&algorithm) {
        return None;
    }
    keys.keys()
        .iter()
        .filter(|key| key.serves(algorithm))
        .filter(|key| match (token.key_id(), key.id.as_deref()) {
            (Some(hint), Some(id)) => hint == id,
            _ => true,
        })
        .take(ATTEMPTS_MAX)
        .find_map(|key| key.public.verify(algorithm, token.signed(), token.signature()))
}
