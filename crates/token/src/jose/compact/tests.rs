use super::*;

fn token(header: &str, payload: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", encode(header), encode(payload), encode("signature"))
}

#[test]
fn headers_that_are_not_understood_whole_are_refused() {
    let cases = [
        r#"{}"#,
        r#"{"alg":null}"#,
        r#"{"alg":"none"}"#,
        r#"{"alg":"None"}"#,
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"ES512"}"#,
        r#"{"alg":"rs256"}"#,
        r#"{"alg":"RS256 "}"#,
        r#"{"alg":["RS256"]}"#,
        r#"{"alg":"RS256","alg":"RS256"}"#,
        r#"{"alg":"RS256","crit":["exp"]}"#,
        r#"{"alg":"RS256","crit":[]}"#,
        r#"{"alg":"RS256","b64":false}"#,
        r#"{"alg":"RS256","b64":true}"#,
        r#"{"alg":"RS256","kid":1}"#,
        r#"{"alg":"RS256","kid":null}"#,
        r#"{"alg":"RS256","typ":7}"#,
        r#"["RS256"]"#,
    ];
    for header in cases {
        assert!(Compact::parse(&token(header, "{}")).is_none(), "{header}");
    }
}

#[test]
fn a_token_has_one_spelling() {
    let good = token(r#"{"alg":"RS256"}"#, r#"{"a":1}"#);
    assert!(Compact::parse(&good).is_some());
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    // `{"a":1}` has 7 bytes, so its last digit has unused bits: `Q` and `R` would read the same.
    let loose = payload.strip_suffix('Q').map(|rest| format!("{rest}R"));
    let cases = [
        format!("{header}.{}.{signature}", loose.unwrap_or_else(|| format!("{payload}B"))),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}==.{signature}"),
        format!("{header}.{payload}.{signature}="),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{signature}."),
        format!("{header}.{payload}.{signature}.x"),
        format!(".{payload}.{signature}"),
        format!("{header}.{payload}."),
        format!("{header}.{payload}. {signature}"),
        format!("{header}.{payload}.{signature}\n"),
        format!(" {header}.{payload}.{signature}"),
        format!("{header}.{}.{signature}", payload.replace('J', "+")),
        String::new(),
        "..".to_owned(),
    ];
    for case in cases {
        assert!(Compact::parse(&case).is_none(), "{case}");
    }
}

#[test]
fn a_token_beyond_the_limit_is_not_looked_at() {
    let fill = |size: usize| token(r#"{"alg":"RS256"}"#, &" ".repeat(size));
    assert!(Compact::parse(&fill(100)).is_some());
    assert!(Compact::parse(&fill(TOKEN_BYTES_MAX)).is_none());
}
