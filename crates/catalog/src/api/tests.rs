use super::*;

fn operation(fields: &[&str]) -> Operation {
    let field = |path: &&str| Field { path: (*path).to_owned(), class: DataClass::Pii };
    Operation {
        id: "getOrder".parse().unwrap(),
        method: Method::Get,
        path: "/orders/{id}".to_owned(),
        summary: None,
        impact: Impact::Low,
        mutating: false,
        admin: false,
        fields: fields.iter().map(field).collect(),
    }
}

#[test]
fn what_the_document_does_not_describe_has_no_name() {
    let operation = operation(&["customer.name", "customer_id", "id", "notes"]);
    for unknown in ["", "customer.card", "customers", "custom", "ids", "id2", "name", "zip"] {
        assert_eq!(operation.catalogued(unknown), None, "{unknown}");
    }
}

#[test]
fn what_the_document_describes_has_its_name_or_that_of_what_it_lies_in() {
    let operation = operation(&["customer.name", "customer_id", "id", "notes"]);
    for (path, name) in [
        ("id", "id"),
        ("customer.name", "customer.name"),
        ("customer", "customer"),
        ("notes.ann@x\\.example.text", "notes"),
        ("customer_id", "customer_id"),
    ] {
        assert_eq!(operation.catalogued(path), Some(name), "{path}");
    }
}
