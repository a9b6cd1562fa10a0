//! How the parts of a request are read, wherever they are read.

use portreeve_policy::Reading;
use portreeve_policy::reading;

const TEMPLATE: Option<&str> = Some("/orders/{id}");

#[test]
fn what_cannot_be_captured_is_unreadable_and_what_a_template_lacks_is_absent() {
    assert_eq!(reading::path(TEMPLATE, "/orders/%ff", "id"), Reading::Unreadable);
    assert_eq!(reading::path(Some("/a/{x}-{y}"), "/a/1-2-3", "x"), Reading::Unreadable);
    assert_eq!(reading::path(Some("/orders"), "/orders", "id"), Reading::absent());
    assert_eq!(reading::path(None, "/orders/42", "id"), Reading::absent());
    assert_eq!(reading::path(TEMPLATE, "/orders/42", "id"), Reading::one("42"));
}
