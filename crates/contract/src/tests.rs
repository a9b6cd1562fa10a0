use base::OperationId;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const JSON: Option<&str> = Some("application/json");
const SHELTERS: [(&str, &str); 3] = [
    ("3.0", include_str!("tests/shelter-3.0.yaml")),
    ("3.1", include_str!("tests/shelter-3.1.yaml")),
    ("2.0", include_str!("tests/shelter-2.0.json")),
];

fn id(text: &str) -> OperationId {
    OperationId::parse(text).unwrap()
}

/// One way of spelling the same API, in a dialect.
fn shelters(options: Options) -> impl Iterator<Item = (&'static str, Contract)> {
    let compiled = move |(dialect, text)| {
        (dialect, Contract::compile(text, "shelter", options).unwrap_or_else(|why| panic!("{why}")))
    };
    SHELTERS.into_iter().map(compiled)
}

fn said(violations: &[Violation]) -> Vec<String> {
    violations.iter().map(|one| format!("{}: {one}", one.rule)).collect()
}

/// A request for the operation, by its query, trace header and path parameter.
fn head(
    contract: &Contract,
    operation: &str,
    query: &str,
    trace: &[&str],
    path: &[(&str, &str)],
) -> Vec<String> {
    let headers = |name: &str| match name {
        "X-Trace" => trace.iter().map(|line| line.as_bytes()).collect(),
        _ => Vec::new(),
    };
    let head = Head {
        path_params: path,
        query: Some(query),
        headers: &headers,
        content_type: None,
        has_body: false,
    };
    said(&contract.operation(&id(operation)).unwrap().check_head(&head))
}

fn body_head(
    contract: &Contract,
    operation: &str,
    content_type: Option<&str>,
    has_body: bool,
) -> Vec<String> {
    let headers = |_: &str| Vec::new();
    let head = Head { path_params: &[], query: None, headers: &headers, content_type, has_body };
    said(&contract.operation(&id(operation)).unwrap().check_head(&head))
}

#[test]
fn bodies_that_break_the_schema_are_refused_with_the_place() {
    let cases = [
        (json!([]), "wrong_type: body must be an object"),
        (json!({"kind": "cat"}), "missing_property: body must have the property `name`"),
        (
            json!({"name": "", "kind": "cat"}),
            "wrong_value: body `/name` must have at least 1 character",
        ),
        (json!({"name": 7, "kind": "cat"}), "wrong_type: body `/name` must be a string"),
        (
            json!({"name": "Mia", "kind": "fox"}),
            "wrong_value: body `/kind` must be one of `cat`, `dog`, `bird`",
        ),
        (
            json!({"name": "Mia", "kind": "cat", "id": 3}),
            "read_only_property: body `/id` is read-only: only the service sets it",
        ),
        (
            json!({"name": "Mia", "kind": "cat", "born": "2024-02-30"}),
            "wrong_value: body `/born` must have the format `date`",
        ),
        (
            json!({"name": "Mia", "kind": "cat", "chip": "12345"}),
            r"wrong_value: body `/chip` must match the pattern `^\d{15}$`",
        ),
        (
            json!({"name": "Mia", "kind": "cat", "weight": 0}),
            "wrong_value: body `/weight` must be more than 0",
        ),
        (
            json!({"name": "Mia", "kind": "cat", "weight": 3.25}),
            "wrong_value: body `/weight` must be a multiple of 0.1",
        ),
        (
            json!({"name": "Mia", "kind": "cat", "tags": ["shy", "old", "shy"]}),
            "wrong_value: body `/tags/2` is there twice",
        ),
        (
            json!({"name": "Mia", "kind": "cat", "parents": [{"name": "Ada", "kind": "dog", "parents": 1}]}),
            "wrong_type: body `/parents/0/parents` must be an array",
        ),
    ];
    for (dialect, contract) in shelters(Options::default()) {
        let admit = contract.operation(&id("admitAnimal")).unwrap();
        for (body, expected) in &cases {
            assert_eq!(said(&admit.check_body(JSON, body)), [*expected], "{dialect} {body}");
        }
    }
}

