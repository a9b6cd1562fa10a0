//! `portreeve config …`

use std::collections::BTreeMap;

use app::view::{ApiView, ReviewDefinition};
use base::Span;
use catalog::Timeouts;
use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use super::{Remote, ServeArgs};
use crate::config::keys::{self, KEYS};
use crate::config::{Database, Diagnostics, Settings, Unusable, read, schema};
use crate::failure::{Exit, Failure};
use crate::output::{Output, write};

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Check a file and everything that it names; exit 2 when something is wrong
    Check(ServeArgs),
    /// Show the settings that hold, defaults included
    Show(ServeArgs),
    /// Say what a key does; without a key, list them
    Explain {
        /// Dotted, e.g. api.upstream
        key: Option<String>,
    },
    /// Print the JSON Schema of the file, for editors
    Schema,
    /// What a reload of the file would change at the running server; exit 2 when something would
    Diff(ServeArgs),
}

impl Config {
    pub(crate) fn run(self, out: Output) -> Result<Exit, Failure> {
        match self {
            Self::Check(args) => check(&args, out),
            Self::Show(args) => show(&args, out),
            Self::Explain { key } => explain(key.as_deref(), out),
            Self::Schema => {
                let text = serde_json::to_string_pretty(&schema::json_schema())
                    .map_err(|error| base::Problem::internal(error.to_string()))?;
                write(&format!("{text}\n"))?;
                Ok(Exit::Done)
            }
            Self::Diff(_) => Err(base::Problem::internal("diff needs a server").into()),
        }
    }
}

fn check(args: &ServeArgs, out: Output) -> Result<Exit, Failure> {
    let found = match read(&args.config) {
        Ok(settings) => crate::serve::objects::check_documents(&settings),
        Err(found) => Err(Unusable::File(found)),
    };
    match found {
        Ok(()) => {
            let file = args.config.display().to_string();
            out.show(&json!({"file": file, "errors": []}), |_| format!("{file} is valid\n"))?;
            Ok(Exit::Done)
        }
        Err(wrong) => {
            wrong.print(out)?;
            Ok(Exit::Differs)
        }
    }
}

fn show(args: &ServeArgs, out: Output) -> Result<Exit, Failure> {
    let settings = read(&args.config).map_err(unusable)?;
    let shown = effective(&settings);
    out.show(&shown, |shown| {
        toml::to_string_pretty(shown).unwrap_or_else(|error| format!("{error}\n"))
    })?;
    Ok(Exit::Done)
}

/// A failure that prints the diagnostics themselves.
pub(crate) fn unusable(found: Diagnostics) -> Failure {
    let problem = base::Problem::invalid("bad_configuration", "the configuration has errors");
    Failure { printed: Some(found.to_string()), ..problem.at(found.file).into() }
}

fn effective(settings: &Settings) -> serde_json::Value {
    let database = match &settings.database {
        Database::Url(url) => url.clone(),
        Database::Secret(secret) => secret.to_string(),
    };
    let mut shown = json!({
        "listen": settings.listen,
        "console": settings.console,
        "data": settings.data,
        "database": database,
        "durable": settings.durable,
        "fields-seen": match settings.watch_one_in {
            0 => "filtered",
            1 => "all",
            _ => "sample",
        },
        "keys": {
            "pepper": settings.pepper.to_string(),
            "signing": settings.signing.to_string(),
        },
        "sign-in": {"admins": settings.admins},
        "issuer": settings.issuers.iter().map(|issuer| issuer.token.name.clone()).collect::<Vec<_>>(),
        "api": settings.apis.iter().map(|api| json!({
            "name": api.api.name,
            "path": api.api.path,
            "upstream": api.api.upstream,
            "mode": api.api.mode.as_deref().unwrap_or("enforce"),
            "impact": api.api.impact.as_deref().unwrap_or("medium"),
        })).collect::<Vec<_>>(),
        "review": settings.reviews.iter().map(|review| review.name.clone()).collect::<Vec<_>>(),
    });
    let url = settings.url.as_ref().map(|url| ("url", json!(url)));
    let tls = settings.tls.as_ref().map(|tls| ("tls", json!({"cert": tls.cert, "key": tls.key})));
    let proxies = Some(&settings.trusted_proxies).filter(|proxies| !proxies.is_empty());
    let proxies = proxies.map(|proxies| ("trusted-proxies", json!(proxies)));
    let roots = settings.upstream_roots.as_ref().map(|roots| ("upstream-roots", json!(roots)));
    if let Some(members) = shown.as_object_mut() {
        let given = url.into_iter().chain(tls).chain(roots).chain(proxies);
        members.extend(given.map(|(name, value)| (name.to_owned(), value)));
    }
    shown
}

fn explain(key: Option<&str>, out: Output) -> Result<Exit, Failure> {
    let Some(path) = key else {
        let all: Vec<_> = KEYS.iter().map(|key| json!({"key": key.path, "doc": key.doc})).collect();
        out.show(&all, |_| {
            KEYS.iter().map(|key| format!("{:<26} {}\n", key.path, key.doc)).collect()
        })?;
        return Ok(Exit::Done);
    };
    let Some(key) = keys::find(path) else {
        let known: Vec<&str> = KEYS.iter().map(|key| key.path).collect();
        let problem = base::Problem::invalid("unknown_key", format!("there is no key `{path}`"));
        let hint = base::nearest(path, known.iter().copied())
            .map(|near| format!("did you mean `{near}`?"));
        let list = || "`portreeve config explain` lists them".to_owned();
        return Err(problem.hint(hint.unwrap_or_else(list)).into());
    };
    let data = json!({
        "key": key.path, "doc": key.doc, "needed": key.needed, "default": key.default
    });
    out.show(&data, |_| schema::explain(key))?;
    Ok(Exit::Done)
}

