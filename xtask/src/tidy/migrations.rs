//! Migrations: both databases have the same ones, numbered without gaps.

use std::collections::BTreeSet;

use super::Finding;
use crate::repository::TextFile;

const FOLDER: &str = "crates/store/migrations/";

pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    let (sqlite, postgres) = (names(files, "sqlite"), names(files, "postgres"));
    let mut findings = Vec::new();
    for (here, there, missing) in [(&sqlite, &postgres, "postgres"), (&postgres, &sqlite, "sqlite")]
    {
        for name in here.difference(there) {
            findings.push(Finding::fault(format!("{FOLDER}{missing}/{name}"), "is missing"));
        }
    }
    for (index, name) in sqlite.iter().enumerate() {
        let number = format!("{:04}_", index + 1);
        if !name.starts_with(&number) {
            let what = format!("should be number {number}: no gaps, none twice");
            findings.push(Finding::fault(format!("{FOLDER}sqlite/{name}"), what));
        }
    }
    if sqlite.is_empty() {
        findings.push(Finding::fault(FOLDER, "holds no migrations"));
    }
    findings
}

fn names<'a>(files: &'a [TextFile], database: &str) -> BTreeSet<&'a str> {
    let folder = format!("{FOLDER}{database}/");
    files.iter().filter_map(|file| file.path.strip_prefix(&folder)).collect()
}

#[cfg(test)]
mod tests;
