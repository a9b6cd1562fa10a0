//! From the text of a file to [`Settings`]: parse, check the shape, check what values mean.

mod limits;
mod network;
mod proof;
mod relations;

use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use base::{IdentityId, Problem, Span};
use token::ScopeRule;
use toml::Spanned;
use toml::de::DeTable;

use super::check::{check, literal_secret};
use super::diagnostic::{Diagnostic, Diagnostics, place};
use super::raw::{RawApi, RawFile, RawIssuer, RawReview, RawTimeouts, TextOrSecret};
use super::secret::SecretRef;
use super::settings::{ApiSetting, Database, IssuerSetting, Location, Settings};

/// Reads and checks a file.
pub(crate) fn read(file: &Path) -> Result<Settings, Diagnostics> {
    match std::fs::read_to_string(file) {
        Ok(text) => parse(file, &text),
        Err(error) => {
            let what = format!("cannot read the configuration: {error}");
            let hint = "`portreeve init` writes one; --config names another".to_owned();
            let item =
                Diagnostic { what, span: None, why: None, hint: Some(hint), is_secret: false };
            let (file, text) = (file.display().to_string(), String::new());
            Err(Diagnostics { file, text, items: vec![item] })
        }
    }
}

/// Checks the text of a file. Relative paths start at the folder of `file`.
pub(crate) fn parse(file: &Path, text: &str) -> Result<Settings, Diagnostics> {
    let fail =
        |items| Diagnostics { file: file.display().to_string(), text: text.to_owned(), items };
    let syntax = |error: toml::de::Error| {
        let what = format!("not valid TOML: {}", error.message().replace('\n', ", "));
        fail(vec![Diagnostic::new(what, error.span().unwrap_or(0..0))])
    };
    let table = DeTable::parse(text).map_err(syntax)?;
    let shape = check(&table);
    if !shape.is_empty() {
        return Err(fail(shape));
    }
    let raw: RawFile = toml::from_str(text).map_err(syntax)?;
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let mut reader = Reader { folder, text, found: Vec::new() };
    let settings = reader.settings(raw);
    match (settings, reader.found.is_empty()) {
        (Some(settings), true) => Ok(settings),
        _ => {
            reader.found.sort_by_key(|item| item.span.as_ref().map_or(0, |span| span.start));
            Err(fail(reader.found))
        }
    }
}

