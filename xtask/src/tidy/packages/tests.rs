use super::super::metadata::sample::{Foreign, Member, metadata};
use super::*;

fn token(needs: &'static [&'static str]) -> Member<'static> {
    Member { name: "token", needs, needs_in_tests: &[] }
}

#[test]
fn core_may_not_need_a_runtime_through_others() {
    let foreign = [
        Foreign { name: "jose", needs: &["net"], ..Foreign::default() },
        Foreign { name: "net", needs: &["tokio"], ..Foreign::default() },
        Foreign { name: "tokio", ..Foreign::default() },
    ];
    let found = check_core(&metadata(&[token(&["jose"])], &foreign));
    assert_eq!(found, [Finding::fault("token", "core may not need `tokio` (through `net`)")]);
}

#[test]
fn tests_of_core_may_need_what_core_may_not() {
    let member = Member { name: "token", needs: &[], needs_in_tests: &["proptest"] };
    let foreign = [
        Foreign { name: "proptest", needs: &["rand"], ..Foreign::default() },
        Foreign { name: "rand", ..Foreign::default() },
    ];
    assert_eq!(check_core(&metadata(&[member], &foreign)), []);
}

#[test]
fn the_shell_may_need_a_runtime() {
    let member = Member { name: "proxy", needs: &["tokio"], needs_in_tests: &[] };
    let foreign = [Foreign { name: "tokio", ..Foreign::default() }];
    assert_eq!(check_core(&metadata(&[member], &foreign)), []);
}

#[test]
fn one_package_more_than_the_cap_is_a_fault() {
    let ratchet = Ratchet { packages: 2, ..Ratchet::default() };
    assert_eq!(check_count("[[package]]\n[[package]]\n", &ratchet), []);
    assert_eq!(check_count("[[package]]\n[[package]]\n[[package]]\n", &ratchet).len(), 1);
}
