use proptest::prelude::*;

use super::*;
use crate::Matcher;

const ORDERS: &str = r##"
openapi: 3.1.0
info:
  title: Orders
  version: "1"
  x-owner-team: commerce
  x-environment: production
  x-data-class: pii
servers:
  - url: https://api.example.com/orders/v1
paths:
  /:
    get:
      operationId: listOrders
      summary: List orders
      responses:
        200: {$ref: "#/components/responses/Orders"}
    post:
      operationId: createOrder
      responses: {"201": {description: made}}
  /search:
    post:
      operationId: searchOrders
      x-side-effects: none
      responses: {}
  /{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
    head: {responses: {}}
    get: {responses: {}}
    delete:
      operationId: removeOrder
      tags: [orders, admin]
      responses: {}
components:
  responses:
    Orders:
      description: all
      content:
        application/json:
          schema: {type: array, items: {$ref: "#/components/schemas/Order"}}
  schemas:
    Order:
      type: object
      properties:
        id: {type: string}
        customer: {type: string, x-data-class: pii}
"##;

fn read(text: &str, prefix: Option<&str>) -> Result<Document, Problem> {
    import(text, "orders.yaml", Prefix(prefix), Impact::Medium)
}

fn refused(text: &str) -> Problem {
    let problem = read(text, None).unwrap_err();
    assert!(problem.hint.is_some(), "{problem}");
    assert!(problem.place.as_ref().unwrap().starts_with("orders.yaml"), "{problem}");
    problem
}

/// The document with one text replaced, which must be there.
fn changed(from: &str, to: &str) -> String {
    assert!(ORDERS.contains(from), "{from}");
    ORDERS.replacen(from, to, 1)
}

#[test]
fn what_is_no_service_description_is_refused() {
    for (text, reason) in [
        ("", "not_openapi"),
        ("just text", "not_openapi"),
        ("[1, 2]", "not_openapi"),
        ("{}", "not_openapi"),
        ("openapi: 2.0.0", "unsupported_version"),
        ("openapi: 4.0.0", "unsupported_version"),
        ("swagger: '1.2'", "unsupported_version"),
        ("openapi: 3.1.0\npaths: []", "bad_document"),
        ("openapi: 3.1.0\npaths: {/a: 1}", "bad_document"),
        ("openapi: 3.1.0\npaths: {/a: {get: x}}", "bad_document"),
        ("openapi: 3.1.0\npaths: {/a: {get: {operationId: 7}}}", "bad_operation_id"),
        ("openapi: 3.1.0\npaths: {/a: {get: {operationId: ''}}}", "bad_operation_id"),
        ("openapi: 3.1.0\npaths: {/a: {get: {operationId: {}}}}", "bad_operation_id"),
        ("openapi: 3.1.0\npaths: {a: {get: {}}}", "bad_path_template"),
        ("openapi: 3.1.0\npaths: {'/{a': {get: {}}}", "bad_path_template"),
    ] {
        assert_eq!(refused(text).reason, reason, "{text}");
    }
}

#[test]
fn a_problem_names_the_line_and_the_pointer() {
    let twice = changed("operationId: createOrder", "operationId: listOrders");
    let problem = refused(&twice);
    assert_eq!(problem.reason, "operation_id_twice");
    let place = "orders.yaml:19:7 (#/paths/~1/post/operationId)";
    assert_eq!(problem.place.as_deref(), Some(place));
    let json = "{\n \"openapi\": \"3.0.3\",\n \"paths\": {\n  \"/a b\": {\"get\": {}}\n }\n}";
    let problem = refused(json);
    assert_eq!(problem.place.as_deref(), Some("orders.yaml:4:3 (#/paths/~1a b)"));
}

#[test]
fn operations_that_cannot_be_told_apart_are_refused() {
    let twins = changed("  /search:\n    post:", "  /{other}:\n    delete:");
    let problem = refused(&twins);
    assert_eq!(problem.reason, "ambiguous_operation");
    assert!(problem.detail.contains("/orders/v1/{"), "{}", problem.detail);
}

#[test]
fn references_out_of_the_document_are_refused_where_they_stand() {
    let remote = changed("#/components/schemas/Order", "order.yaml");
    let problem = refused(&remote);
    assert_eq!(problem.reason, "remote_reference");
    assert!(problem.place.unwrap().contains("(#/components/responses/Orders/content/"));
}

#[test]
fn too_many_operations_are_refused() {
    let paths: String = (0..=OPERATIONS_MAX).map(|n| format!("  /p{n}: {{get: {{}}}}\n")).collect();
    let problem = refused(&format!("openapi: 3.0.0\npaths:\n{paths}"));
    assert_eq!(problem.reason, "too_many_operations");
}

#[test]
fn a_document_is_read_whole() {
    let document = read(ORDERS, Some("/orders")).unwrap();
    assert_eq!(document.title.as_deref(), Some("Orders"));
    assert_eq!(document.base_path, "/orders/v1");
    assert_eq!(document.owner_team.as_deref(), Some("commerce"));
    assert_eq!(document.environment.as_deref(), Some("production"));
    assert_eq!(document.data_class, Some(DataClass::Pii));
    assert_eq!(document.notes, Vec::<String>::new());
    let lines: Vec<String> = document
        .operations
        .iter()
        .map(|one| {
            let flags = (one.mutating, one.admin);
            format!("{} {} {} {} {flags:?}", one.id, one.method, one.path, one.impact)
        })
        .collect();
    assert_eq!(
        lines,
        [
            "createOrder POST /orders/v1/ medium (true, false)",
            "get_id GET /orders/v1/{id} low (false, false)",
            "listOrders GET /orders/v1/ low (false, false)",
            "removeOrder DELETE /orders/v1/{id} high (true, true)",
            "searchOrders POST /orders/v1/search low (false, false)",
        ]
    );
    let list = document.operations.iter().find(|one| one.id.as_str() == "listOrders").unwrap();
    assert_eq!(list.summary.as_deref(), Some("List orders"));
    let fields: Vec<_> =
        list.fields.iter().map(|field| (field.path.as_str(), field.class)).collect();
    assert_eq!(fields, [("customer", DataClass::Pii), ("id", DataClass::Internal)]);
}

#[test]
fn what_is_left_out_or_renamed_is_noted() {
    let text = "openapi: 3.0.0\npaths:\n  /a:\n    head: {}\n    gett: {}\n    x-own: 1\n    \
                post: {operationId: Make it}\n";
    let document = read(text, None).unwrap();
    assert_eq!(document.operations.len(), 1);
    assert_eq!(document.operations[0].id.as_str(), "Make_it");
    assert_eq!(document.notes.len(), 3, "{:?}", document.notes);
}

#[test]
fn servers_of_a_path_or_an_operation_come_before_those_of_the_document() {
    let text = "openapi: 3.0.0\nservers: [{url: /one}]\npaths:\n  /a:\n    servers: [{url: /two}]\n    \
                get: {operationId: a}\n    put: {operationId: b, servers: [{url: /three}]}\n  \
                /c:\n    get: {operationId: c}\n";
    let document = read(text, None).unwrap();
    let paths: Vec<_> = document.operations.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["/two/a", "/three/a", "/one/c"]);
}

