use super::*;

fn name(method: Method, path: &str, taken: &[&str]) -> String {
    derived(method, path, |id| taken.contains(&id.as_str())).unwrap().to_string()
}

#[test]
fn derived_ids_read_like_the_request_and_are_unique() {
    assert_eq!(name(Method::Get, "/orders/{id}", &[]), "get_orders_id");
    assert_eq!(name(Method::Delete, "/orders/{id}/lines:all", &[]), "delete_orders_id_lines_all");
    assert_eq!(name(Method::Get, "/", &[]), "get_root");
    assert_eq!(name(Method::Get, "/a/b", &["get_a_b"]), "get_a_b_2");
    assert_eq!(name(Method::Get, "/a/b", &["get_a_b", "get_a_b_2"]), "get_a_b_3");
    let long = name(Method::Get, &"/segment".repeat(60), &[]);
    assert_eq!(long.len(), DERIVED_BYTES_MAX);
}

#[test]
fn stated_ids_keep_what_an_id_can_have() {
    assert_eq!(cleaned(" listOrders ").unwrap().as_str(), "listOrders");
    assert_eq!(cleaned("List orders (all)").unwrap().as_str(), "List_orders__all_");
    assert!(cleaned("").is_none());
    assert!(cleaned(&"x".repeat(129)).is_none());
}
