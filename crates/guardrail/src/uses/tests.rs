use super::*;
use cedar_policy::{Policy, pst};

fn uses(condition: &str) -> Result<Uses, String> {
    let text = format!("forbid(principal, action, resource) when {{ {condition} }};");
    let pst::Policy::Static(tree) = text.parse::<Policy>().unwrap().to_pst().unwrap() else {
        panic!("a template")
    };
    let mut uses = Uses::default();
    uses.add(tree.body().clauses()).map(|()| uses).map_err(|opaque| opaque.detail)
}

#[test]
fn what_cannot_be_told_before_a_request_is_refused() {
    for (condition, why) in [
        ("context == {}", "as a whole"),
        ("context.body == {}", "as a whole"),
        ("principal.related == {}", "as a whole"),
        ("Identity::\"robin\".kind == \"person\"", "something else"),
        ("Group::\"a\" in Group::\"b\"", "something else"),
        ("context.body.customer.id.contains(\"1\")", "has no members"),
        ("context.header has \"X-Tenant\"", "no header field"),
        ("context.path has \"a b\"", "cannot be a name"),
    ] {
        let refused = uses(condition).unwrap_err();
        assert!(refused.contains(why), "{condition}: {refused}");
    }
}

#[test]
fn what_is_looked_at_is_found_wherever_it_stands() {
    let found = uses(
        "if context.path has tenant && !(context.path.tenant.isEmpty()) \
         then [context.draw, 3].contains(1) || principal.attributes has \"x y\" \
         else context has body.amount && principal in Group::\"g\" && context.header has \"x-a\" \
         && context.claims has \"https://e.com/t\" && principal.related has owner \
         && resource.name like \"a*\" && context.now.toDate() == context.now",
    )
    .unwrap();
    let text: Vec<String> = found.places.iter().map(ToString::to_string).collect();
    assert_eq!(text, ["path.tenant", "header.x-a", "body.amount"]);
    assert_eq!(found.context.iter().collect::<Vec<_>>(), ["draw", "now"]);
    assert_eq!(found.attributes.iter().collect::<Vec<_>>(), ["x y"]);
    assert_eq!(found.related.iter().collect::<Vec<_>>(), ["owner"]);
    assert_eq!(found.claims.iter().collect::<Vec<_>>(), ["https://e.com/t"]);
    assert_eq!(found.resource.iter().collect::<Vec<_>>(), ["name"]);
}
