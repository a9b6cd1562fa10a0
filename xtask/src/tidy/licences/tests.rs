use super::super::metadata::sample::{Foreign, Member, metadata};
use super::*;

const RULES: &str = r#"
[licenses]
allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "ISC"]
[bans]
deny = [{ crate = "openssl-sys" }, { crate = "jsonwebtoken:<10.3" }]
"#;

fn findings_of(package: Foreign<'_>) -> Vec<String> {
    let policy = Policy::parse(RULES).unwrap();
    let ours = Member { name: "portreeve", needs: &[package.name], needs_in_tests: &[] };
    let found = check(&metadata(&[ours], &[package]), &policy);
    found.into_iter().map(|finding| finding.to_string()).collect()
}

#[test]
fn a_banned_package_is_a_fault_in_every_version() {
    let found =
        findings_of(Foreign { name: "openssl-sys", version: "9.9.9", ..Foreign::default() });
    assert_eq!(found, ["openssl-sys 9.9.9: is banned by deny.toml"]);
}

#[test]
fn what_the_lockfile_lists_and_nobody_builds_is_left_alone() {
    let policy = Policy::parse(RULES).unwrap();
    let ours = Member { name: "portreeve", needs: &[], needs_in_tests: &[] };
    let unused = Foreign { name: "openssl-sys", ..Foreign::default() };
    assert_eq!(check(&metadata(&[ours], &[unused]), &policy), []);
}

#[test]
fn a_ban_by_version_hits_older_ones_only() {
    let at = |version| Foreign { name: "jsonwebtoken", version, ..Foreign::default() };
    assert_eq!(findings_of(at("10.2.0")).len(), 1);
    assert_eq!(findings_of(at("10.3.0")), [""; 0]);
}

#[test]
fn a_licence_that_is_not_allowed_is_a_fault() {
    let under = |license| Foreign { name: "x", license, ..Foreign::default() };
    assert_eq!(findings_of(under(Some("MIT"))), [""; 0]);
    assert_eq!(findings_of(under(Some("GPL-3.0"))).len(), 1);
    assert_eq!(findings_of(under(None)).len(), 1);
}

#[test]
fn a_package_from_a_branch_somewhere_is_a_fault() {
    let found = findings_of(Foreign { name: "x", source: "git+fork", ..Foreign::default() });
    assert_eq!(found, ["x 1.0.0: does not come from a registry"]);
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    let allowed = ["MIT", "Apache-2.0 WITH LLVM-exception", "ISC"].map(str::to_owned);
    for (expression, met) in [
        ("MIT OR GPL-3.0", true),
        ("MIT/GPL-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("ISC AND (GPL-3.0 OR MIT)", true),
        ("GPL-3.0 OR MIT AND BSD-4-Clause", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0", false),
        ("(MIT", false),
        ("MIT)", false),
        ("", false),
    ] {
        assert_eq!(permitted(expression, &allowed), met, "{expression}");
    }
}