/// Collects what is wrong while it reads, so that one run names everything.
struct Reader<'t> {
    folder: PathBuf,
    text: &'t str,
    found: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn settings(&mut self, raw: RawFile) -> Option<Settings> {
        let data = self.folder.join(raw.data.clone().unwrap_or_else(|| "data".into()));
        let listen = self.address(raw.listen.as_ref(), 8443);
        let console = self.address(raw.console.as_ref(), 8444);
        self.check_ports(&raw, listen, console);
        self.check_tls(&raw, listen, console);
        self.check_url(raw.url.as_ref());
        self.check_url(raw.console_url.as_ref());
        let admins = raw.sign_in.admins.iter().filter_map(|id| self.person(id)).collect();
        self.check_unique("issuer", raw.issuer.iter().map(|issuer| &issuer.name));
        self.check_unique("api", raw.api.iter().map(|api| &api.name));
        self.check_unique("review", raw.review.iter().map(|review| &review.name));
        self.check_scopes(&raw);
        let database = self.database(raw.database, &data);
        let secret = |given: Option<SecretRef>, name: &str| {
            given.unwrap_or(SecretRef::File(data.join("keys").join(name))).beside(&self.folder)
        };
        let (pepper, signing) =
            (secret(raw.keys.pepper, "pepper"), secret(raw.keys.signing, "signing"));
        let trusted_proxies = self.networks(raw.trusted_proxies);
        let ext_auth = raw.ext_auth.map(|asked| self.ext_auth(asked));
        let (in_flight, delay) = self.overload(raw.overload);
        let tls = raw.tls.map(|tls| self.tls(tls));
        let proof_lifetime = self.proof_lifetime(raw.dpop);
        Some(Settings {
            url: raw.url.map(Spanned::into_inner),
            console_url: raw.console_url.map(Spanned::into_inner),
            ext_auth,
            listen: listen?,
            console: console?,
            data,
            database: database?,
            durable: raw.durable,
            watch_one_in: match raw.fields_seen.as_deref() {
                Some("filtered") => 0,
                Some("all") => 1,
                _ => proxy::GateConfig::default().watch_one_in,
            },
            tls,
            upstream_roots: raw.upstream_roots.map(|roots| self.folder.join(roots)),
            trusted_proxies,
            proof_lifetime,
            in_flight,
            delay,
            pepper,
            signing,
            admins,
            issuers: raw.issuer.into_iter().filter_map(|one| self.issuer(one)).collect(),
            relation_sources: self.relation_sources(raw.relation_source),
            apis: raw.api.into_iter().filter_map(|one| self.api(one)).collect(),
            reviews: raw.review.into_iter().filter_map(|one| self.review(one)).collect(),
        })
    }

    fn wrong(&mut self, what: impl Into<String>, span: Range<usize>, hint: impl Into<String>) {
        self.found.push(Diagnostic::new(what, span).hint(hint));
    }

    fn address(&mut self, given: Option<&Spanned<String>>, port: u16) -> Option<SocketAddr> {
        let Some(given) = given else { return Some(SocketAddr::from(([127, 0, 0, 1], port))) };
        let address = given.get_ref().parse().ok();
        if address.is_none() {
            let what = format!("\"{}\" is not an address with a port", given.get_ref());
            self.wrong(what, given.span(), format!("write an IP address: \"127.0.0.1:{port}\""));
        }
        address
    }

    fn check_ports(
        &mut self,
        raw: &RawFile,
        listen: Option<SocketAddr>,
        console: Option<SocketAddr>,
    ) {
        let (Some(listen), Some(console)) = (listen, console) else { return };
        if listen == console && listen.port() != 0 {
            let span = raw.console.as_ref().or(raw.listen.as_ref()).map_or(0..0, Spanned::span);
            self.found.push(
                Diagnostic::new("`listen` and `console` are the same address", span)
                    .why("callers must never reach the console")
                    .hint("give the console a port of its own"),
            );
        }
    }

    fn check_tls(
        &mut self,
        raw: &RawFile,
        listen: Option<SocketAddr>,
        console: Option<SocketAddr>,
    ) {
        if raw.tls.is_some() || raw.behind.is_some() {
            return;
        }
        for (name, given, address) in
            [("listen", &raw.listen, listen), ("console", &raw.console, console)]
        {
            let (Some(given), Some(address)) = (given, address) else { continue };
            if !address.ip().is_loopback() {
                self.found.push(
                    Diagnostic::new(
                        format!("`{name}` leaves this machine, and there is no [tls]"),
                        given.span(),
                    )
                    .why("keys and tokens would cross the network in the clear")
                    .hint(
                        "add [tls] with cert and key, or behind = \"tls-proxy\" when one stands \
                         in front",
                    ),
                );
            }
        }
    }

    fn check_url(&mut self, url: Option<&Spanned<String>>) {
        let Some(url) = url else { return };
        if !is_http(url.get_ref()) {
            let what = format!("\"{}\" is not an http(s) URL", url.get_ref());
            self.wrong(what, url.span(), "write it like \"https://api.example.com\"");
        }
    }

    fn database(&mut self, given: Option<Spanned<TextOrSecret>>, data: &Path) -> Option<Database> {
        let Some(given) = given else {
            let file = data.join("portreeve.db");
            return Some(Database::Url(format!("sqlite:{}", file.display())));
        };
        let span = given.span();
        let url = match given.into_inner() {
            TextOrSecret::Secret(secret) => {
                return Some(Database::Secret(secret.beside(&self.folder)));
            }
            TextOrSecret::Text(url) => url,
        };
        if let Some(file) = url.strip_prefix("sqlite:") {
            return Some(Database::Url(format!("sqlite:{}", self.folder.join(file).display())));
        }
        let Some(rest) = url.strip_prefix("postgres://") else {
            let hint = "write \"sqlite:FILE\" or \"postgres://host/name\"";
            self.wrong("not a database URL", span, hint);
            return None;
        };
        let user = rest.split_once('@').map_or("", |(user, _)| user);
        if user.contains(':') {
            self.found.push(literal_secret("database", span));
            return None;
        }
        Some(Database::Url(url))
    }

    fn person(&mut self, id: &Spanned<String>) -> Option<IdentityId> {
        match IdentityId::parse(id.get_ref()) {
            Ok(id) => Some(id),
            Err(problem) => {
                self.wrong(problem.to_string(), id.span(), "write a person's id: \"robin\"");
                None
            }
        }
    }

    fn check_unique<'s>(&mut self, table: &str, names: impl Iterator<Item = &'s Spanned<String>>) {
        let mut seen: Vec<&Spanned<String>> = Vec::new();
        for name in names {
            if let Some(first) = seen.iter().find(|first| first.get_ref() == name.get_ref()) {
                let (line, _) = place(self.text, first.span().start);
                let what = format!("[[{table}]] \"{}\" is there twice", name.get_ref());
                self.wrong(what, name.span(), format!("the first is in line {line}"));
            }
            seen.push(name);
        }
    }

    /// A review of an API that the file does not have may still be right: other origins have
    /// theirs. Only a near miss of one of the file's own names is an error.
    fn check_scopes(&mut self, raw: &RawFile) {
        let names: Vec<&str> = raw.api.iter().map(|api| api.name.get_ref().as_str()).collect();
        for wanted in raw.review.iter().flat_map(|review| &review.of.apis) {
            if names.contains(&wanted.get_ref().as_str()) {
                continue;
            }
            if let Some(near) = base::nearest(wanted.get_ref(), names.iter().copied()) {
                let what = format!("there is no [[api]] \"{}\"", wanted.get_ref());
                self.wrong(what, wanted.span(), format!("did you mean \"{near}\"?"));
            }
        }
    }

    fn issuer(&mut self, raw: RawIssuer) -> Option<IssuerSetting> {
        if !is_http(raw.issuer.get_ref()) {
            let hint = "write its `iss` to the letter: \"https://login.example.com\"";
            self.wrong("an issuer is a URL", raw.issuer.span(), hint);
        }
        self.check_jwks(&raw.jwks);
        let span = raw.name.span();
        let token = token::IssuerSettings {
            name: raw.name.into_inner(),
            issuer: raw.issuer.into_inner(),
            audiences: raw.audience.into_inner(),
            // The shape was checked: these are words and durations of their kinds.
            algorithms: raw.algorithms.get_ref().iter().flat_map(|word| word.parse()).collect(),
            leeway: raw.leeway.map_or(Ok(Span::from_secs(30)), |text| Span::parse(&text)).ok()?,
            scopes: raw.scopes.map_or(Ok(ScopeRule::Ignore), |word| word.parse()).ok()?,
        };
        // Whatever the verifier itself refuses is refused here, with a place in the file.
        if let Err(problem) = token::Issuer::new(token.clone(), token::JwkSet::empty(), 0) {
            let Problem { detail: what, hint, .. } = problem;
            self.found.push(Diagnostic { hint, ..Diagnostic::new(what, span) });
        }
        Some(IssuerSetting { token, jwks: Location::of(raw.jwks.get_ref(), &self.folder) })
    }

    fn api(&mut self, raw: RawApi) -> Option<ApiSetting> {
        if let Err(problem) = base::ApiId::parse(raw.name.get_ref()) {
            self.wrong(problem.to_string(), raw.name.span(), "choose another name");
        }
        if !raw.path.get_ref().starts_with('/') {
            let hint = format!("write \"/{}\"", raw.path.get_ref());
            self.wrong("`path` must start with /", raw.path.span(), hint);
        }
        if let Err(why) = traffic::UpstreamUrl::parse(raw.upstream.get_ref()) {
            let hint = "write it like \"http://127.0.0.1:3000\"";
            self.wrong(format!("`upstream` is no address: {why}"), raw.upstream.span(), hint);
        }
        if let Some(owner) = &raw.owner
            && let Err(problem) = owner.get_ref().parse::<identity::Owner>()
        {
            self.wrong(problem.to_string(), owner.span(), "write \"robin\" or \"group:commerce\"");
        }
        if raw.check.is_some() && raw.openapi.is_none() {
            let hint = "name the document: openapi = \"openapi.yaml\"";
            self.wrong("`check` needs `openapi`", raw.name.span(), hint);
        }
        self.check_operations(&raw);
        let document = raw.openapi.map(|text| Location::of(&text, &self.folder));
        let api = app::view::NewApi {
            name: raw.name.into_inner(),
            path: raw.path.into_inner(),
            upstream: raw.upstream.into_inner(),
            protocol: raw.protocol,
            operations: raw.operations.into_iter().map(Spanned::into_inner).collect(),
            hosts: raw.hosts,
            owner: raw.owner.map(Spanned::into_inner),
            impact: raw.impact,
            mode: raw.mode,
            environment: raw.environment,
            accept: raw.accept,
            timeouts: self.timeouts(raw.timeouts),
            limits: self.limits(raw.limit),
            costs: self.costs(raw.costs),
            checks: raw.check.map(|check| app::view::PutChecks {
                requests: check.requests,
                responses: check.responses,
                closed: check.closed,
                strict_query: check.strict_query,
            }),
            ..Default::default()
        };
        Some(ApiSetting { api, document })
    }

    /// The list as a whole: the first entry that is wrong is told with its place.
    fn check_operations(&mut self, raw: &RawApi) {
        let Some(last) = raw.operations.last() else { return };
        if raw.openapi.is_some() {
            let what = "`operations` and `openapi` both say what there is";
            self.wrong(what, last.span(), "leave one of them out");
        }
        let entries: Vec<&str> = raw.operations.iter().map(|entry| &**entry.get_ref()).collect();
        let read = catalog::list::operations(&entries, raw.path.get_ref(), catalog::Impact::Medium);
        if let Err(problem) = read {
            let digits = problem.place.iter().flat_map(|place| place.matches(char::is_numeric));
            let index = digits.collect::<String>().parse().ok();
            let entry = index.and_then(|index: usize| raw.operations.get(index)).unwrap_or(last);
            self.wrong(problem.detail, entry.span(), problem.hint.unwrap_or_default());
        }
    }

    fn timeouts(&mut self, raw: RawTimeouts) -> app::view::NewTimeouts {
        let mut limit = |given: Option<Spanned<String>>| {
            let given = given?;
            // The shape was checked: these are durations.
            let span = Span::parse(given.get_ref()).ok()?;
            if span.as_micros() == 0 || span > app::TIMEOUT_MAX {
                let what = format!("{span} is no timeout");
                self.wrong(
                    what,
                    given.span(),
                    format!("more than 0s, at most {}", app::TIMEOUT_MAX),
                );
            }
            Some(given.into_inner())
        };
        app::view::NewTimeouts {
            connect: limit(raw.connect),
            response: limit(raw.response),
            idle: limit(raw.idle),
            call: limit(raw.call),
        }
    }

    fn review(&mut self, raw: RawReview) -> Option<app::view::ReviewDefinition> {
        if let Err(problem) = raw.fallback.get_ref().parse::<identity::Owner>() {
            let hint = "write \"robin\" or \"group:security\"";
            self.wrong(problem.to_string(), raw.fallback.span(), hint);
        }
        let days = raw.days.as_ref().map(|days| (u32::try_from(*days.get_ref()), days.span()));
        if let Some((Ok(0) | Err(_), span)) = &days {
            self.wrong("`days` is out of range", span.clone(), "write at least 1");
        }
        Some(app::view::ReviewDefinition {
            name: raw.name.into_inner(),
            of: app::view::ReviewScope {
                kinds: raw.of.kinds,
                apis: raw.of.apis.into_iter().map(Spanned::into_inner).collect(),
                impacts: raw.of.impacts,
                environments: raw.of.environments,
            },
            by: raw.by,
            fallback: raw.fallback.into_inner(),
            days: days.and_then(|(days, _)| days.ok()),
            instructions: raw.instructions,
        })
    }
}

fn is_http(text: &str) -> bool {
    text.strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"))
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(' '))
}
