//! What the configuration file maintains: APIs with origin `file`. The file creates and updates
//! them and removes those that it no longer has; objects of other origins are left alone.

use std::path::Path;

use app::view::NewApi;
use app::{Actor, App, Channel};
use base::{IdentityId, Problem};

use crate::config::{ApiSetting, Location, Settings, Unusable};
use crate::failure::Failure;

/// portreeve acting for the configuration file.
pub(crate) fn file_actor() -> Result<Actor, Problem> {
    let id = IdentityId::parse("system:config").map_err(|e| Problem::internal(e.to_string()))?;
    Ok(Actor { channel: Channel::File, ..Actor::system(id) })
}

/// An API with its document in hand.
fn loaded(setting: &ApiSetting) -> Result<NewApi, Problem> {
    let mut api = setting.api.clone();
    match &setting.document {
        Some(Location::File(path)) => {
            api.document = Some(read(path)?);
            api.document_name = Some(path.display().to_string());
        }
        Some(Location::Url(url)) => api.document_url = Some(url.clone()),
        None => {}
    }
    Ok(api)
}

fn read(path: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(path).map_err(|error| {
        Problem::invalid("document_unreadable", format!("cannot read the document: {error}"))
            .at(path.display().to_string())
    })
}

/// Checks the files that a configuration names, without a server.
pub(crate) fn check_documents(settings: &Settings) -> Result<(), Unusable> {
    let check = || -> Result<(), Problem> {
        for setting in &settings.apis {
            let api = loaded(setting)?;
            if let (Some(text), Some(name)) = (&api.document, &api.document_name) {
                let operations = check_document(text, name, &api.path)?;
                app::check_limits(&api, &operations)
                    .map_err(|problem| within(problem, &api.name))?;
            }
        }
        super::tls::upstream_of(settings.upstream_roots.as_deref())?;
        for issuer in &settings.issuers {
            if let Location::File(path) = &issuer.jwks {
                let keys = token::JwkSet::parse(&read(path)?);
                keys.map_err(|problem| problem.at(path.display().to_string()))?;
            }
        }
        Ok(())
    };
    check().map_err(|problem| Unusable::Named(Failure::from(problem)))
}

fn check_document(text: &str, name: &str, path: &str) -> Result<Vec<catalog::Operation>, Problem> {
    use catalog::openapi::{Prefix, import};
    let document = import(text, name, Prefix(Some(path)), catalog::Impact::Medium)?;
    Ok(document.operations)
}

fn within(problem: Problem, name: &str) -> Problem {
    let field = problem.place.clone().unwrap_or_default();
    problem.at(format!("api `{name}`: {field}"))
}

/// Brings the stored APIs in line with the file, all or nothing: everything is read before
/// anything changes, and the changes are one transaction.
pub(crate) async fn apply(app: &App, settings: &Settings) -> Result<(), Problem> {
    let wanted = settings.apis.iter().map(loaded).collect::<Result<Vec<_>, _>>()?;
    app.declare_apis(&file_actor()?, wanted).await
}
