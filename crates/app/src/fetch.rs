//! Fetching API documents from addresses that administrators name.
//!
//! The server fetches on somebody's behalf, so it does not go where only the server can go:
//! link-local addresses (cloud metadata among them), multicast and the unspecified address are
//! refused, after name resolution, for every hop. Private and loopback addresses are allowed:
//! that is where internal APIs keep their documents. Nothing is sent but the request line.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use base::Problem;
use base::problem::ProblemKind;
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};

/// The longest document.
const BYTES_MAX: usize = 10 * 1024 * 1024;
/// From the first byte sent to the last received, all hops together.
const TIME_MAX: Duration = Duration::from_secs(15);
const CONNECT_MAX: Duration = Duration::from_secs(5);
const REDIRECTS_MAX: usize = 3;

/// Gets a document by its address.
pub trait Fetcher: Send + Sync {
    /// The document as text, or why not.
    fn fetch<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<String, Problem>>;
}

/// Fetches over HTTP and HTTPS.
#[derive(Debug, Clone)]
pub struct HttpFetcher {
    client: Client,
}

impl HttpFetcher {
    /// Trusts the certificates that the machine trusts.
    pub fn new() -> Result<Self, Problem> {
        // An error says that the process has a provider already, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("portreeve/", env!("CARGO_PKG_VERSION")))
            .timeout(TIME_MAX)
            .connect_timeout(CONNECT_MAX)
            .redirect(Policy::custom(|attempt| {
                let first = attempt.previous().first();
                let home = first.is_some_and(|first| same_origin(first, attempt.url()));
                match home && attempt.previous().len() <= REDIRECTS_MAX {
                    true => attempt.follow(),
                    false => attempt.stop(),
                }
            }))
            .no_proxy()
            .dns_resolver(std::sync::Arc::new(PublicNames))
            .build();
        let client = client.map_err(|error| Problem::internal(chain(&error)))?;
        Ok(Self { client })
    }

    async fn get(&self, url: &str) -> Result<String, Problem> {
        let url = Url::parse(url)
            .map_err(|error| Problem::invalid("bad_address", format!("`{url}`: {error}")))?;
        check(&url)?;
        let sent = self.client.get(url.clone()).send().await;
        let response = sent.map_err(|error| failed(&url, &chain(&error)))?;
        if !response.status().is_success() {
            return Err(failed(&url, &format!("the answer was {}", response.status())));
        }
        let bytes = read(response, &url).await?;
        String::from_utf8(bytes).map_err(|_| failed(&url, "the document is not UTF-8 text"))
    }
}

impl Fetcher for HttpFetcher {
    fn fetch<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<String, Problem>> {
        Box::pin(self.get(url))
    }
}

async fn read(mut response: Response, url: &Url) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(url, &chain(&error)))? {
        if bytes.len() + chunk.len() > BYTES_MAX {
            return Err(failed(url, "the document has more than 10 MiB"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

/// What can be told from the address itself. Names are judged when they are resolved.
fn check(url: &Url) -> Result<(), Problem> {
    let refused = |detail: &str| {
        Err(Problem::invalid("bad_address", format!("`{url}`: {detail}"))
            .hint("give an http:// or https:// address of the document, or the document itself"))
    };
    if !matches!(url.scheme(), "http" | "https") {
        return refused("neither http nor https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refused("an address holds no credentials");
    }
    let literal = url.host_str().map(|host| host.trim_matches(['[', ']'])).unwrap_or_default();
    match literal.parse::<IpAddr>() {
        Ok(address) if !is_allowed(address) => refused("this network is not fetched from"),
        _ => Ok(()),
    }
}

/// Not link-local, multicast, broadcast or unspecified, nor a metadata service elsewhere.
fn is_allowed(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [network, ..] = address.octets();
            !(address.is_link_local()
                || address.is_multicast()
                || address.is_broadcast()
                || address.is_unspecified()
                || address == Ipv4Addr::new(100, 100, 100, 200)
                || network == 0)
        }
        IpAddr::V6(address) => {
            if let Some(address) = address.to_ipv4_mapped() {
                return is_allowed(IpAddr::V4(address));
            }
            let metadata = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
            !(address.is_unicast_link_local()
                || address.is_multicast()
                || address.is_unspecified()
                || address == metadata)
        }
    }
}

/// The machine's resolver, without the addresses that are not fetched from.
struct PublicNames;

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|a| is_allowed(a.ip())).collect();
            if allowed.is_empty() {
                return Err(format!("`{}` has no address to fetch from", name.as_str()).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn failed(url: &Url, why: &str) -> Problem {
    Problem::new(ProblemKind::Unavailable, "fetch_failed", format!("cannot fetch {url}: {why}"))
        .hint("check the address from this machine, or give the document itself")
}

/// The whole chain of causes: the outermost error only says that something failed.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