#[test]
fn values_of_a_message_are_in_no_violation() {
    let secret = "tr0ub4dor";
    let body =
        json!({"name": [secret], "kind": secret, "chip": secret, "born": secret, "id": secret});
    for (dialect, contract) in shelters(Options::default()) {
        let admit = contract.operation(&id("admitAnimal")).unwrap();
        let found = admit.check_body(JSON, &body);
        assert_eq!(found.len(), 5, "{dialect} {found:?}");
        assert!(found.iter().all(|one| !format!("{one:?}").contains(secret)), "{found:?}");
        let found = head(
            &contract,
            "listAnimals",
            &format!("limit={secret}&kind={secret}"),
            &[secret],
            &[],
        );
        assert_eq!(found.len(), 3, "{dialect} {found:?}");
        assert!(found.iter().all(|one| !one.contains(secret)), "{found:?}");
    }
}

#[test]
fn parameters_that_break_their_schema_are_refused() {
    let cases = [
        ("limit=0", "wrong_value: query parameter `limit` must be at least 1"),
        ("limit=ten", "wrong_type: query parameter `limit` must be an integer"),
        ("limit=1.0", "wrong_type: query parameter `limit` must be an integer"),
        ("limit=", "wrong_type: query parameter `limit` must be an integer"),
        ("limit=1&limit=2", "repeated_parameter: query parameter `limit` is there more than once"),
        ("vaccinated=yes", "wrong_type: query parameter `vaccinated` must be a boolean"),
        (
            "kind=cat&kind=fox",
            "wrong_value: query parameter `kind` at `/1` must be one of `cat`, `dog`, `bird`",
        ),
        ("sort=a&sort=b", "repeated_parameter: query parameter `sort` is there more than once"),
        ("limit=%zz", "unreadable_parameter: query parameter `limit` cannot be decoded"),
        ("limit=%ff", "unreadable_parameter: query parameter `limit` cannot be decoded"),
    ];
    for (dialect, contract) in shelters(Options::default()) {
        for (query, expected) in cases {
            let found = head(&contract, "listAnimals", query, &[], &[]);
            assert_eq!(found, [expected], "{dialect} {query}");
        }
        let found = head(&contract, "listAnimals", "", &["not-a-uuid"], &[]);
        assert_eq!(
            found,
            ["wrong_value: header `X-Trace` must have the format `uuid`"],
            "{dialect}"
        );
        for (path, expected) in [
            (&[("id", "0")][..], "wrong_value: path parameter `id` must be at least 1"),
            (&[("id", "x%2Fy")][..], "wrong_type: path parameter `id` must be an integer"),
            (&[("id", "%")][..], "unreadable_parameter: path parameter `id` cannot be decoded"),
            (&[][..], "missing_parameter: path parameter `id` has to be there"),
        ] {
            assert_eq!(head(&contract, "showAnimal", "", &[], path), [expected], "{dialect}");
        }
    }
}

#[test]
fn names_that_no_operation_lists_are_refused_only_when_asked_for() {
    for (dialect, contract) in shelters(Options::default()) {
        let found = head(&contract, "listAnimals", "limit=3&debug=1", &[], &[]);
        assert!(found.is_empty(), "{dialect} {found:?}");
    }
    for (dialect, contract) in shelters(Options { strict_query: true, closed: false }) {
        for (operation, path) in [("listAnimals", &[][..]), ("showAnimal", &[("id", "3")][..])] {
            let found = head(&contract, operation, "debug=1", &[], path);
            let expected =
                "unknown_parameter: query parameter `debug` is not a parameter of the operation";
            assert_eq!(found, [expected], "{dialect}");
        }
    }
}

#[test]
fn properties_that_no_schema_has_are_refused_only_when_asked_for() {
    let body = json!({"name": "Mia", "kind": "cat", "role": "admin", "parents": [{"name": "A", "kind": "dog", "x": 1}]});
    for (dialect, contract) in shelters(Options::default()) {
        let admit = contract.operation(&id("admitAnimal")).unwrap();
        assert_eq!(said(&admit.check_body(JSON, &body)), [""; 0], "{dialect}");
    }
    for (dialect, contract) in shelters(Options { closed: true, strict_query: false }) {
        let admit = contract.operation(&id("admitAnimal")).unwrap();
        let expected = [
            "unknown_property: body `/parents/0/x` is not a property of the schema",
            "unknown_property: body `/role` is not a property of the schema",
        ];
        assert_eq!(said(&admit.check_body(JSON, &body)), expected, "{dialect}");
        // What an upstream adds is its own.
        let response = json!({"id": 1, "name": "Mia", "kind": "cat", "role": "admin"});
        assert_eq!(admit.check_response_body(201, JSON, &response), [], "{dialect}");
    }
}

