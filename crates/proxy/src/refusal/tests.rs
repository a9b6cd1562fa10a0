use base::Span;

use super::*;

fn answer(reason: Reason, about: Option<&About>, exceeded: Option<Exceeded>) -> Answer {
    Answer::page(
        &Case { reason, about, exceeded, violations: &[], example: "x", request_id: "r_1" },
        reason.status(),
        None,
    )
}

#[test]
fn every_reason_has_a_title_a_phrase_one_sentence_and_a_hint() {
    let mut titles = std::collections::HashSet::new();
    for reason in Reason::ALL.iter().copied().filter(|reason| *reason != Reason::Cancelled) {
        let answer = answer(reason, None, None);
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
    let about = About { name, takes_tokens: false, takes_keys: false, takes_certificates: false };
    let answer = answer(Reason::NoCredential, Some(&about), None);
    assert_eq!(answer.challenge.as_deref(), Some("Bearer realm=\"abcx:y\""));
}

#[test]
fn a_refusal_says_what_the_api_takes() {
    let says = |takes_tokens, takes_keys, takes_certificates| {
        let name = "orders".to_owned();
        let about = About { name, takes_tokens, takes_keys, takes_certificates };
        words::detail(Reason::NoCredential, Some(&about))
    };
    assert_eq!(says(true, true, false), "orders takes a token or a key.");
    assert_eq!(says(true, true, true), "orders takes a token, a key or a client certificate.");
    assert_eq!(says(true, false, false), "orders takes a token.");
    assert_eq!(says(false, true, false), "orders takes a key.");
    assert_eq!(says(false, false, true), "orders takes a client certificate.");
    let nothing = says(false, false, false);
    assert_eq!(nothing, "orders takes no credential that you can present.");
}

#[test]
fn a_refusal_says_which_limit_was_reached_and_until_when() {
    let limit: traffic::Limit = "200/min per identity".parse().unwrap();
    let standing = Standing {
        name: limit.name(),
        allowed: 200,
        window: Some(60),
        left: 0,
        reset: Span::from_millis(1_001),
    };
    let (wait, limit) = (Span::from_millis(1_001), Some((limit, standing)));
    let exceeded = Exceeded { reason: Reason::RateLimited, wait, limit };
    let name = "orders".to_owned();
    let about = About { name, takes_tokens: false, takes_keys: true, takes_certificates: false };
    let answer = answer(Reason::RateLimited, Some(&about), Some(exceeded));
    let page: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let detail = "The limit `per-identity-minute` of orders, 200/min per identity, is reached.";
    assert_eq!(page["detail"], detail);
    assert_eq!(page["violated-policies"], serde_json::json!(["per-identity-minute"]));
    let mut out = Vec::new();
    let departure = Departure { version: traffic::headers::Version::Http11, keep_alive: true };
    answer.write(departure, true, &mut out);
    let head = String::from_utf8(out).unwrap();
    assert!(head.starts_with("HTTP/1.1 429 Too Many Requests\r\n"), "{head}");
    for field in [
        "retry-after: 2\r\n",
        "ratelimit-policy: \"per-identity-minute\";q=200;w=60\r\n",
        "ratelimit: \"per-identity-minute\";r=0;t=2\r\n",
    ] {
        assert!(head.contains(field), "{field} in {head}");
    }
}
