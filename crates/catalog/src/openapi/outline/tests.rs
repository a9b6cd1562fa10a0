use super::super::{Prefix, Source, import, parse};
use super::*;
use crate::Impact;

const TEXT: &str = "openapi: 3.1.0\npaths:\n  /b: {get: {}, post: {operationId: get_a}}\n  \
    /a: {$ref: '#/x-items/a'}\n  x-own: 1\nx-items:\n  a: {get: {}, head: {}, put: {}}\n";

fn listed(text: &str) -> Result<Vec<String>, Problem> {
    let value = parse(text, "a.yaml")?;
    let source = Source { name: "a.yaml", text };
    let all = outline(&Node::root(&source, &value))?;
    Ok(all.iter().map(|one| format!("{} {} {}", one.id, one.method, one.path)).collect())
}

#[test]
fn what_has_no_ids_is_refused_as_the_import_does() {
    for (from, to) in [("get_a", "''"), ("put: {}", "put: 7"), ("#/x-items/a", "#/x")] {
        let text = TEXT.replacen(from, to, 1);
        let mine = listed(&text).unwrap_err();
        let theirs = import(&text, "a.yaml", Prefix(None), Impact::Low).unwrap_err();
        assert_eq!(mine, theirs);
    }
}

#[test]
fn ids_are_those_of_the_imported_operations() {
    let mut mine = listed(TEXT).unwrap();
    mine.sort_unstable();
    assert_eq!(mine, ["get_a POST /b", "get_a_2 GET /a", "get_b GET /b", "put_a PUT /a"]);
    for prefix in [None, Some("/x")] {
        let document = import(TEXT, "a.yaml", Prefix(prefix), Impact::Low).unwrap();
        let theirs = document.operations.iter().map(|one| one.id.to_string());
        let ids: Vec<_> = mine.iter().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(theirs.collect::<Vec<_>>(), ids);
    }
}
