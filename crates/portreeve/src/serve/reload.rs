//! Reads the configuration again while everything runs. A file that is wrong, or that names
//! something wrong, changes nothing.

use std::path::Path;

use base::Problem;

use super::objects;
use super::relations;
use super::running::Running;
use crate::config::{Settings, read};

/// Applies the file, or says why not.
pub(crate) async fn reload(file: &Path, current: &mut Settings, running: &Running) {
    let fresh = match read(file) {
        Ok(fresh) => fresh,
        Err(found) => {
            tracing::error!("not reloaded, the running settings stay:\n{found}");
            return;
        }
    };
    if let Err(problem) = apply(&fresh, running).await {
        tracing::error!("not reloaded, the running settings stay: {problem}");
        return;
    }
    for key in need_restart(current, &fresh) {
        tracing::warn!("`{key}` changed; it takes effect at the next start");
    }
    let version = running.core.app.ruleset().load().version();
    tracing::info!(ruleset = version, "reloaded {}", file.display());
    *current = fresh;
}

async fn apply(fresh: &Settings, running: &Running) -> Result<(), Problem> {
    // All read everything before they change anything; the key sets come first because reading
    // them is what fails most.
    let key_sets = running.key_sets.prepare(&fresh.issuers).await?;
    let (app, lookups) = (&running.core.app, &running.lookups);
    let sources = relations::read(&fresh.relation_sources)?;
    let sources = relations::prepare(app, lookups, sources).await?;
    objects::apply(app, fresh).await?;
    relations::install(app, lookups, sources).await?;
    running.key_sets.install(key_sets).await;
    running.process.reviews.store(fresh.reviews.clone().into());
    Ok(())
}

/// Settings that are fixed for the life of the process.
fn need_restart(current: &Settings, fresh: &Settings) -> Vec<&'static str> {
    let names = |settings: &Settings| -> Vec<String> {
        settings.issuers.iter().map(|issuer| issuer.token.name.clone()).collect()
    };
    let changed = [
        ("url", current.url != fresh.url),
        ("listen", current.listen != fresh.listen),
        ("console", current.console != fresh.console),
        ("console-url", current.console_url != fresh.console_url),
        ("ext-auth", current.ext_auth != fresh.ext_auth),
        ("data", current.data != fresh.data),
        ("database", current.database != fresh.database),
        ("durable", current.durable != fresh.durable),
        ("fields-seen", current.watch_one_in != fresh.watch_one_in),
        ("tls", current.tls != fresh.tls),
        ("trusted-proxies", current.trusted_proxies != fresh.trusted_proxies),
        ("overload", (current.in_flight, current.delay) != (fresh.in_flight, fresh.delay)),
        ("upstream-roots", current.upstream_roots != fresh.upstream_roots),
        ("keys", current.pepper != fresh.pepper || current.signing != fresh.signing),
        ("sign-in", current.admins != fresh.admins),
        ("issuer", names(current) != names(fresh)),
    ];
    changed.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key).collect()
}
