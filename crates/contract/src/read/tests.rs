use base::Problem;
use serde_json::{Value, json};

use super::*;
use crate::{Contract, Head, Options, Violation};

const STRICT: Options = Options { strict_query: true, closed: false };

fn document(version: &str, operation: &Value) -> Value {
    let version = match version {
        "2.0" => json!({"swagger": "2.0"}),
        other => json!({"openapi": other}),
    };
    let mut document = version;
    document["paths"] = json!({"/a": {"get": operation}});
    document["paths"]["/a"]["get"]["operationId"] = json!("a");
    document
}

fn compile(document: &Value) -> Result<Contract, Problem> {
    Contract::compile(&document.to_string(), "a.json", STRICT)
}

fn asked<'h>(
    contract: &Contract,
    query: &'h str,
    headers: &'h dyn Fn(&str) -> Vec<&'h [u8]>,
) -> Vec<String> {
    let head =
        Head { path_params: &[], query: Some(query), headers, content_type: None, has_body: false };
    let operation = contract.operation(&OperationId::parse("a").unwrap()).unwrap();
    operation.check_head(&head).iter().map(ToString::to_string).collect()
}

/// What is wrong with queries for an operation with these parameters.
fn query(version: &str, parameters: Value, query: &str) -> Vec<String> {
    let document = document(version, &json!({"parameters": parameters}));
    let contract = compile(&document).unwrap_or_else(|why| panic!("{document}: {why}"));
    asked(&contract, query, &|_| Vec::new())
}

#[test]
fn parameters_that_are_none_are_refused() {
    for (version, parameter, reason) in [
        ("3.0.3", json!({"in": "query"}), "bad_parameter"),
        ("3.0.3", json!({"name": "a"}), "bad_parameter"),
        ("3.0.3", json!({"name": "a", "in": "body"}), "bad_parameter"),
        ("3.0.3", json!({"name": "a", "in": "formData"}), "bad_parameter"),
        ("2.0", json!({"name": "a", "in": "matrix"}), "bad_parameter"),
        ("3.0.3", json!({"$ref": "#/nowhere"}), "dangling_reference"),
        ("3.0.3", json!({"name": "a", "in": "query", "schema": {"type": "x"}}), "bad_schema"),
        ("2.0", json!({"name": "a", "in": "query", "type": "x"}), "bad_schema"),
    ] {
        let problem = compile(&document(version, &json!({"parameters": [parameter]}))).unwrap_err();
        assert_eq!(problem.reason, reason, "{problem}");
        assert!(problem.hint.is_some() && problem.place.is_some(), "{problem}");
    }
}

#[test]
fn statuses_that_are_none_are_refused() {
    for status in ["20", "99", "600", "6XX", "0XX", "2X", "XX", "ok", "2000"] {
        let responses = json!({status: {"description": ""}});
        let problem = compile(&document("3.0.3", &json!({"responses": responses}))).unwrap_err();
        assert_eq!(problem.reason, "bad_status", "{status}");
    }
}

#[test]
fn lists_are_read_as_their_style_writes_them() {
    let list = |style: Value| {
        let mut parameter = json!({"name": "n", "in": "query", "required": true,
            "schema": {"type": "array", "items": {"type": "integer"}, "maxItems": 2}});
        for (name, value) in style.as_object().unwrap() {
            parameter[name] = value.clone();
        }
        json!([parameter])
    };
    for (style, kept, broken) in [
        (json!({}), "n=1&n=2", "n=1,2"),
        (json!({"explode": false}), "n=1,2", "n=1&n=2"),
        (json!({"style": "pipeDelimited", "explode": false}), "n=1%7C2", "n=1,2"),
        (json!({"style": "spaceDelimited", "explode": false}), "n=1%202", "n=1,2"),
        (json!({"style": "pipeDelimited", "explode": true}), "n=1&n=2", "n=1|2"),
    ] {
        assert_eq!(query("3.0.3", list(style.clone()), kept), [""; 0], "{style}");
        assert_eq!(query("3.0.3", list(style.clone()), broken).len(), 1, "{style}");
        assert_eq!(query("3.0.3", list(style), ""), ["query parameter `n` has to be there"]);
    }
    for (format, kept, broken) in [
        ("csv", "n=1,2", "n=1&n=2"),
        ("multi", "n=1&n=2", "n=1,2"),
        ("pipes", "n=1|2", "n=1,2"),
        ("ssv", "n=1+2", "n=1,2"),
        ("tsv", "n=1%092", "n=1,2"),
    ] {
        let parameters = json!([{"name": "n", "in": "query", "type": "array", "maxItems": 2,
            "collectionFormat": format, "items": {"type": "integer"}}]);
        assert_eq!(query("2.0", parameters.clone(), kept), [""; 0], "{format}");
        assert_eq!(query("2.0", parameters.clone(), broken).len(), 1, "{format}");
    }
    let bad = query("3.0.3", list(json!({"explode": false})), "n=1,x");
    assert_eq!(bad, ["query parameter `n` must be a list of which each item is an integer"]);
    let long = query("3.0.3", list(json!({"explode": false})), "n=1,2,3");
    assert_eq!(long, ["query parameter `n` must have at most 2 items"]);
}