#[test]
fn bodies_are_there_when_they_have_to_be_and_of_a_listed_type() {
    for (dialect, contract) in shelters(Options::default()) {
        let missing = ["missing_body: body has to be there"];
        assert_eq!(body_head(&contract, "admitAnimal", JSON, false), missing, "{dialect}");
        let unsupported = ["unsupported_media_type: media type must be application/json"];
        for given in [None, Some("text/plain"), Some("application/xml"), Some("json"), Some("")] {
            assert_eq!(body_head(&contract, "admitAnimal", given, true), unsupported, "{given:?}");
        }
        let unexpected = ["unexpected_body: body is not described for the operation"];
        assert_eq!(body_head(&contract, "listAnimals", JSON, true), unexpected, "{dialect}");
        for given in ["application/json", "Application/JSON; charset=utf-8"] {
            assert_eq!(body_head(&contract, "admitAnimal", Some(given), true), [""; 0], "{given}");
        }
    }
}

#[test]
fn responses_that_break_the_document_are_found() {
    for (dialect, contract) in shelters(Options::default()) {
        let admit = contract.operation(&id("admitAnimal")).unwrap();
        let show = contract.operation(&id("showAnimal")).unwrap();
        let unlisted = ["unlisted_status: status 404 is not a status of the operation"];
        assert_eq!(said(&show.check_response_head(404, JSON)), unlisted, "{dialect}");
        assert_eq!(said(&admit.check_response_head(422, None)), [""; 0], "{dialect}");
        let html = said(&show.check_response_head(200, Some("text/html")));
        assert_eq!(html, ["unsupported_media_type: media type must be application/json"]);
        // `required` names the read-only id: responses have to have it.
        let found =
            said(&show.check_response_body(200, JSON, &json!({"name": "A", "kind": "cat"})));
        assert_eq!(found, ["missing_property: body must have the property `id`"], "{dialect}");
        let list = contract.operation(&id("listAnimals")).unwrap();
        let found = said(&list.check_response_body(200, JSON, &json!([{"id": 1, "name": 2}, 3])));
        let expected = [
            "missing_property: body `/0` must have the property `kind`",
            "wrong_type: body `/0/name` must be a string",
            "wrong_type: body `/1` must be an object",
        ];
        assert_eq!(found, expected, "{dialect}");
    }
}

#[test]
fn properties_that_only_requests_have_are_found_in_responses() {
    for (dialect, contract) in shelters(Options::default()).filter(|(dialect, _)| *dialect != "2.0")
    {
        let show = contract.operation(&id("showAnimal")).unwrap();
        let body = json!({"id": 1, "name": "A", "kind": "cat", "pin": "0000"});
        let expected = ["write_only_property: body `/pin` is write-only: no response has it"];
        assert_eq!(said(&show.check_response_body(200, JSON, &body)), expected, "{dialect}");
        let admit = contract.operation(&id("admitAnimal")).unwrap();
        let body = json!({"name": "A", "kind": "cat", "pin": "0000"});
        assert_eq!(admit.check_body(JSON, &body), [], "{dialect}");
    }
}

#[test]
fn only_the_first_violations_are_told_in_one_order() {
    let animals: Vec<Value> = (0..50).map(|n| json!({"id": n, "name": n, "kind": "cat"})).collect();
    for (dialect, contract) in shelters(Options::default()) {
        let list = contract.operation(&id("listAnimals")).unwrap();
        let found = list.check_response_body(200, JSON, &json!(animals));
        assert_eq!(found.len(), VIOLATIONS_MAX, "{dialect}");
        for (index, one) in found.iter().enumerate() {
            assert_eq!(one.place, Place::Body(format!("/{index}/name")), "{dialect}");
            assert!(one.schema.ends_with("/Animal/properties/name"), "{one:?}");
        }
    }
}

