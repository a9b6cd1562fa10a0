use catalog::{Impact, Method};

use super::*;

fn operation(id: &str, mutating: bool) -> Operation {
    Operation {
        id: id.parse().unwrap(),
        method: if mutating { Method::Post } else { Method::Get },
        path: "/orders".to_owned(),
        summary: None,
        impact: Impact::Low,
        mutating,
        admin: false,
        fields: Vec::new(),
        cost: 1,
    }
}

fn allowed(scopes: &[&str], operation: &Operation) -> bool {
    let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    allow(&scopes, &"orders".parse().unwrap(), operation)
}

#[test]
fn scopes_that_do_not_name_the_operation_allow_nothing() {
    let read = operation("getOrder", false);
    let cases: [&[&str]; 8] = [
        &[],
        &["openid", "profile"],
        &["orders"],
        &["orders:"],
        &["orders:write"],
        &["order:all", "orders2:all", "xorders:all"],
        &["getOrders", "getorder", "orders:getOrders"],
        &["all", "read", "*", "orders:*"],
    ];
    for scopes in cases {
        assert!(!allowed(scopes, &read), "{scopes:?}");
    }
    assert!(!allowed(&["orders:read"], &operation("createOrder", true)));
}

#[test]
fn one_scope_that_names_it_is_enough() {
    let read = operation("getOrder", false);
    for scope in ["getOrder", "orders:getOrder", "orders:read", "orders:all"] {
        assert!(allowed(&["openid", scope], &read), "{scope}");
    }
    for scope in ["createOrder", "orders:createOrder", "orders:write", "orders:all"] {
        assert!(allowed(&[scope], &operation("createOrder", true)), "{scope}");
    }
}
