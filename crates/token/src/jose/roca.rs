//! The fingerprint of RSA keys made by a flawed library (CVE-2017-15361, "ROCA"): their factors
//! can be found from the public key.

/// Small primes modulo which the flawed primes, and so their product, are powers of 65537, while
/// other moduli rarely are: all of them at once by chance about once in 2^27 keys.
const PRIMES: [u32; 17] =
    [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

/// The modulus (big-endian) bears the fingerprint.
pub(super) fn has_fingerprint(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|prime| {
        let residue = modulus.iter().fold(0, |sum, byte| (sum * 256 + u32::from(*byte)) % prime);
        is_power_of_65537(residue, *prime)
    })
}

fn is_power_of_65537(residue: u32, prime: u32) -> bool {
    let powers = std::iter::successors(Some(1), |power| Some(power * (65_537 % prime) % prime));
    // The powers repeat after at most `prime - 1` steps.
    powers.take(usize::try_from(prime).unwrap_or(0)).any(|power| power == residue)
}
