use super::*;

fn refused(text: &str) -> BadTie {
    text.parse::<Tie>().expect_err(text)
}

#[test]
fn what_names_no_part_or_no_source_is_refused() {
    assert!(matches!(refused("path.id"), BadTie::NoEquals(_)));
    assert!(matches!(refused("id = identity.id"), BadTie::Place(_)));
    assert!(matches!(refused("cookie.id = identity.id"), BadTie::Place(_)));
    assert!(matches!(refused("path.id = tenant"), BadTie::Source(_)));
    assert!(matches!(refused("path.id = identity.a |"), BadTie::Source(_)));
    assert!(matches!(refused("path.id = \"a\"b\""), BadTie::Source(_)));
    assert!(matches!(refused("path. = identity.id"), BadTie::Name(_)));
    assert!(matches!(refused("path.a b = identity.id"), BadTie::Name(_)));
    assert!(matches!(refused("body.a..b = identity.id"), BadTie::Name(_)));
    assert!(matches!(refused("response.items[] = identity.id"), BadTie::Name(_)));
    assert!(matches!(refused("response.[] = identity.id"), BadTie::Name(_)));
    assert!(matches!(refused("body.items[].a = identity.id"), BadTie::Name(_)));
    assert!(matches!(refused(&format!("path.{} = identity.id", "a".repeat(600))), BadTie::TooLong));
}

#[test]
fn a_tie_is_its_text() {
    for text in [
        "path.tenant = identity.tenant",
        "query.org = claim.org | identity.id",
        "header.x-tenant = identity.tenant",
        "body.owner.id = related.owner",
        "response.tenant_id = identity.tenant",
        "response.[].tenant = identity.tenant",
        "response.orgs[].members[].tenant = identity.tenant",
        "body.region = \"eu\" | \"us|x = y\"",
        "path.id = claim.https://example.com/tenant",
    ] {
        let tie: Tie = text.parse().expect(text);
        assert_eq!(tie.to_string(), text);
        let json = serde_json::to_string(&tie).expect("serialises");
        assert_eq!(serde_json::from_str::<Tie>(&json).expect("reads"), tie);
    }
}

#[test]
fn header_names_are_lower_case_and_blanks_do_not_count() {
    let tie: Tie = "header.X-Tenant=identity.tenant".parse().expect("reads");
    assert_eq!(tie.to_string(), "header.x-tenant = identity.tenant");
}

#[test]
fn a_list_at_the_root_of_a_response_is_named_with_or_without_a_dot() {
    let plain: Tie = "response[].tenant = identity.tenant".parse().unwrap();
    assert_eq!(plain, "response.[].tenant = identity.tenant".parse().unwrap());
    assert!("response[] = identity.tenant".parse::<Tie>().is_err());
    assert!("query[].x = identity.tenant".parse::<Tie>().is_err());
}