/// One difference between the file and the server.
#[derive(Debug, Serialize)]
struct Difference {
    act: &'static str,
    kind: &'static str,
    name: String,
    what: String,
}

/// Compares the file with the objects of the server that it maintains.
pub(crate) async fn diff(args: &ServeArgs, remote: &Remote) -> Result<Exit, Failure> {
    let settings = read(&args.config).map_err(unusable)?;
    let running: Vec<ApiView> = remote.client.get("/apis").await?;
    let reviews: Vec<ReviewDefinition> = remote.client.get("/review-definitions").await?;
    let mut found = differences(&settings, &running);
    found.extend(reviews_that_differ(&settings.reviews, &reviews));
    remote.out.show(&found, |found| {
        let line = |d: &Difference| format!("{} {} {}{}\n", d.act, d.kind, d.name, d.what);
        match found.is_empty() {
            true => "no differences\n".to_owned(),
            false => found.iter().map(line).collect(),
        }
    })?;
    Ok(if found.is_empty() { Exit::Done } else { Exit::Differs })
}

fn reviews_that_differ(
    wanted: &[ReviewDefinition],
    running: &[ReviewDefinition],
) -> Vec<Difference> {
    let difference = |act, review: &ReviewDefinition| Difference {
        act,
        kind: "review",
        name: review.name.clone(),
        what: String::new(),
    };
    let named = |all: &[ReviewDefinition], name: &str| {
        all.iter().find(|review| review.name == name).cloned()
    };
    let changed = wanted.iter().filter_map(|review| match named(running, &review.name) {
        None => Some(difference("create", review)),
        Some(known) if known != *review => Some(difference("update", review)),
        Some(_) => None,
    });
    let gone = running.iter().filter(|review| named(wanted, &review.name).is_none());
    changed.chain(gone.map(|review| difference("remove", review))).collect()
}

/// Limits in one spelling: `per caller` is `per identity`.
fn limited(texts: &[String]) -> String {
    let one =
        |text: &String| text.parse::<traffic::Limit>().map_or(text.clone(), |l| l.to_string());
    or_none(texts.iter().map(one).collect())
}

fn weighed(costs: &BTreeMap<String, u32>) -> String {
    or_none(costs.iter().map(|(operation, cost)| format!("{operation}={cost}")).collect())
}

fn or_none(texts: Vec<String>) -> String {
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

fn differences(settings: &Settings, running: &[ApiView]) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut add = |act, name: &str, what: String| {
        found.push(Difference { act, kind: "api", name: name.to_owned(), what });
    };
    for wanted in settings.apis.iter().map(|setting| &setting.api) {
        let Some(api) = running.iter().find(|api| api.id == wanted.name) else {
            add("create", &wanted.name, String::new());
            continue;
        };
        let mode = wanted.mode.as_deref().unwrap_or("enforce");
        let impact = wanted.impact.as_deref().unwrap_or("medium");
        let (usual, limits) = (Timeouts::default(), &wanted.timeouts);
        // In one spelling: `60s` is `1m`.
        let span = |text: &Option<String>, usual: Span| {
            let given = text.as_deref().and_then(|text| Span::parse(text).ok());
            given.unwrap_or(usual).to_string()
        };
        let connect = span(&limits.connect, usual.connect);
        let response = span(&limits.response, usual.response);
        let idle = span(&limits.idle, usual.idle);
        let (is_limited, will_be_limited) = (limited(&api.limits), limited(&wanted.limits));
        let (is_weighed, will_be_weighed) = (weighed(&api.costs), weighed(&wanted.costs));
        let pairs = [
            ("timeouts.connect", api.timeouts.connect.as_str(), connect.as_str()),
            ("timeouts.response", api.timeouts.response.as_str(), response.as_str()),
            ("timeouts.idle", api.timeouts.idle.as_str(), idle.as_str()),
            ("path", api.path.as_str(), wanted.path.as_str()),
            ("upstream", api.upstream.as_str(), wanted.upstream.as_str()),
            ("mode", api.mode.as_str(), mode),
            ("impact", api.impact.as_str(), impact),
            ("limit", is_limited.as_str(), will_be_limited.as_str()),
            ("costs", is_weighed.as_str(), will_be_weighed.as_str()),
            (
                "owner",
                api.owner.as_deref().unwrap_or("none"),
                wanted.owner.as_deref().unwrap_or("none"),
            ),
        ];
        for (key, is, will) in pairs.into_iter().filter(|(_, is, will)| is != will) {
            add("update", &wanted.name, format!(": {key} {is} → {will}"));
        }
    }
    let kept = |api: &&ApiView| settings.apis.iter().any(|wanted| wanted.api.name == api.id);
    for gone in running.iter().filter(|api| api.origin == "file").filter(|api| !kept(api)) {
        add("remove", &gone.id, String::new());
    }
    found
}
