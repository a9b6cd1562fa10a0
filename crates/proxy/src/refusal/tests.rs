use super::*;

#[test]
fn every_reason_has_a_title_a_phrase_one_sentence_and_a_hint() {
    let mut titles = std::collections::HashSet::new();
    for reason in Reason::ALL.iter().copied().filter(|reason| *reason != Reason::Cancelled) {
        let answer = Answer::new(reason, Said::default(), "x", "r_1");
        let page: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_ne!(answer.phrase, "", "{reason}");
        assert!(titles.insert(page["title"].as_str().unwrap().to_owned()), "{reason}");
        assert!(page["detail"].as_str().unwrap().ends_with('.'), "{reason}");
        let hint = page["hint"].as_str().unwrap();
        assert!(!hint.is_empty() && !hint.ends_with('.'), "{reason}: {hint}");
        let kind = page["type"].as_str().unwrap();
        assert_eq!(
            kind,
            format!("https://portreeve.dev/problems/{}", reason.as_str().replace('_', "-"))
        );
        assert_eq!(
            answer.challenge.is_some(),
            reason.status() == 401 || reason == Reason::InsufficientScope
        );
    }
}

#[test]
fn the_name_of_an_api_cannot_break_out_of_a_header() {
    let name = "a\"b\\c\r\nx: y".to_owned();
    let about = About { name, takes_tokens: false, takes_keys: false };
    let said = Said { about: Some(&about), ..Said::default() };
    let answer = Answer::new(Reason::NoCredential, said, "x", "r_1");
    assert_eq!(answer.challenge.as_deref(), Some("Bearer realm=\"abcx:y\""));
}

#[test]
fn a_refusal_says_what_the_api_takes() {
    let says = |takes_tokens, takes_keys| {
        let about = About { name: "orders".to_owned(), takes_tokens, takes_keys };
        words::detail(Reason::NoCredential, Some(&about))
    };
    assert_eq!(says(true, true), "orders takes a token or a key.");
    assert_eq!(says(true, false), "orders takes a token.");
    assert_eq!(says(false, true), "orders takes a key.");
    assert_eq!(says(false, false), "orders takes no credential that you can present.");
}
