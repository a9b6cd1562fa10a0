//! Pages of documentation: each declares its kind, stands in the folder of that kind, and links to
//! files that exist. Generated ones say so.

use std::collections::BTreeSet;

use super::Finding;
use crate::docs::GENERATED_MARK;
use crate::repository::TextFile;

/// Folder under `docs/` and the kind that its pages declare on their third line.
const KINDS: &[(&str, &str)] = &[
    ("tutorial", "Tutorial"),
    ("howto", "How-to"),
    ("reference", "Reference"),
    ("explanation", "Explanation"),
    ("decisions", "Decision"),
];

pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut findings = Vec::new();
    for page in files.iter().filter(|file| file.path.ends_with(".md")) {
        findings.extend(check_kind(page));
        findings.extend(check_links(page, &paths));
    }
    findings
}

fn check_kind(page: &TextFile) -> Option<Finding> {
    let inside = page.path.strip_prefix("docs/")?;
    let Some((folder, _)) = inside.split_once('/') else {
        let known = inside == "README.md";
        return (!known).then(|| Finding::fault(&page.path, "belongs in a folder of its kind"));
    };
    let Some((_, kind)) = KINDS.iter().find(|(known, _)| *known == folder) else {
        return Some(Finding::fault(&page.path, "is in a folder that is no kind of page"));
    };
    let declared = page.text.lines().nth(2).unwrap_or_default();
    if !declared.starts_with(&format!("*{kind}")) {
        return Some(Finding::fault(&page.path, format!("its third line does not say *{kind}…*")));
    }
    let generated = declared.contains(GENERATED_MARK);
    if folder == "reference" && !generated {
        return Some(Finding::fault(
            &page.path,
            format!("reference is generated: {GENERATED_MARK}"),
        ));
    }
    None
}

fn check_links(page: &TextFile, paths: &BTreeSet<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_code = false;
    for (index, line) in page.text.lines().enumerate() {
        in_code ^= line.starts_with("```");
        for target in links(line).filter(|_| !in_code) {
            if !exists(&page.path, target, paths) {
                let what = format!("links to `{target}`, which is not there");
                findings.push(Finding::at_line(page, index, what));
            }
        }
    }
    findings
}

/// Targets of `[text](target)` in a line.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

fn exists(page: &str, target: &str, paths: &BTreeSet<&str>) -> bool {
    if target.contains("://") || target.starts_with('#') || target.starts_with("mailto:") {
        return true;
    }
    let target = target.split('#').next().unwrap_or_default().trim_end_matches('/');
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let wanted = parts.join("/");
    let folder = format!("{wanted}/");
    paths.iter().any(|path| *path == wanted || path.starts_with(&folder))
}

#[cfg(test)]
mod tests;
