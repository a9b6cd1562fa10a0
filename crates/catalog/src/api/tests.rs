use super::*;

fn api() -> Api {
    let operation = |id: &str, cost| Operation {
        id: id.parse().unwrap(),
        method: Method::Get,
        path: format!("/{id}"),
        summary: None,
        impact: Impact::Medium,
        mutating: false,
        admin: false,
        fields: Vec::new(),
        cost,
    };
    Api {
        id: "orders".parse().unwrap(),
        name: "orders".to_owned(),
        hosts: Vec::new(),
        path: "/orders".to_owned(),
        upstream: "http://127.0.0.1:9".to_owned(),
        mode: ApiMode::Enforce,
        impact: Impact::Medium,
        owner: None,
        environment: "production".to_owned(),
        accept: vec![Accept::Key],
        protocol: Protocol::Http1,
        timeouts: Timeouts::default(),
        limits: Vec::new(),
        costs: BTreeMap::new(),
        operations: vec![operation("exportOrders", 50), operation("getOrder", 1)],
        origin: "console".to_owned(),
        created_at: Timestamp::from_secs(1_772_442_000),
    }
}

#[test]
fn what_could_not_be_held_is_refused_with_its_place() {
    let mut api = api();
    api.costs.insert("getOrdr".parse().unwrap(), 2);
    let problem = api.check_limits().unwrap_err();
    assert_eq!(
        (problem.reason.as_str(), problem.place.as_deref()),
        ("unknown_operation", Some("costs"))
    );
    assert_eq!(problem.hint.as_deref(), Some("did you mean `getOrder`?"));
    api.costs.clear();
    api.limits = vec!["20/s per identity".parse().unwrap()];
    let problem = api.check_limits().unwrap_err();
    assert_eq!(
        (problem.reason.as_str(), problem.place.as_deref()),
        ("cost_over_limit", Some("limits"))
    );
    // What is declared goes before what the document says.
    api.costs.insert("exportOrders".parse().unwrap(), 20);
    api.check_limits().unwrap();
    assert_eq!(api.cost_of(&api.operations[0]), 20);
    assert_eq!(api.cost_of(&api.operations[1]), 1);
}

#[test]
fn an_api_that_was_stored_before_there_were_limits_has_none() {
    let api = api();
    let mut json = serde_json::to_value(&api).unwrap();
    assert!(json.get("limits").is_none() && json.get("costs").is_none(), "as before: {json}");
    assert!(json["operations"][1].get("cost").is_none(), "the usual is not written");
    json["operations"][0].as_object_mut().unwrap().remove("cost");
    let read: Api = serde_json::from_value(json).unwrap();
    assert_eq!((read.limits.len(), read.operations[0].cost), (0, 1));
}

fn operation(fields: &[&str]) -> Operation {
    let field = |path: &&str| Field::new(*path, DataClass::Pii);
    Operation {
        id: "getOrder".parse().unwrap(),
        method: Method::Get,
        path: "/orders/{id}".to_owned(),
        summary: None,
        impact: Impact::Low,
        mutating: false,
        admin: false,
        fields: fields.iter().map(field).collect(),
        cost: 1,
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

#[test]
fn names_that_the_document_has_only_as_others_have_its_star() {
    let operation = operation(&["by_mail.*.name", "by_mail.all", "tags.*"]);
    for (path, name) in [
        ("by_mail.ann@x\\.example.name", Some("by_mail.*.name")),
        ("by_mail.ann@x\\.example", Some("by_mail.*")),
        ("by_mail.ann@x\\.example.phone", None),
        ("by_mail.all", Some("by_mail.all")),
        ("tags.red.deep", Some("tags.*")),
        ("red", None),
    ] {
        assert_eq!(operation.catalogued(path), name, "{path}");
    }
}

#[test]
fn an_answer_may_have_what_is_described_and_what_lies_in_what_is_not() {
    let mut open = operation(&["by_mail.*.name", "lines.sku", "notes"]);
    for path in ["lines", "lines.sku", "by_mail.ann.name", "by_mail", "notes"] {
        assert!(open.may_have(path), "{path}");
    }
    for path in ["line", "lines.price", "by_mail.ann.phone", "notes.text"] {
        assert!(!open.may_have(path), "{path}");
    }
    open.fields[2].values = false;
    assert!(open.may_have("notes.text"));
    assert!(operation(&[]).may_have("anything"));
}
