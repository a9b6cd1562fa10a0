use super::*;

#[test]
fn a_grant_covers_operations_that_its_api_has() {
    for (identity_number, number) in [(0, 0), (1, 9), (99_999, 9)] {
        let grant = grant(identity_number, number).unwrap();
        let (api_number, operations) = covers(identity_number, number);
        let api = api(api_number, "http://127.0.0.1:1").unwrap();
        assert_eq!(grant.api, api.id);
        for operation in operations {
            let found = api.operations.iter().find(|known| {
                known.path.starts_with(&path(api_number, operation).replace("42", "{id}"))
            });
            assert!(grant.operations.contains(&found.unwrap().id));
        }
    }
}

#[test]
fn grants_of_one_identity_are_on_different_apis() {
    let apis: BTreeSet<usize> = (0..10).map(|number| covers(5, number).0).collect();
    assert_eq!(apis.len(), 10);
}
