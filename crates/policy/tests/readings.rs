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

#[test]
fn another_spelling_of_a_header_that_servers_fold_together_is_unreadable() {
    let read = |fields: &[(&'static str, &'static str)]| {
        let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_bytes())).collect();
        reading::header(fields.into_iter(), "x-tenant")
    };
    for alias in ["X_Tenant", "x.tenant", "XTenant", "x-ten-ant"] {
        assert_eq!(read(&[("X-Tenant", "acme"), (alias, "other")]), Reading::Unreadable, "{alias}");
        assert_eq!(read(&[(alias, "acme")]), Reading::Unreadable, "{alias}");
    }
    assert_eq!(read(&[("X-Tenant", "acme,other")]), Reading::Unreadable);
    assert_eq!(read(&[("x-tenants", "other")]), Reading::absent());
    assert_eq!(read(&[("X-Tenant", "acme"), ("x-user", "u")]), Reading::one("acme"));
}