#[test]
fn objects_are_read_from_the_names_of_the_query() {
    let schema = json!({"type": "object", "required": ["from"], "properties":
        {"from": {"type": "integer"}, "to": {"type": "integer"}}, "additionalProperties": false});
    let deep = json!([{"name": "f", "in": "query", "style": "deepObject", "schema": schema}]);
    assert_eq!(query("3.0.3", deep.clone(), "f[from]=1&f[to]=2"), [""; 0]);
    assert_eq!(query("3.0.3", deep.clone(), "f%5Bfrom%5D=1"), [""; 0]);
    assert_eq!(query("3.0.3", deep.clone(), ""), [""; 0]);
    for (asked, expected) in [
        ("f[to]=2", "query parameter `f` must have the property `from`"),
        ("f[from]=x", "query parameter `f` at `/from` must be an integer"),
        ("f[from]=1&f[x]=1", "query parameter `f` at `/x` is not a property of the schema"),
        ("f[from]=1&f[from]=2", "query parameter `f` is there more than once"),
        ("f[from][x]=1", "query parameter `f[from][x]` is not a parameter of the operation"),
    ] {
        assert_eq!(query("3.0.3", deep.clone(), asked), [expected], "{asked}");
    }
    let spread = json!([{"name": "f", "in": "query", "schema": schema}]);
    assert_eq!(query("3.0.3", spread.clone(), "from=1&to=2"), [""; 0]);
    assert_eq!(
        query("3.0.3", spread.clone(), "from=x"),
        ["query parameter `f` at `/from` must be an integer"]
    );
    assert_eq!(
        query("3.0.3", spread, "x=1"),
        ["query parameter `x` is not a parameter of the operation"]
    );
}

