use super::*;

fn grant() -> Grant {
    let json = r#"{"id": "g_1", "version": 1, "subject": "billing", "api": "orders",
        "operations": "*", "fields": null, "created_at": "1970-01-01T00:00:00Z", "expires_at": null,
        "status": "active", "reason": "direct", "requested_by": null, "approved_by": null,
        "last_certified_at": null, "last_certified_by": null, "origin": "console"}"#;
    serde_json::from_str(json).expect("a grant as it was written before there were terms")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

#[test]
fn a_grant_that_no_review_keeps_in_time_ends() {
    let mut grant = grant();
    assert!(grant.is_live(at(1_000)));
    grant.terms.certified_until = Some(at(100));
    assert!(grant.is_live(at(99)) && !grant.is_live(at(100)));
    grant.expires_at = Some(at(50));
    assert_eq!(grant.ends_at(), Some(at(50)));
}

#[test]
fn a_grant_that_is_kept_is_good_for_as_long_again() {
    let mut grant = grant();
    grant.created_at = at(0);
    grant.terms.certified_until = Some(at(100));
    let kept = grant.certified(at(90), "robin");
    assert_eq!(kept.terms.certified_until, Some(at(190)));
    let again = kept.certified(at(150), "kim");
    assert_eq!(again.terms.certified_until, Some(at(250)));
    assert_eq!(again.last_certified_by.as_deref(), Some("kim"));
}

#[test]
fn a_grant_without_terms_is_written_as_before() {
    let text = serde_json::to_string(&grant()).expect("serialises");
    assert!(!text.contains("terms") && !text.contains("roles"), "{text}");
}
