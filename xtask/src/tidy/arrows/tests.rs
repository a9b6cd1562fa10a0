use super::super::metadata::sample::{Member, metadata};
use super::*;

fn findings_of(name: &str, needs: &[&str], needs_in_tests: &[&str]) -> Vec<String> {
    let mut members = vec![Member { name, needs, needs_in_tests }];
    let others: BTreeSet<&str> = needs.iter().chain(needs_in_tests).copied().collect();
    members.extend(others.into_iter().map(|name| Member { name, needs: &[], needs_in_tests: &[] }));
    let world = metadata(&members, &[]);
    let package = world.members().next().unwrap();
    check_package(package).into_iter().map(|finding| finding.what).collect()
}

#[test]
fn a_door_may_not_use_another_door() {
    assert_eq!(findings_of("console", &["base", "app", "admin"], &[]), ["may not use `admin`"]);
}

#[test]
fn the_gate_may_not_use_the_store() {
    let needs = [
        "base", "identity", "grant", "catalog", "contract", "traffic", "filter", "token", "policy",
        "store",
    ];
    assert_eq!(findings_of("proxy", &needs, &[]), ["may not use `store`"]);
}

#[test]
fn tests_of_core_may_not_use_the_shell() {
    assert_eq!(
        findings_of("traffic", &["base", "identity"], &["store"]),
        ["may not use `store` in tests"]
    );
}

#[test]
fn the_test_kit_is_for_tests_only() {
    assert_eq!(findings_of("jobs", &["base", "app"], &["testkit"]), [""; 0]);
    assert_eq!(findings_of("jobs", &["base", "app", "testkit"], &[]), ["may not use `testkit`"]);
}

#[test]
fn an_arrow_that_nobody_uses_is_dropped() {
    assert_eq!(findings_of("jobs", &["base"], &[]), ["does not use `app`: drop the arrow"]);
}

#[test]
fn a_crate_without_a_row_is_a_fault() {
    let found = findings_of("stranger", &[], &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("not in the table of arrows"));
}

#[test]
fn a_row_without_a_crate_is_a_fault() {
    let world = metadata(&[Member { name: "base", needs: &[], needs_in_tests: &[] }], &[]);
    let missing = check(&world).len();
    assert_eq!(missing, ARROWS.len() - 1);
}

#[test]
fn no_arrow_points_up_the_table() {
    for (row, (name, uses)) in ARROWS.iter().enumerate() {
        for other in *uses {
            let place = ARROWS.iter().position(|(known, _)| known == other).unwrap();
            assert!(place < row, "{name} uses {other}, which stands below it");
        }
    }
}