#[test]
fn a_path_item_may_be_a_reference() {
    let text = "openapi: 3.1.0\npaths:\n  /a: {$ref: '#/components/pathItems/A~1B'}\n\
                components: {pathItems: {A/B: {get: {operationId: a}}}}\n";
    assert_eq!(read(text, None).unwrap().operations[0].id.as_str(), "a");
}

/// The shape in which a storage service of the field describes itself: Swagger 2.0 with a base
/// path, parameters at the path, shared responses, ids with hyphens, and a root of its own.
const STORAGE: &str = r##"{
  "swagger": "2.0", "basePath": "/v1", "host": "localhost:8888", "schemes": ["http"],
  "info": {"title": "storage", "version": "1.0"}, "tags": [{"name": "Boxes"}],
  "securityDefinitions": {"basic": {"type": "basic"}},
  "paths": {
    "/": {"get": {"operationId": "about", "security": [],
      "responses": {"200": {"description": "x", "schema": {"type": "object", "title": "Node",
        "additionalProperties": {}}}}}},
    "/boxes": {
      "parameters": [{"name": "_limit", "in": "query", "type": "integer"}],
      "get": {"operationId": "get_boxes", "tags": ["Boxes"], "responses": {
        "200": {"schema": {"properties": {"data": {"type": "array", "items": {
          "type": "object", "properties": {"id": {"type": "string"}}}}}}},
        "default": {"schema": {"$ref": "#/definitions/Error"}}}},
      "post": {"operationId": "create_box", "responses": {"201": {"$ref": "#/responses/Box"}}}
    },
    "/boxes/{box_id}/things/{id}": {
      "parameters": [{"$ref": "#/parameters/box"}],
      "patch": {"operationId": "patch_box-thing", "responses": {}},
      "delete": {"responses": {}}
    }
  },
  "parameters": {"box": {"name": "box_id", "in": "path", "required": true, "type": "string"}},
  "responses": {"Box": {"description": "x", "schema": {"$ref": "#/definitions/Box"}}},
  "definitions": {
    "Error": {"properties": {"errno": {"type": "integer"}}},
    "Box": {"properties": {"data": {"properties": {"secret": {"x-data-class": "secret"}}}}}
  }
}"##;

