use super::*;

#[test]
fn no_two_things_have_one_name() {
    let api = |text: &str| text.parse::<ApiId>().unwrap();
    let names = [
        operation("a", "b/c"),
        operation("a/b", "c"),
        operation("a", "b~1c"),
        operation("a", "read"),
        effect("a", false),
        operation("impact", "high"),
        impact("high"),
        operation("role", "x"),
        role("x"),
        known("a"),
        unknown("a"),
        api_action("a"),
    ];
    let distinct: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "{names:?}");
    assert_eq!(api_of(&operation("a/b", "c")), Some(api("a/b")));
    assert_eq!(api_of(&operation("a~1b", "c")), Some(api("a~1b")));
    assert_eq!(api_of(&operation("impact", "high")), Some(api("impact")));
    assert_eq!(api_of(&api_action("impact")), Some(api("impact")));
    assert_eq!(api_of(&unknown("a")), Some(api("a")));
    assert_eq!(api_of(&impact("high")), None);
}

#[test]
fn a_literal_says_what_the_text_says() {
    for text in ["", "a\"b\\c", "\u{0}\n\t'", "Zoë — 🦀", "${x}\\u{61}"] {
        let policy =
            format!("permit(principal, action, resource) when {{ {} == \"\" }};", { quoted(text) });
        let policy: cedar_policy::Policy = policy.parse().unwrap();
        let cedar_policy::pst::Policy::Static(tree) = policy.to_pst().unwrap() else { panic!() };
        let found = format!("{:?}", tree.body().clauses());
        assert!(found.contains(&format!("String({text:?})")), "{text:?} is not in {found}");
    }
}
