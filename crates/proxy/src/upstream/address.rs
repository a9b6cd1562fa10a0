//! Where an API's requests go, read from its `upstream` URL.

use base::Problem;
use rustls_pki_types::ServerName;
use traffic::{Authority, Scheme, UpstreamUrl};

/// Where requests go.
#[derive(Debug)]
pub struct Upstream {
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
    /// Replaces the API's prefix; empty for `/`. `None` = the target is forwarded as it is.
    pub(crate) base_path: Option<String>,
    /// Connections to equal keys are exchangeable.
    pub(crate) key: String,
}

impl Upstream {
    /// Reads `http://host:port`, `https://host`, either with a base path.
    pub fn parse(url: &str) -> Result<Self, Problem> {
        let wrong = |why: &str| {
            Problem::invalid("bad_upstream", format!("`{url}` is no upstream: {why}"))
                .hint("write it like http://10.0.0.7:9000 or https://orders.internal/base")
        };
        let UpstreamUrl { scheme, authority, base_path } =
            UpstreamUrl::parse(url).map_err(wrong)?;
        if scheme == Scheme::Https && server_name(&authority).is_none() {
            return Err(wrong("its host cannot be named in a certificate"));
        }
        let key = format!("{}://{authority}", scheme.as_str());
        Ok(Self { scheme, authority, base_path, key })
    }

    pub(crate) fn port(&self) -> u16 {
        self.authority.port().unwrap_or(self.scheme.default_port())
    }

    /// The host as resolvers take it: IPv6 without brackets.
    pub(crate) fn host(&self) -> &str {
        bare(&self.authority)
    }

    pub(crate) fn server_name(&self) -> Option<ServerName<'static>> {
        server_name(&self.authority)
    }
}

fn bare(authority: &Authority) -> &str {
    let host = authority.host();
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn server_name(authority: &Authority) -> Option<ServerName<'static>> {
    ServerName::try_from(bare(authority).to_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_upstream_is_refused_with_a_hint() {
        let wrong = [
            "",
            "orders:9000",
            "ftp://orders",
            "http://",
            "http://a b",
            "http://user@orders",
            "http://orders:99999",
            "http://orders/a/../b",
            "http://orders/a?b",
            "https://a_b..c",
        ];
        for url in wrong {
            let problem = Upstream::parse(url).unwrap_err();
            assert_eq!(problem.reason, "bad_upstream", "{url}");
            assert!(problem.hint.is_some());
        }
    }

    #[test]
    fn a_base_path_is_told_from_none() {
        assert_eq!(Upstream::parse("http://a:1").unwrap().base_path, None);
        assert_eq!(Upstream::parse("http://a:1/").unwrap().base_path.as_deref(), Some(""));
        assert_eq!(Upstream::parse("http://a:1/b/").unwrap().base_path.as_deref(), Some("/b"));
        assert_eq!(Upstream::parse("https://[::1]").unwrap().host(), "::1");
        assert_eq!(Upstream::parse("https://a").unwrap().port(), 443);
    }
}