#[test]
fn messages_that_keep_the_contract_have_no_violations() {
    let body = json!({"name": "Mia", "kind": "cat", "born": null, "chip": "123456789012345",
        "weight": 4.3, "tags": ["shy"], "parents": [{"name": "Ada", "kind": "cat"}]});
    for (dialect, contract) in shelters(Options { closed: true, strict_query: true }) {
        let admit = contract.operation(&id("admitAnimal")).unwrap();
        assert_eq!(said(&admit.check_body(JSON, &body)), [""; 0], "{dialect}");
        let query = "limit=10&kind=cat&kind=dog&sort=name,-born&vaccinated=true";
        let trace = "0b0d5c5e-7f6c-4a8e-9d3b-5a1f1b2c3d4e";
        assert_eq!(head(&contract, "listAnimals", query, &[trace], &[]), [""; 0], "{dialect}");
        assert_eq!(head(&contract, "showAnimal", "", &[], &[("id", "7")]), [""; 0], "{dialect}");
        assert!(contract.notes().is_empty(), "{dialect} {:?}", contract.notes());
    }
}

#[test]
fn what_has_to_be_read_is_known_before() {
    for (dialect, contract) in shelters(Options::default()) {
        let [admit, list, show] = ["admitAnimal", "listAnimals", "showAnimal"]
            .map(|name| contract.operation(&id(name)).unwrap());
        assert!(admit.needs_body() && admit.reads_body(JSON), "{dialect}");
        assert!(!admit.reads_body(Some("text/plain")) && !admit.reads_body(None), "{dialect}");
        assert!(!list.needs_body() && !list.reads_body(JSON), "{dialect}");
        assert!(show.reads_path() && !list.reads_path(), "{dialect}");
        assert!(show.reads_response(200, JSON) && !show.reads_response(404, JSON), "{dialect}");
        let delete = contract.operation(&id("delete_animals_id")).unwrap();
        assert!(!delete.reads_response(204, JSON), "{dialect}");
    }
}

#[test]
fn operations_have_the_ids_of_the_catalogue() {
    for (dialect, text) in SHELTERS {
        let document =
            catalog::import(text, dialect, catalog::Prefix(None), catalog::Impact::Low).unwrap();
        let contract = Contract::compile(text, dialect, Options::default()).unwrap();
        assert_eq!(document.operations.len(), 4);
        assert!(document.operations.iter().all(|one| contract.operation(&one.id).is_some()));
        assert!(contract.operation(&id("other")).is_none());
    }
}

#[test]
fn documents_of_this_repository_compile() {
    for text in [
        include_str!("../../../docs/reference/openapi.json"),
        include_str!("../../portreeve/src/demo/customers.yaml"),
        include_str!("../../portreeve/src/demo/invoices.yaml"),
        include_str!("../../portreeve/src/demo/orders.yaml"),
        include_str!("../../portreeve/tests/contract/orders.yaml"),
    ] {
        for closed in [false, true] {
            let options = Options { closed, strict_query: closed };
            let compiled = Contract::compile(text, "document", options);
            assert!(compiled.is_ok(), "{}", compiled.unwrap_err());
        }
    }
}

#[test]
fn a_contract_is_shared_by_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Contract>();
    shared::<OperationContract>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever is damaged: one problem with a place, or checks.
    #[test]
    fn a_damaged_document_is_refused_or_whole(
        which in 0..3usize, cut in any::<prop::sample::Index>(), length in 0usize..30,
        put in "[\\PC\n]{0,6}",
    ) {
        let (_, text) = SHELTERS[which];
        let cut = cut.index(text.len());
        let head: String = text.chars().take(cut).collect();
        let tail: String = text.chars().skip(cut + length).collect();
        let damaged = format!("{head}{put}{tail}");
        if let Err(problem) = Contract::compile(&damaged, "shelter", Options::default()) {
            prop_assert!(problem.place.is_some(), "{problem:?}");
        }
    }

    /// Whatever a request says: a few violations, or none.
    #[test]
    fn requests_of_any_kind_are_judged(
        query in "(limit|kind|sort|[a-z%+&=;,]{0,4})=[\\PC&=%0-9,]{0,20}", header in any::<Vec<u8>>(),
        path in "[\\PC%]{0,10}", content_type in "[\\PC/;+=]{0,20}",
    ) {
        for (_, contract) in shelters(Options { closed: true, strict_query: true }) {
            let headers = |_: &str| vec![header.as_slice()];
            let head = Head {
                path_params: &[("id", &path)],
                query: Some(&query),
                headers: &headers,
                content_type: Some(&content_type),
                has_body: true,
            };
            for operation in ["listAnimals", "admitAnimal", "showAnimal"] {
                let found = contract.operation(&id(operation)).unwrap().check_head(&head);
                prop_assert!((1..=VIOLATIONS_MAX).contains(&found.len()), "{found:?}");
            }
        }
    }
}
