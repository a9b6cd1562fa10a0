use super::*;

fn read(template: &str, path: &str, name: &str) -> Option<String> {
    parameter(template, path, name)
}

#[test]
fn what_has_two_readings_or_none_has_no_value() {
    assert_eq!(read("/a/{x}-{y}", "/a/1-2-3", "x"), None);
    assert_eq!(read("/a/{x}", "/a/%ff", "x"), None);
    assert_eq!(read("/a/{x}", "/a/%4", "x"), None);
    assert_eq!(read("/a/{x}", "/a/1", "y"), None);
    assert_eq!(read("/a/{x}", "/a", "x"), None);
}

#[test]
fn a_template_has_the_parameters_that_it_names_and_no_others() {
    assert!(!has("/orders", "id"));
    assert!(!has("/orders/{order_id}", "id"));
    assert!(!has("/orders/id", "id"));
    assert!(has("/orders/{id}", "id"));
    assert!(has("/a/{x}-{y}", "y"));
}

#[test]
fn values_are_decoded_once() {
    assert_eq!(read("/t/{tenant}/o/{id}", "/t/acme/o/42", "tenant").as_deref(), Some("acme"));
    assert_eq!(read("/t/{tenant}/o/{id}", "/t/acme/o/42/", "id").as_deref(), Some("42"));
    assert_eq!(read("/a/{x}", "/a/a%20b", "x").as_deref(), Some("a b"));
    assert_eq!(read("/a/{x}", "/a/%2541", "x").as_deref(), Some("%41"));
    assert_eq!(read("/a/{x}.json", "/a/b.json", "x").as_deref(), Some("b"));
    assert_eq!(read("/a/{x}:cancel", "/a/b:cancel", "x").as_deref(), Some("b"));
    assert_eq!(read("/a/{x}-{y}", "/a/1-2", "x").as_deref(), Some("1"));
    assert_eq!(read("/a/{x}-{y}", "/a/1-2", "y").as_deref(), Some("2"));
}
