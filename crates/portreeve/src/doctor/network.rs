//! What is at the other end of the wire: upstreams and key sets.

use std::time::Duration;

use app::HttpFetcher;

use super::Finding;
use crate::config::{Location, Settings};
use crate::serve::jwks;

const CONNECT_TIME_MAX: Duration = Duration::from_secs(2);

pub(super) async fn upstreams(settings: &Settings) -> Vec<Finding> {
    let mut found = Vec::new();
    for api in &settings.apis {
        let check = format!("upstream of {}", api.api.name);
        found.push(upstream(&check, &api.api.upstream).await);
    }
    found
}

async fn upstream(check: &str, url: &str) -> Finding {
    let fix = "start the service, or correct `upstream`";
    let Some((host, port)) = host_and_port(url) else {
        return Finding::failed(check, format!("{url} names no host"), fix);
    };
    let connect = tokio::net::TcpStream::connect((host.as_str(), port));
    match tokio::time::timeout(CONNECT_TIME_MAX, connect).await {
        Ok(Ok(_)) => Finding::ok(check, format!("{url} takes connections")),
        Ok(Err(error)) => Finding::failed(check, format!("{url}: {error}"), fix),
        Err(_) => Finding::failed(check, format!("{url}: no answer within 2 s"), fix),
    }
}

fn host_and_port(url: &str) -> Option<(String, u16)> {
    let url = reqwest::Url::parse(url).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    Some((host, url.port_or_known_default()?))
}

pub(super) async fn key_sets(settings: &Settings) -> Vec<Finding> {
    let mut found = Vec::new();
    let fetcher = match HttpFetcher::new() {
        Ok(fetcher) => fetcher,
        Err(problem) => return vec![Finding::problem("keys of issuers", &problem)],
    };
    for issuer in &settings.issuers {
        let check = format!("keys of issuer {}", issuer.token.name);
        let place = match &issuer.jwks {
            Location::File(path) => path.display().to_string(),
            Location::Url(url) => url.clone(),
        };
        found.push(match jwks::read(&issuer.jwks, &fetcher).await {
            Err(problem) => Finding::problem(&check, &problem),
            Ok((keys, _)) if keys.is_empty() => {
                let detail = format!("{place} has no usable key");
                Finding::failed(&check, detail, "point `jwks` to the issuer's key set")
            }
            Ok((keys, _)) => Finding::ok(&check, format!("{} keys at {place}", keys.len())),
        });
    }
    found
}
