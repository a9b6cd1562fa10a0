use super::*;

fn only(paths: &[&str]) -> Fields {
    Fields::Only(paths.iter().map(|path| (*path).to_owned()).collect())
}

fn tie(path: &str, allowed: &[&str]) -> Tie {
    let allowed = allowed.iter().map(|value| (*value).to_owned()).collect();
    Tie { path: path.to_owned(), allowed }
}

fn refused(fields: Fields, ties: Vec<Tie>) -> PlanError {
    Plan::compile(vec![Alternative { fields, ties }]).unwrap_err()
}

/// The node that a path of names leads to; `[]` goes into an array.
fn node(plan: &Plan, path: &[&str]) -> Node {
    let step = |number, name: &&str| match *name {
        "[]" => plan.node(number).array,
        name => plan.child(number, name.as_bytes()),
    };
    plan.node(path.iter().fold(Plan::ROOT, step))
}

#[test]
fn no_alternative_is_no_plan() {
    assert_eq!(Plan::compile(vec![]).unwrap_err(), PlanError::NoAlternatives);
}

#[test]
fn a_path_that_cannot_be_read_is_named() {
    let error = refused(only(&["a", "b..c"]), vec![]);
    assert_eq!(error.to_string(), "`b..c`: a name is empty");
    let error = refused(Fields::All, vec![tie("a[]", &["1"])]);
    assert_eq!(error.to_string(), "`a[]`: a tie ends in the name of a property");
}

#[test]
fn what_is_too_large_is_refused() {
    let many: Vec<Alternative> = (0..65)
        .map(|n| Alternative {
            fields: only(&[&format!("a{n}")]),
            ties: vec![tie(&format!("t{n}"), &["1"])],
        })
        .collect();
    assert_eq!(Plan::compile(many).unwrap_err(), PlanError::TooManyAlternatives);
    let ties = (0..65).map(|n| tie(&format!("t{n}"), &["1"])).collect();
    assert_eq!(refused(Fields::All, ties), PlanError::TooManyTies);
    let deep = vec![tie(&format!("{}t", "a[].".repeat(8)), &["1"])];
    assert_eq!(refused(Fields::All, deep), PlanError::TooLarge);
    assert_eq!(refused(only(&[&("a.".repeat(300) + "b")]), vec![]), PlanError::TooLarge);
    let wide: Vec<String> = (0..9_000).map(|n| format!("a{n}.b")).collect();
    let wide: Vec<&str> = wide.iter().map(String::as_str).collect();
    assert_eq!(refused(only(&wide), vec![]), PlanError::TooLarge);
}

#[test]
fn paths_with_stars_that_meet_end_as_too_large_and_do_not_hang() {
    let paths: Vec<String> = (0..16)
        .map(|n| {
            let segments = (0..16).map(|m| if m == n { format!("x{n}") } else { "*".to_owned() });
            segments.collect::<Vec<_>>().join(".")
        })
        .collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    assert_eq!(refused(only(&paths), vec![]), PlanError::TooLarge);
}

#[test]
fn what_is_not_listed_is_not_shown() {
    let alternatives = vec![Alternative { fields: only(&["a.b", "c"]), ties: vec![] }];
    let plan = Plan::compile(alternatives).unwrap();
    for hidden in [&["x"][..], &["a", "x"], &["a", "bb"], &["b"], &["A"], &["a", "[]", "x"]] {
        assert_eq!(node(&plan, hidden).around(true), 0, "{hidden:?}");
        assert!(node(&plan, hidden).fixed);
    }
    assert_eq!((node(&plan, &["a"]).shown, node(&plan, &["a"]).partial), (0, 1));
    for shown in [&["a", "b"][..], &["c"], &["c", "x"], &["a", "b", "[]", "[]", "x"], &["[]", "c"]]
    {
        assert_eq!(node(&plan, shown).shown, 1, "{shown:?}");
        assert!(node(&plan, shown).fixed);
    }
}

#[test]
fn a_path_inside_another_makes_no_difference() {
    let alternatives = vec![Alternative { fields: only(&["a", "a.b.c", "*.b.d"]), ties: vec![] }];
    let plan = Plan::compile(alternatives).unwrap();
    assert!(node(&plan, &["a"]).fixed, "what is below need not be looked up");
    assert!(!node(&plan, &["x"]).fixed);
}

#[test]
fn alternatives_that_say_the_same_are_one() {
    let same = |paths: &[&str], tenant: &str| Alternative {
        fields: only(paths),
        ties: vec![tie("[].t", &[tenant])],
    };
    let plan = Plan::compile((0..200).map(|n| same(&["a"], &n.to_string())).collect()).unwrap();
    assert_eq!(plan.everyone(), 1);
    let unconditional =
        (0..200).map(|n| Alternative { fields: only(&[&n.to_string()]), ties: vec![] });
    assert_eq!(Plan::compile(unconditional.collect()).unwrap().everyone(), 1);
    let plan = Plan::compile(vec![same(&["a"], "1"), same(&["b"], "2")]).unwrap();
    assert_eq!(plan.everyone(), 0b11);
}

#[test]
fn two_ties_on_one_value_must_both_hold() {
    let ties = vec![tie("items[].t", &["1", "2"]), tie("items[].t", &["2", "3"])];
    let plan = Plan::compile(vec![Alternative { fields: Fields::All, ties }]).unwrap();
    let judge = plan.judge(node(&plan, &["items", "[]", "t"]).judge).unwrap();
    let holds = ["1", "2", "3"].map(|value| judge.holds(value.as_bytes()));
    assert_eq!(holds, [0, 1, 0]);
    // Nothing is a list and a value.
    let ties = vec![tie("items[].t", &["1"]), tie("items", &["1"])];
    let plan = Plan::compile(vec![Alternative { fields: Fields::All, ties }]).unwrap();
    let judge = plan.judge(node(&plan, &["items"]).judge).unwrap();
    assert_eq!((judge.alternatives, judge.lists, judge.holds(b"1")), (1, 0, 0));
}

#[test]
fn a_tie_does_not_pass_an_array_that_it_does_not_name() {
    let ties = vec![tie("a.t", &["1"]), tie("items[].t", &["1"])];
    let plan = Plan::compile(vec![Alternative { fields: Fields::All, ties }]).unwrap();
    assert_ne!(node(&plan, &["a", "t"]).judge, NONE);
    assert_ne!(node(&plan, &["items", "[]", "t"]).judge, NONE);
    for place in
        [&["[]", "a", "t"][..], &["a", "[]", "t"], &["items", "t"], &["items", "[]", "[]", "t"]]
    {
        assert_eq!(node(&plan, place).judge, NONE, "{place:?}");
    }
}

#[test]
fn everything_is_shown_by_the_plan_that_only_watches() {
    let plan = Plan::everything();
    for place in [&[][..], &["a"], &["a", "[]", "b"]] {
        let node = node(&plan, place);
        assert!(node.fixed && node.shown == plan.everyone(), "{place:?}");
    }
}
