//! Whose word is taken over the network: proxies in front, and where issuers keep their keys.

use std::net::IpAddr;

use ipnet::IpNet;
use toml::Spanned;

use super::Reader;
use crate::config::raw::RawExtAuth;

impl Reader<'_> {
    pub(super) fn networks(&mut self, given: Vec<Spanned<String>>) -> Vec<IpNet> {
        let mut networks = Vec::with_capacity(given.len());
        for text in given {
            let address = text.get_ref().parse::<IpAddr>().map(IpNet::from);
            match text.get_ref().parse::<IpNet>().or(address) {
                Ok(network) => networks.push(network),
                Err(_) => {
                    let what = format!("\"{}\" is no network", text.get_ref());
                    self.wrong(what, text.span(), "write it like \"10.0.0.0/8\" or \"10.0.0.7\"");
                }
            }
        }
        networks
    }

    /// Keys that travel in the clear can be replaced on the way by whoever forges tokens.
    pub(super) fn check_jwks(&mut self, jwks: &Spanned<String>) {
        if is_in_the_clear(jwks.get_ref()) {
            let what = "`jwks` is fetched in the clear";
            self.wrong(what, jwks.span(), "give an https:// address, or a file");
        }
    }

    /// Answers that travel in the clear can be replaced on the way by whoever wants to be let in.
    pub(super) fn check_encrypted(&mut self, key: &str, url: &Spanned<String>) {
        if is_in_the_clear(url.get_ref()) {
            let what = format!("`{key}` is asked in the clear");
            self.wrong(what, url.span(), "give an https:// address");
        }
    }

    /// Gateways in front that may ask, and where.
    pub(super) fn ext_auth(&mut self, raw: RawExtAuth) -> proxy::ExtAuth {
        let path = raw.path.map_or_else(
            || "/-/authorize".to_owned(),
            |path| {
                let text = path.get_ref();
                let target = traffic::Target::parse(text.as_bytes());
                let canonical = target.is_ok_and(|target| target.path() == text);
                if !canonical || !text.starts_with('/') || text.ends_with('/') {
                    let what = format!("\"{text}\" is not a path");
                    self.wrong(what, path.span(), "write it like \"/-/authorize\"");
                }
                path.into_inner()
            },
        );
        proxy::ExtAuth { trusted: self.networks(raw.trusted), path }
    }
}

/// Whether what is asked there crosses a network in the clear.
fn is_in_the_clear(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    let is_here = traffic::Authority::parse(authority.as_bytes()).is_ok_and(|authority| {
        let host = authority.host().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    });
    !is_here
}
