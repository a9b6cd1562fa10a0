use super::*;
use crate::sample;

#[test]
fn a_time_tag_never_carries_markup() {
    let shell = sample::shell(Section::Today);
    assert_eq!(shell.time("<script>").to_string(), "&#60;script&#62;");
    assert_eq!(shell.time_or(&None, "never").to_string(), "never");
}

#[test]
fn members_see_only_today_and_reviews() {
    let mut shell = sample::shell(Section::Reviews);
    shell.viewer = Some(sample::viewer(Role::Member));
    let labels: Vec<_> = shell.navigation().into_iter().map(|link| link.label).collect();
    assert_eq!(labels, ["Today", "Reviews"]);
    shell.viewer = None;
    assert!(shell.navigation().is_empty());
}

#[test]
fn exactly_one_link_is_current() {
    let shell = sample::shell(Section::Apis);
    let current: Vec<_> =
        shell.navigation().into_iter().filter(|link| link.current).map(|link| link.href).collect();
    assert_eq!(current, ["/apis"]);
}
