//! The address of an upstream, as administrators write it: one grammar for all who take one, so that
//! what is accepted can also be connected to.

use crate::{Authority, Scheme, Target};

/// `http://host:port` or `https://host`, either with a base path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamUrl {
    /// How to connect.
    pub scheme: Scheme,
    /// Where.
    pub authority: Authority,
    /// Replaces the API's prefix; empty for `/`. `None` = the target is forwarded as it is.
    pub base_path: Option<String>,
}

impl UpstreamUrl {
    /// Reads one. Errors say in words what is wrong.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = match url.split_once("://") {
            Some(("http", rest)) => (Scheme::Http, rest),
            Some(("https", rest)) => (Scheme::Https, rest),
            _ => return Err("it starts with neither http:// nor https://"),
        };
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if authority.contains(['?', '#']) {
            return Err("it has a query or a fragment");
        }
        if authority.contains('@') {
            return Err("it holds credentials");
        }
        let authority = Authority::parse(authority.as_bytes())
            .map_err(|_| "its host or port is not readable")?;
        if !is_reachable(authority.host()) {
            return Err("its host is neither a name nor an address");
        }
        Ok(Self { scheme, authority, base_path: base_path(path)? })
    }
}

fn base_path(path: &str) -> Result<Option<String>, &'static str> {
    if path.is_empty() {
        return Ok(None);
    }
    let target = Target::parse(path.as_bytes()).map_err(|_| "its path is not canonical")?;
    match target.query() {
        Some(_) => Err("it has a query"),
        None => Ok(Some(target.path().trim_end_matches('/').to_owned())),
    }
}

/// An address, or labels that a resolver takes.
fn is_reachable(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    host.starts_with('[') || (host.len() <= 253 && host.split('.').all(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_connected_to_is_refused() {
        for url in [
            "",
            "orders:9000",
            "ftp://orders",
            "HTTP://orders",
            "http://",
            "http://a b",
            "http://user@orders",
            "http://orders:99999",
            "http://orders.:80",
            "http://a_b..c",
            "http://orders?x",
            "http://orders/a/../b",
            "http://orders/a//b",
            "http://orders/a?b",
            "http://orders/a#b",
        ] {
            assert!(UpstreamUrl::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_base_path_is_told_from_none() {
        let base = |url| UpstreamUrl::parse(url).unwrap().base_path;
        assert_eq!(base("http://a:1"), None);
        assert_eq!(base("http://a:1/").as_deref(), Some(""));
        assert_eq!(base("http://[::1]:1/b/").as_deref(), Some("/b"));
    }
}
