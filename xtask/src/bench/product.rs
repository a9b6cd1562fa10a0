//! The product as a bench sees it: initialised in a folder of its own, served on loopback, driven
//! by its own command line.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::process::Running;
use super::write;
use crate::repository::Chore;

/// Distinct credentials in rotation: a cache holds them, a proxy without one pays each time.
pub(super) const KEYS: usize = 1000;
/// Identities that share the keys evenly.
const IDENTITIES: usize = 100;

const OPENAPI: &str = r#"{"openapi":"3.0.3","info":{"title":"orders","version":"1"},
"paths":{"/api/v1/orders/{id}":{"get":{"operationId":"getOrder",
"responses":{"200":{"description":"an order"}}}}}}"#;

const GUARDRAIL: &str = r#"@id("from-inside")
forbid(principal, action in Action::"orders", resource)
unless { context has source && context.source.isInRange(ip("127.0.0.0/8")) };
"#;

/// State that was made by `init` and is not served yet.
pub(super) struct Installation {
    program: String,
    token: String,
    config: PathBuf,
    /// Where its state will be.
    pub(super) database: String,
}

/// A server that has started.
pub(super) struct Product {
    program: String,
    token: String,
    pub(super) console: String,
    port: u16,
    running: Running,
}

impl Installation {
    /// A new one under `folder`, on free ports.
    pub(super) fn init(program: &str, folder: &Path) -> Chore<Self> {
        let state = folder.join("state").display().to_string();
        let arguments = ["init", "--state", &state, "--admin", "bench", "--port", "0", "--json"];
        let made = json_of(Command::new(program).args(arguments))?;
        let config = PathBuf::from(text(&made, "config")?);
        let database = format!("sqlite:{state}/data/portreeve.db");
        let (program, token) = (program.to_owned(), text(&made, "admin_token")?);
        Ok(Self { program, token, config, database })
    }

    /// Serves it, on one CPU if wanted.
    pub(super) fn serve(self, folder: &Path, cpu: Option<usize>) -> Chore<Product> {
        let config = self.config.display().to_string();
        let command = [self.program.as_str(), "serve", "--config", &config, "--json"];
        let mut running = Running::start("portreeve", cpu, &command.map(str::to_owned), folder)?;
        let ready = running.wait_for_json()?;
        let (port, console) = (port_of(&text(&ready, "proxy")?)?, text(&ready, "console")?);
        Ok(Product { program: self.program, token: self.token, console, port, running })
    }
}

impl Product {
    /// Runs a command of the product and reads the JSON that it prints.
    pub(super) fn command(&self, arguments: &[&str]) -> Chore<Value> {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--json");
        json_of(command.env("PORTREEVE_URL", &self.console).env("PORTREEVE_TOKEN", &self.token))
    }

    /// The orders API on the bench upstream, identities that may read it, and `keys` keys.
    pub(super) fn seed_orders(
        &self,
        folder: &Path,
        upstream_port: u16,
        keys: usize,
    ) -> Chore<Vec<String>> {
        let document = folder.join("orders.json");
        write(&document, OPENAPI)?;
        let upstream = format!("http://127.0.0.1:{upstream_port}");
        self.command(&[
            "api",
            "add",
            "orders",
            "--path",
            "/api/v1",
            "--upstream",
            &upstream,
            "--openapi",
            &document.display().to_string(),
            "--mode",
            "enforce",
        ])?;
        let identities: Chore<Vec<String>> =
            (0..IDENTITIES.min(keys)).map(|n| self.add_reader(&format!("bench-{n}"))).collect();
        let identities = identities?;
        eprintln!("bench: issuing {keys} keys");
        (0..keys).map(|n| self.issue_key(&identities[n % identities.len()])).collect()
    }

    /// A guardrail that looks at every request of orders, and a limit that counts every one; neither
    /// refuses any.
    pub(super) fn govern(&self, folder: &Path) -> Chore<()> {
        let limit = ["api", "limit", "orders", "--limit", "1000000/s per identity"];
        self.command(&limit)?;
        write(&folder.join("bench.cedar"), GUARDRAIL)?;
        let change = folder.join("change.toml");
        write(&change, "why = \"bench\"\n\n[files]\n\"bench.cedar\" = \"bench.cedar\"\n")?;
        self.command(&["policy", "publish", &change.display().to_string()])?;
        Ok(())
    }

    /// A service that may read orders; its id.
    pub(super) fn add_reader(&self, name: &str) -> Chore<String> {
        let identity = self.command(&["identity", "add", name, "--kind", "service_account"])?;
        let id = text(&identity, "id")?;
        self.give_read(&id)?;
        Ok(id)
    }

    /// A grant to read orders; its id.
    pub(super) fn give_read(&self, identity: &str) -> Chore<String> {
        let grant = ["grant", "give", identity, "--api", "orders", "--can", "read"];
        text(&self.command(&grant)?, "id")
    }

    /// A new key, in clear.
    pub(super) fn issue_key(&self, identity: &str) -> Chore<String> {
        text(&self.command(&["key", "issue", identity])?, "key")
    }

    /// Where callers reach it.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// What a bearer of the administrator's token sends.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// The process and the callers' port, when no more commands are needed.
    pub(super) fn into_running(self) -> (Running, u16) {
        (self.running, self.port)
    }

    /// The process.
    pub(super) fn running(&self) -> &Running {
        &self.running
    }
}

/// The port in `http://127.0.0.1:8443`.
pub(super) fn port_of(url: &str) -> Chore<u16> {
    let authority = url.split("//").nth(1).unwrap_or(url).split('/').next().unwrap_or_default();
    let port = authority.rsplit(':').next().and_then(|port| port.parse().ok());
    port.ok_or_else(|| format!("`{url}` names no port"))
}

fn json_of(command: &mut Command) -> Chore<Value> {
    let done = command.output().map_err(|e| format!("portreeve: {e}"))?;
    if !done.status.success() {
        let shown: Vec<_> = command.get_args().map(|a| a.to_string_lossy()).collect();
        let error = String::from_utf8_lossy(&done.stderr);
        return Err(format!("portreeve {}: {}", shown.join(" "), error.trim()));
    }
    serde_json::from_slice(&done.stdout).map_err(|e| format!("portreeve printed no JSON: {e}"))
}

/// A text member of an object.
pub(super) fn text(object: &Value, name: &str) -> Chore<String> {
    let found = object[name].as_str().map(str::to_owned);
    found.ok_or_else(|| format!("portreeve printed no `{name}`: {object}"))
}

#[cfg(test)]
mod tests {
    use super::port_of;

    #[test]
    fn the_port_is_read_from_an_address() {
        assert_eq!(port_of("http://127.0.0.1:8443"), Ok(8443));
        assert_eq!(port_of("http://127.0.0.1:8444/?once=x"), Ok(8444));
        assert!(port_of("http://127.0.0.1").is_err());
    }
}
