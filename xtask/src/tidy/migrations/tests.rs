use super::*;

fn findings_of(sqlite: &[&str], postgres: &[&str]) -> Vec<String> {
    let file = |database: &str, name: &&str| TextFile {
        path: format!("{FOLDER}{database}/{name}"),
        text: String::new(),
    };
    let files: Vec<_> = (sqlite.iter().map(|name| file("sqlite", name)))
        .chain(postgres.iter().map(|name| file("postgres", name)))
        .collect();
    check(&files).into_iter().map(|found| found.to_string()).collect()
}

#[test]
fn the_same_in_both_is_well() {
    let both = ["0001_access.sql", "0002_ledger.sql"];
    assert_eq!(findings_of(&both, &both), [""; 0]);
}

#[test]
fn one_that_a_database_lacks_is_named() {
    let found = findings_of(&["0001_a.sql", "0002_b.sql"], &["0001_a.sql"]);
    assert_eq!(found, ["crates/store/migrations/postgres/0002_b.sql: is missing"]);
}

#[test]
fn gaps_doubles_and_an_empty_folder_are_faults() {
    let gap = ["0001_a.sql", "0003_b.sql"];
    assert_eq!(findings_of(&gap, &gap).len(), 1);
    let twice = ["0001_a.sql", "0001_b.sql"];
    assert_eq!(findings_of(&twice, &twice).len(), 1);
    assert_eq!(findings_of(&[], &[]).len(), 1);
}