#[test]
fn a_text_may_have_several_types() {
    let one = |schema: Value| json!([{"name": "n", "in": "query", "schema": schema}]);
    for (schema, kept, broken) in [
        (json!({"type": ["integer", "null"]}), "n=", "n=x"),
        (json!({"oneOf": [{"type": "integer"}, {"enum": ["all"]}]}), "n=all", "n=some"),
        (json!({"type": ["integer", "string"], "pattern": "^0"}), "n=007", "n=x"),
        (json!({"type": "string", "maxLength": 3}), "n=123", "n=1234"),
        (
            json!({"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"const": "all"}]}),
            "n=all",
            "n=x",
        ),
        (json!({"enum": [1.5, 2.5]}), "n=1.5", "n=2"),
        (json!({"type": "boolean"}), "n=true", "n=True"),
    ] {
        assert_eq!(query("3.1.0", one(schema.clone()), kept), [""; 0], "{schema}");
        assert_eq!(query("3.1.0", one(schema.clone()), broken).len(), 1, "{schema}");
    }
    assert_eq!(query("3.1.0", one(json!({})), "n=anything"), [""; 0]);
}

#[test]
fn json_in_a_parameter_is_read_strictly() {
    let parameters = json!([{"name": "q", "in": "query", "content": {"application/json":
        {"schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}}}]);
    assert_eq!(query("3.0.3", parameters.clone(), "q=%7B%22a%22:1%7D"), [""; 0]);
    for (asked, expected) in [
        ("q=1", "query parameter `q` must be an object"),
        ("q={%22a%22:%22x%22}", "query parameter `q` at `/a` must be an integer"),
        ("q={%22a%22:1,%22a%22:2}", "query parameter `q` must be JSON"),
        ("q={", "query parameter `q` must be JSON"),
    ] {
        assert_eq!(query("3.0.3", parameters.clone(), asked), [expected], "{asked}");
    }
}

#[test]
fn the_operation_comes_before_its_path() {
    let text = json!({"openapi": "3.0.3", "paths": {"/a": {
    "parameters": [
        {"name": "n", "in": "query", "required": true, "schema": {"type": "integer"}},
        {"name": "X-A", "in": "header", "required": true, "schema": {"type": "integer"}},
    ],
    "get": {"operationId": "a", "parameters": [
        {"name": "n", "in": "query", "schema": {"type": "string"}},
        {"name": "x-a", "in": "header", "schema": {"type": "string"}},
    ]}}}});
    let contract = compile(&text).unwrap();
    assert_eq!(asked(&contract, "n=x", &|_| Vec::new()), [""; 0]);
    assert_eq!(asked(&contract, "", &|_| vec![b"x"]), [""; 0]);
}

#[test]
fn lines_of_a_header_field_are_one_list() {
    let text = document(
        "3.0.3",
        &json!({"parameters": [
            {"name": "X-L", "in": "header", "schema": {"type": "array", "items": {"type": "integer"}}},
            {"name": "X-N", "in": "header", "schema": {"type": "integer"}},
            {"name": "Authorization", "in": "header", "required": true, "schema": {"type": "integer"}},
        ]}),
    );
    let contract = compile(&text).unwrap();
    let lines = |list: Vec<&'static [u8]>, number: Vec<&'static [u8]>| {
        let given = move |name: &str| if name == "X-L" { list.clone() } else { number.clone() };
        asked(&contract, "", &given)
    };
    assert_eq!(lines(vec![b"1, 2", b"3"], vec![b" 7 "]), [""; 0]);
    assert_eq!(lines(vec![], vec![]), [""; 0]);
    assert_eq!(lines(vec![], vec![b"1", b"2"]), ["header `X-N` is there more than once"]);
    assert_eq!(lines(vec![], vec![b"\xff"]), ["header `X-N` cannot be decoded"]);
    let expected = "header `X-L` must be a list of which each item is an integer";
    assert_eq!(lines(vec![b"1, x"], vec![]), [expected]);
}

#[test]
fn keys_and_names_without_a_value_are_parameters_too() {
    let mut text = document(
        "3.0.3",
        &json!({"parameters": [
            {"name": "flag", "in": "query", "allowEmptyValue": true, "schema": {"type": "integer"}},
        ]}),
    );
    text["components"] = json!({"securitySchemes": {
        "q": {"type": "apiKey", "in": "query", "name": "api_key"},
        "h": {"type": "apiKey", "in": "header", "name": "other"},
    }});
    let contract = compile(&text).unwrap();
    assert_eq!(asked(&contract, "flag&api_key=x&&", &|_| Vec::new()), [""; 0]);
    let expected = "query parameter `other` is not a parameter of the operation";
    assert_eq!(asked(&contract, "other=x", &|_| Vec::new()), [expected]);
    text["components"] = json!({"schemas": {}});
    assert_eq!(asked(&compile(&text).unwrap(), "api_key=x", &|_| Vec::new()).len(), 1);
}

#[test]
fn what_is_not_checked_is_noted() {
    let schema = json!({"type": "object"});
    let text = document(
        "3.0.3",
        &json!({
            "parameters": [
                {"name": "c", "in": "cookie", "schema": schema},
                {"name": "m", "in": "query", "style": "matrix", "schema": schema},
                {"name": "o", "in": "query", "explode": false, "schema": schema},
                {"name": "x", "in": "query", "content": {"application/xml": {"schema": schema}}},
                {"name": "n", "in": "query", "required": true},
            ],
            "requestBody": {"content": {"application/xml": {"schema": {"pattern": "(?=x)"}}}},
        }),
    );
    let contract = compile(&text).unwrap();
    assert_eq!(contract.notes().len(), 7, "{:#?}", contract.notes());
    assert!(contract.notes().iter().all(|note| note.starts_with("operation `a`: ")));
    let operation = contract.operation(&OperationId::parse("a").unwrap()).unwrap();
    assert!(!operation.needs_body());
    // That they are there is checked still.
    let found = asked(&contract, "m=1&o=2&x=3", &|_| Vec::new());
    assert_eq!(found, ["query parameter `n` has to be there"]);
    let form = document(
        "2.0",
        &json!({"consumes": ["multipart/form-data"], "parameters": [
        {"name": "f", "in": "formData", "type": "file", "required": true},
    ], "responses": {"200": {"description": ""}}}),
    );
    let contract = compile(&form).unwrap();
    assert_eq!(contract.notes(), ["operation `a`: the fields of its form are not checked"]);
    assert_eq!(asked(&contract, "", &|_| Vec::new()), ["body has to be there"]);
}

#[test]
fn not_more_notes_are_kept_than_people_read() {
    let path = |n: usize| (format!("/a{n}"), json!({"get": {}}));
    let paths: Value = (0..NOTES_MAX + 5).map(path).collect();
    let contract = compile(&json!({"openapi": "3.0.3", "paths": paths})).unwrap();
    assert_eq!(contract.notes().len(), NOTES_MAX + 1);
    assert_eq!(contract.notes().last().unwrap(), "and 5 more things that are not checked");
}

#[test]
fn the_closest_status_and_type_count() {
    let schema = |schema: &str| json!({"schema": {"type": schema}});
    let content = |all: Value| json!({"description": "", "content": all});
    let text = document(
        "3.0.3",
        &json!({"responses": {
            "default": content(json!({"*/*": schema("null")})),
            "2XX": content(json!({"application/json": schema("string")})),
            "200": content(json!({
                "application/*": schema("array"),
                "application/json": schema("object"),
                "application/json;v=2": schema("integer"),
                "text/csv": {},
            })),
            "204": {"description": ""},
        }}),
    );
    let contract = compile(&text).unwrap();
    let operation = contract.operation(&OperationId::parse("a").unwrap()).unwrap();
    let fits = |status, content_type, body: Value| -> bool {
        let head: Vec<Violation> = operation.check_response_head(status, Some(content_type));
        let body = operation.check_response_body(status, Some(content_type), &body);
        head.is_empty() && body.is_empty()
    };
    for (status, content_type, body) in [
        (200, "application/json", json!({})),
        (200, "application/json; charset=utf-8", json!({})),
        (200, "application/json; v=2", json!(1)),
        (200, "application/hal+json", json!([])),
        (200, "text/csv", json!("not looked at")),
        (201, "application/json", json!("x")),
        (204, "anything/else", json!("not described")),
        (500, "application/json", json!(null)),
        (500, "text/html", json!("not JSON")),
    ] {
        assert!(fits(status, content_type, body), "{status} {content_type}");
    }
    for (status, content_type, body) in [
        (200, "application/json", json!([])),
        (200, "application/json; v=2", json!({})),
        (200, "text/html", json!(null)),
        (201, "application/hal+json", json!("x")),
        (500, "application/json", json!(1)),
    ] {
        assert!(!fits(status, content_type, body), "{status} {content_type}");
    }
    assert!(
        !operation.reads_response(200, Some("text/csv"))
            && operation.reads_response(500, Some("a/b+json"))
    );
}

#[test]
fn a_body_of_any_type_needs_none() {
    for body in [json!({}), json!({"content": {"*/*": {}}})] {
        let text = document("3.0.3", &json!({"requestBody": body, "responses": {}}));
        let contract = compile(&text).unwrap();
        let operation = contract.operation(&OperationId::parse("a").unwrap()).unwrap();
        let headers = |_: &str| Vec::new();
        let mut head = Head {
            path_params: &[],
            query: None,
            headers: &headers,
            content_type: None,
            has_body: true,
        };
        assert_eq!(operation.check_head(&head), []);
        head.content_type = Some("no type");
        assert_eq!(operation.check_head(&head).len(), 1);
    }
}
