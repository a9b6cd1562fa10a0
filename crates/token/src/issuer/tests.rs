use super::*;

fn settings() -> IssuerSettings {
    IssuerSettings {
        name: "corp".to_owned(),
        issuer: "https://login.example.com".to_owned(),
        audiences: vec!["gate".to_owned()],
        algorithms: vec![Algorithm::Es256],
        leeway: default_leeway(),
        scopes: ScopeRule::Ignore,
    }
}

fn reason(settings: IssuerSettings) -> String {
    Issuer::new(settings, JwkSet::empty(), 1).unwrap_err().reason
}

#[test]
fn settings_that_would_trust_too_much_are_refused() {
    let cases = [
        (IssuerSettings { issuer: String::new(), ..settings() }, "issuer_unnamed"),
        (IssuerSettings { name: String::new(), ..settings() }, "issuer_unnamed"),
        (IssuerSettings { audiences: vec![], ..settings() }, "issuer_without_audience"),
        (
            IssuerSettings { audiences: vec![String::new()], ..settings() },
            "issuer_without_audience",
        ),
        (IssuerSettings { algorithms: vec![], ..settings() }, "issuer_without_algorithm"),
        (IssuerSettings { leeway: Span::from_secs(301), ..settings() }, "leeway_too_wide"),
        (IssuerSettings { leeway: Span::from_secs(-1), ..settings() }, "leeway_too_wide"),
    ];
    for (settings, expected) in cases {
        assert_eq!(reason(settings), expected);
    }
    assert!(Issuer::new(settings(), JwkSet::empty(), 1).is_ok());
}

#[test]
fn symmetric_and_unknown_algorithms_and_keys_of_the_table_are_refused() {
    let text = |algorithm: &str, more: &str| {
        format!(
            r#"{{"name":"corp","issuer":"https://x","audiences":["gate"],
                "algorithms":["{algorithm}"]{more}}}"#
        )
    };
    for algorithm in ["HS256", "none", "NONE", "ES512", "rs256", ""] {
        let read = serde_json::from_str::<IssuerSettings>(&text(algorithm, ""));
        assert!(read.is_err(), "{algorithm}");
    }
    let unknown = serde_json::from_str::<IssuerSettings>(&text("RS256", r#","audience":"x""#));
    assert!(unknown.unwrap_err().to_string().contains("audience"));
    let read: IssuerSettings = serde_json::from_str(&text("RS256", "")).unwrap();
    assert_eq!((read.leeway, read.scopes), (Span::from_secs(30), ScopeRule::Ignore));
}

#[test]
fn two_issuers_with_one_name_or_one_iss_are_refused() {
    let one = Issuer::new(settings(), JwkSet::empty(), 1).unwrap();
    let renamed = IssuerSettings { name: "other".to_owned(), ..settings() };
    let moved = IssuerSettings { issuer: "https://other".to_owned(), ..settings() };
    for twin in [renamed, moved] {
        let twin = Issuer::new(twin, JwkSet::empty(), 1).unwrap();
        let problem = issuers_are_distinct(&[one.clone(), twin]).unwrap_err();
        assert_eq!(problem.reason, "issuer_twice");
    }
    assert!(issuers_are_distinct(&[one]).is_ok());
}
