//! The APIs of the organisation from their OpenAPI documents, and the operation of a request:
//! literal segments win over parameters, HEAD counts as GET.

use std::collections::BTreeMap;
use std::path::Path;

use base::{ApiId, OperationId, Timestamp};
use catalog::{Api, ApiMode, Impact, Method, Operation, Timeouts};
use serde_json::{Map, Value};

use super::tables::text;
use super::{Failure, json};

/// Method and path segments to API and operation.
#[derive(Debug, Default)]
pub(super) struct Routes {
    next: BTreeMap<String, Routes>,
    operations: BTreeMap<String, (ApiId, OperationId)>,
}

impl Routes {
    fn insert(&mut self, path: &str, method: &str, target: (ApiId, OperationId)) {
        let mut node = self;
        for segment in path.trim_matches('/').split('/') {
            let name = if segment.starts_with('{') { "{}" } else { segment };
            node = node.next.entry(name.to_owned()).or_default();
        }
        node.operations.insert(method.to_owned(), target);
    }

    /// The operation of a request; the query and a trailing slash do not count.
    pub(super) fn locate(&self, method: &str, target: &str) -> Option<&(ApiId, OperationId)> {
        let path = target.split('?').next()?;
        let segments: Vec<_> = path.trim_matches('/').split('/').collect();
        let method = if method == "HEAD" { "GET" } else { method };
        self.walk(&segments, method)
    }

    fn walk(&self, segments: &[&str], method: &str) -> Option<&(ApiId, OperationId)> {
        let [first, rest @ ..] = segments else { return self.operations.get(method) };
        [*first, "{}"]
            .into_iter()
            .filter_map(|name| self.next.get(name))
            .find_map(|node| node.walk(rest, method))
    }
}

/// Reads every document of the folder.
pub(super) fn read(folder: &Path) -> Result<(Vec<Api>, Routes), Failure> {
    let mut apis = Vec::new();
    let mut routes = Routes::default();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(id) = name.strip_suffix(".openapi.json") else { continue };
        apis.push(api(id.parse()?, &json(&path)?, &mut routes)?);
    }
    apis.sort_by(|a, b| a.id.cmp(&b.id));
    Ok((apis, routes))
}

fn api(id: ApiId, document: &Value, routes: &mut Routes) -> Result<Api, Failure> {
    let info = &document["info"];
    let impact = impact(text(info, "x-data-class")?);
    let url = text(&document["servers"][0], "url")?;
    let base = url.splitn(4, '/').nth(3).ok_or("a server without a base path")?;
    let mut operations = Vec::new();
    for (template, methods) in document["paths"].as_object().ok_or("no paths")? {
        let path = format!("/{base}{template}");
        for (method, body) in methods.as_object().into_iter().flat_map(Map::iter) {
            let operation = operation(&path, &method.to_uppercase(), body, impact)?;
            routes.insert(&path, operation.method.as_str(), (id.clone(), operation.id.clone()));
            operations.push(operation);
        }
    }
    operations.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Api {
        name: id.to_string(),
        id,
        hosts: vec![],
        path: format!("/{base}"),
        upstream: "http://127.0.0.1:9".to_owned(),
        mode: ApiMode::Enforce,
        impact,
        owner: Some(format!("group:{}", text(info, "x-owner-team")?)),
        environment: text(info, "x-environment")?.to_owned(),
        accept: vec![],
        protocol: catalog::Protocol::Http1,
        timeouts: Timeouts::default(),
        limits: Vec::new(),
        costs: std::collections::BTreeMap::new(),
        operations,
        origin: "import".to_owned(),
        created_at: Timestamp::default(),
    })
}

fn operation(path: &str, method: &str, body: &Value, impact: Impact) -> Result<Operation, Failure> {
    let method: Method = method.parse()?;
    let tags = body["tags"].as_array().into_iter().flatten();
    Ok(Operation {
        id: text(body, "operationId")?.parse()?,
        method,
        path: path.to_owned(),
        summary: body["summary"].as_str().map(str::to_owned),
        impact,
        mutating: method != Method::Get && body["x-side-effects"] != "none",
        admin: tags.into_iter().any(|tag| tag == "admin"),
        fields: vec![],
        cost: 1,
    })
}

fn impact(class: &str) -> Impact {
    match class {
        "public" | "internal" => Impact::Low,
        "confidential" => Impact::Medium,
        _ => Impact::High,
    }
}