#[test]
fn swagger_is_read_and_placed_under_the_prefix() {
    let listed = |prefix: Option<&str>| -> Vec<String> {
        let document = read(STORAGE, prefix).unwrap();
        document.operations.iter().map(|one| format!("{} {}", one.id, one.path)).collect()
    };
    let own = [
        "about /v1/",
        "create_box /v1/boxes",
        "delete_boxes_box_id_things_id /v1/boxes/{box_id}/things/{id}",
        "get_boxes /v1/boxes",
        "patch_box-thing /v1/boxes/{box_id}/things/{id}",
    ];
    assert_eq!(listed(None), own);
    assert_eq!(listed(Some("/")), own);
    assert_eq!(listed(Some("/v1")), own);
    let moved: Vec<String> = own.iter().map(|line| line.replacen("/v1", "/storage", 1)).collect();
    assert_eq!(listed(Some("/storage")), moved);
    let document = read(STORAGE, None).unwrap();
    let create = document.operations.iter().find(|one| one.id.as_str() == "create_box").unwrap();
    assert_eq!(create.fields[0].path, "data.secret");
    assert_eq!(create.fields[0].class, DataClass::Secret);
    let list = document.operations.iter().find(|one| one.id.as_str() == "get_boxes").unwrap();
    assert_eq!(list.fields.len(), 1, "errors are no response fields: {:?}", list.fields);
}

proptest! {
    /// Whatever is damaged: one problem with a place, or operations that compile.
    #[test]
    fn a_damaged_document_is_refused_or_whole(
        cut in 0..ORDERS.len(), length in 0usize..40, put in "[\\PC\n]{0,6}",
    ) {
        let head: String = ORDERS.chars().take(cut).collect();
        let tail: String = ORDERS.chars().skip(cut + length).collect();
        match read(&format!("{head}{put}{tail}"), Some("/orders")) {
            Ok(document) => prop_assert!(Matcher::new(&document.operations).is_ok()),
            Err(problem) => prop_assert!(problem.place.is_some(), "{}", problem),
        }
    }
}

#[test]
fn a_cost_that_is_none_is_refused_and_one_that_is_not_stated_is_one() {
    let costing = |cost: &str| {
        let stated = format!("operationId: listOrders\n      x-cost: {cost}");
        ORDERS.replace("operationId: listOrders", &stated)
    };
    for wrong in ["-1", "1.5", "dear", "1000001", "{a: 1}"] {
        let problem = refused(&costing(wrong));
        assert_eq!(problem.reason, "bad_cost", "{wrong}");
        let place = problem.place.unwrap();
        assert!(place.ends_with("(#/paths/~1/get/x-cost)"), "{wrong}: {place}");
    }
    let cost = |text: &str, id: &str| {
        let operations = read(text, None).unwrap().operations;
        operations.iter().find(|operation| operation.id.as_str() == id).unwrap().cost
    };
    assert_eq!(cost(&costing("50"), "listOrders"), 50);
    assert_eq!(cost(&costing("\"50\""), "listOrders"), 50, "quoted numbers are numbers");
    assert_eq!(cost(&costing("0"), "listOrders"), 0);
    assert_eq!(cost(&costing("50"), "createOrder"), 1);
}
