//! Small worlds of packages for the tests of the checks.

use super::Metadata;

/// A workspace member and the packages it needs.
pub(in crate::tidy) struct Member<'a> {
    pub(in crate::tidy) name: &'a str,
    pub(in crate::tidy) needs: &'a [&'a str],
    pub(in crate::tidy) needs_in_tests: &'a [&'a str],
}

/// A package from elsewhere.
pub(in crate::tidy) struct Foreign<'a> {
    pub(in crate::tidy) name: &'a str,
    pub(in crate::tidy) version: &'a str,
    pub(in crate::tidy) license: Option<&'a str>,
    pub(in crate::tidy) source: &'a str,
    pub(in crate::tidy) needs: &'a [&'a str],
}

/// Where packages come from by default.
pub(in crate::tidy) const REGISTRY: &str = "registry+index";

impl Default for Foreign<'_> {
    fn default() -> Self {
        Self { name: "", version: "1.0.0", license: Some("MIT"), source: REGISTRY, needs: &[] }
    }
}

/// What cargo would say of these.
pub(in crate::tidy) fn metadata(members: &[Member<'_>], foreign: &[Foreign<'_>]) -> Metadata {
    let is_ours = |name: &str| members.iter().any(|member| member.name == name);
    let listed = |name: &str, kind: Option<&str>| {
        let path = is_ours(name).then_some("somewhere");
        serde_json::json!({ "name": name, "kind": kind, "path": path })
    };
    let edge = |name: &str, kind: Option<&str>| serde_json::json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
    let (mut packages, mut nodes) = (Vec::new(), Vec::new());
    for member in members {
        let uses = member.needs.iter().map(|name| listed(name, None));
        let tests = member.needs_in_tests.iter().map(|name| listed(name, Some("dev")));
        packages.push(serde_json::json!({
            "id": member.name, "name": member.name, "version": "0.1.0",
            "license": "MIT", "source": null,
            "dependencies": uses.chain(tests).collect::<Vec<_>>(),
        }));
        let needs = member.needs.iter().map(|name| edge(name, None));
        let tests = member.needs_in_tests.iter().map(|name| edge(name, Some("dev")));
        let deps: Vec<_> = needs.chain(tests).collect();
        nodes.push(serde_json::json!({ "id": member.name, "deps": deps }));
    }
    for package in foreign {
        packages.push(serde_json::json!({
            "id": package.name, "name": package.name, "version": package.version,
            "license": package.license, "source": package.source,
            "dependencies": [],
        }));
        let deps: Vec<_> = package.needs.iter().map(|name| edge(name, None)).collect();
        nodes.push(serde_json::json!({ "id": package.name, "deps": deps }));
    }
    let ids: Vec<_> = members.iter().map(|member| member.name).collect();
    let whole = serde_json::json!({
        "packages": packages, "workspace_members": ids, "resolve": { "nodes": nodes },
    });
    let needed = members.iter().flat_map(|of| of.needs.iter().chain(of.needs_in_tests));
    let built = needed.map(|name| {
        let version = foreign.iter().find(|package| package.name == *name);
        format!("{name} v{} (extra)\n", version.map_or("0.1.0", |package| package.version))
    });
    Metadata::parse(&whole.to_string(), &built.collect::<String>()).unwrap()
}
