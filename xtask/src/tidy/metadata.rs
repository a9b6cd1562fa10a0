//! What cargo says of the packages: `cargo metadata`, reduced to what the checks ask.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::repository::{Chore, Repository};

/// What is released; packages that only other platforms need are not judged.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// The packages of the workspace and all they depend on.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
    /// `name v1.2.3` of each package that is built.
    #[serde(skip)]
    built: BTreeSet<String>,
}

/// A package and the dependencies that its manifest lists.
#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: semver::Version,
    pub(super) license: Option<String>,
    /// `None` for packages of this repository.
    pub(super) source: Option<String>,
    pub(super) dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) kind: Option<String>,
    /// Set for packages of this repository.
    pub(super) path: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Debug, Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

/// What a dependency is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    Dev,
}

impl Kind {
    /// Build scripts count as normal: what they need is needed to build the product.
    fn is(self, kind: Option<&str>) -> bool {
        (kind == Some("dev")) == (self == Kind::Dev)
    }
}

impl Metadata {
    pub(super) fn of(repository: &Repository) -> Chore<Self> {
        let platform = ["--locked", "--filter-platform", PLATFORM];
        let metadata = [&["metadata", "--format-version", "1"], &platform[..]].concat();
        // features are resolved exactly only here: metadata holds optional packages that a weak
        // feature names and nobody turns on
        let tree = [
            "tree",
            "--workspace",
            "--locked",
            "--target",
            PLATFORM,
            "--edges",
            "all",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ];
        let (metadata, tree) =
            (repository.output("cargo", &metadata)?, repository.output("cargo", &tree)?);
        Self::parse(&metadata, &tree)
    }

    /// `tree` has a line `name v1.2.3 …` for each package that is built.
    pub(super) fn parse(metadata: &str, tree: &str) -> Chore<Self> {
        let mut whole: Self =
            serde_json::from_str(metadata).map_err(|e| format!("cargo metadata: {e}"))?;
        let name_and_version = |line: &str| {
            let mut words = line.split(' ');
            Some(format!("{} {}", words.next()?, words.next()?))
        };
        whole.built = tree.lines().filter_map(name_and_version).collect();
        Ok(whole)
    }

    /// The packages of this repository.
    pub(super) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// Whether a build for this machine holds the package: the lockfile also lists those of
    /// features and platforms that are not used.
    pub(super) fn is_built(&self, package: &Package) -> bool {
        self.built.contains(&format!("{} v{}", package.name, package.version))
    }

    /// Everything that is linked with `package`, itself left out: (package, who needs it). What
    /// only its build scripts and tests need is not part of it.
    pub(super) fn needed_by(&self, package: &Package) -> Vec<(&Package, &Package)> {
        let nodes: BTreeMap<&str, &Node> =
            self.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let by_id: BTreeMap<&str, &Package> =
            self.packages.iter().map(|package| (package.id.as_str(), package)).collect();
        let mut seen = BTreeSet::from([package.id.as_str()]);
        let mut waiting = vec![package.id.as_str()];
        let mut found = Vec::new();
        while let Some(id) = waiting.pop() {
            let edges = nodes.get(id).map_or(&[][..], |node| &node.deps);
            for edge in edges.iter().filter(|edge| edge.is_linked()) {
                if seen.insert(&edge.pkg) {
                    waiting.push(&edge.pkg);
                    let needed = by_id.get(edge.pkg.as_str()).zip(by_id.get(id));
                    found.extend(needed.map(|(needed, by)| (*needed, *by)));
                }
            }
        }
        found
    }
}

impl Edge {
    fn is_linked(&self) -> bool {
        self.dep_kinds.iter().any(|edge| edge.kind.is_none())
    }
}

impl Package {
    /// Our name for it: `portreeve-policy` is `policy`.
    pub(super) fn short_name(&self) -> &str {
        short(&self.name)
    }

    /// The packages of this repository that the manifest lists.
    pub(super) fn uses_of_ours(&self, kind: Kind) -> BTreeSet<String> {
        let ours = self.dependencies.iter().filter(|dependency| dependency.path.is_some());
        ours.filter(|dependency| kind.is(dependency.kind.as_deref()))
            .map(|dependency| short(&dependency.name).to_owned())
            .collect()
    }
}

fn short(name: &str) -> &str {
    name.strip_prefix("portreeve-").unwrap_or(name)
}

#[cfg(test)]
pub(super) mod sample;
