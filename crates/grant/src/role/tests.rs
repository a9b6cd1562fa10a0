use super::*;

fn role(id: &str, api: &str, operations: &[&str], includes: &[&str]) -> Role {
    Role {
        id: id.parse().expect("id"),
        name: id.to_owned(),
        api: api.parse().expect("api"),
        operations: OperationSet::Only(
            operations.iter().map(|op| op.parse().expect("op")).collect(),
        ),
        includes: includes.iter().map(|id| id.parse().expect("role")).collect(),
        removed: false,
        origin: Origin::Console,
        created_at: Timestamp::from_secs(0),
    }
}

fn covered(table: &RoleTable, id: &str) -> Vec<String> {
    match table.covers(&id.parse().expect("id"), &"orders".parse().expect("api")) {
        OperationSet::All(_) => vec!["*".to_owned()],
        OperationSet::Only(ids) => ids.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn an_unknown_or_removed_role_or_one_of_another_api_covers_nothing() {
    let mut gone = role("gone", "orders", &["a"], &[]);
    gone.removed = true;
    let table: RoleTable = [
        gone,
        role("foreign", "payments", &["pay"], &[]),
        role("all", "orders", &["b"], &["gone", "foreign", "nobody"]),
    ]
    .into_iter()
    .collect();
    assert!(covered(&table, "nobody").is_empty());
    assert!(covered(&table, "gone").is_empty());
    assert!(covered(&table, "foreign").is_empty());
    assert_eq!(covered(&table, "all"), ["b"]);
}

#[test]
fn a_role_covers_what_it_includes_and_a_circle_ends() {
    let table: RoleTable = [
        role("clerk", "orders", &["get"], &["lead"]),
        role("senior", "orders", &["refund"], &["clerk"]),
        role("lead", "orders", &["delete"], &["senior"]),
    ]
    .into_iter()
    .collect();
    assert_eq!(covered(&table, "clerk"), ["delete", "get", "refund"]);
    assert!(table.includes(&"lead".parse().expect("id"), &"clerk".parse().expect("id")));
    assert!(!table.includes(&"lead".parse().expect("id"), &"other".parse().expect("id")));
}
