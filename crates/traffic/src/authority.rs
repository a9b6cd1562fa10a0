//! The authority of a request: the one host, and port, that `Host`, `:authority`, an absolute
//! target and the TLS server name must all agree on.
//!
//! Nothing here resolves names.

use std::fmt;
use std::net::Ipv6Addr;

use crate::Reason;

/// Longest host name (RFC 1035 §2.3.4).
const HOST_BYTES_MAX: usize = 253;

/// A host in lower case, and a port if one was given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Authority {
    host: String,
    port: Option<u16>,
}

impl Authority {
    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`. User information, escapes, empty ports,
    /// trailing dots and anything else with a second spelling is [`Reason::MalformedRequest`].
    pub fn parse(raw: &[u8]) -> Result<Self, Reason> {
        let text = str::from_utf8(raw).map_err(|_| Reason::MalformedRequest)?;
        Self::read(text).ok_or(Reason::MalformedRequest)
    }

    fn read(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix('[') {
            let (address, rest) = rest.split_once(']')?;
            let address: Ipv6Addr = address.parse().ok()?;
            let port = match rest.strip_prefix(':') {
                Some(port) => Some(read_port(port)?),
                None if rest.is_empty() => None,
                None => return None,
            };
            return Some(Self { host: format!("[{address}]"), port });
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(read_port(port)?)),
            None => (text, None),
        };
        is_host(host).then(|| Self { host: host.to_ascii_lowercase(), port })
    }

    /// The host: a name or address in lower case, IPv6 in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, when one was given.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether both name the same host and port, by a scheme that says which port is meant by none.
    pub fn agrees_with(&self, other: &Self, scheme: Scheme) -> bool {
        let port = |authority: &Self| authority.port.unwrap_or(scheme.default_port());
        self.host == other.host && port(self) == port(other)
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// How the caller reached the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// As written in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that a URL means when it names none.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Every place where a request can say which host it is for.
#[derive(Debug, Clone, Copy)]
pub struct Claimed<'r> {
    /// The `Host` header.
    pub host: Option<&'r [u8]>,
    /// The authority of an absolute target, or `:authority`.
    pub target: Option<&'r Authority>,
    /// The server name that the TLS session was opened for.
    pub server_name: Option<&'r str>,
}

/// The one authority that all the places agree on. None at all, or one that cannot be read, is
/// [`Reason::MalformedRequest`]; two different ones are [`Reason::AuthorityMismatch`].
pub fn agree(scheme: Scheme, claimed: Claimed<'_>) -> Result<Authority, Reason> {
    let host = claimed.host.map(Authority::parse).transpose()?;
    let authority = match (host, claimed.target) {
        (Some(host), Some(target)) if !host.agrees_with(target, scheme) => {
            return Err(Reason::AuthorityMismatch);
        }
        (Some(host), _) => host,
        (None, Some(target)) => target.clone(),
        (None, None) => return Err(Reason::MalformedRequest),
    };
    match claimed.server_name {
        Some(name) if !name.eq_ignore_ascii_case(authority.host()) => {
            Err(Reason::AuthorityMismatch)
        }
        _ => Ok(authority),
    }
}

/// A name of letters, digits, hyphens and underscores in non-empty labels, or an IPv4 address.
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text.len() <= HOST_BYTES_MAX && text.split('.').all(is_label)
}

/// A port without sign or leading zeros.
fn read_port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = digits && !text.starts_with('0');
    canonical.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests;
