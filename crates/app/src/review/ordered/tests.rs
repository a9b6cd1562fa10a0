use super::*;
use crate::view::ReviewScope;

fn written() -> ReviewDefinition {
    ReviewDefinition {
        name: "machines".to_owned(),
        fallback: "robin".to_owned(),
        ..ReviewDefinition::default()
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let scope = |of| ReviewDefinition { of, ..written() };
    let cases = [
        (ReviewDefinition { name: " ".to_owned(), ..written() }, "name"),
        (ReviewDefinition { fallback: String::new(), ..written() }, "fallback"),
        (ReviewDefinition { by: vec!["manager".to_owned()], ..written() }, "by"),
        (ReviewDefinition { days: Some(0), ..written() }, "days"),
        (ReviewDefinition { days: Some(367), ..written() }, "days"),
        (ReviewDefinition { instructions: Some("x".repeat(2_001)), ..written() }, "instructions"),
        (
            scope(ReviewScope { kinds: vec!["robot".to_owned()], ..ReviewScope::default() }),
            "of.kinds",
        ),
        (scope(ReviewScope { apis: vec!["a b".to_owned()], ..ReviewScope::default() }), "of.apis"),
        (
            scope(ReviewScope { impacts: vec!["vast".to_owned()], ..ReviewScope::default() }),
            "of.impacts",
        ),
    ];
    for (definition_written, place) in cases {
        let problem = definition(&definition_written).unwrap_err();
        assert_eq!(problem.place.as_deref(), Some(place), "{problem}");
    }
}

#[test]
fn owner_then_api_owner_and_two_weeks_are_the_defaults() {
    let definition = definition(&written()).unwrap();
    assert_eq!(definition.reviewers, [ReviewerRule::Owner, ReviewerRule::ApiOwner]);
    assert_eq!(definition.days, 14);
}

#[test]
fn ids_are_made_of_names() {
    let cases = [
        ("machines", "machines"),
        ("Machines, quarterly: Q4/2026!", "machines-quarterly-q4-2026"),
        ("  --  ", "review"),
        ("Überprüfung", "berpr-fung"),
    ];
    for (name, expected) in cases {
        assert_eq!(slug(name), expected, "{name}");
    }
}
