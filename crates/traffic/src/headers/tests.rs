use proptest::prelude::*;

use super::*;

type Fields<'f> = [(&'f str, &'f str)];

fn judge<'f>(version: Version, fields: &'f Fields<'f>) -> Result<RequestFields<'f>, Reason> {
    let pairs = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    RequestFields::judge(version, pairs)
}

fn travelling<'f>(fields: &'f Fields<'f>) -> Vec<&'f str> {
    let judged = judge(Version::Http11, fields).unwrap();
    let kept = fields.iter().enumerate().filter(|(index, _)| judged.travels(*index));
    kept.map(|(_, (name, _))| *name).collect()
}

fn response(
    version: Version,
    status: u16,
    to_head: bool,
    fields: &Fields<'_>,
) -> Result<ResponseFields, Reason> {
    let pairs = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    ResponseFields::judge(version, status, to_head, pairs)
}

#[test]
fn two_statements_of_framing_are_refused() {
    let length = ("content-length", "1");
    let chunked = ("transfer-encoding", "chunked");
    let wrong: [&Fields<'_>; 9] = [
        &[length, chunked],
        &[chunked, length],
        &[length, length],
        &[chunked, chunked],
        &[("content-length", "1, 1")],
        &[("content-length", "1 ")],
        &[("transfer-encoding", "chunked, chunked")],
        &[("transfer-encoding", "identity")],
        &[("transfer-encoding", "")],
    ];
    for fields in wrong {
        assert_eq!(
            judge(Version::Http11, fields).unwrap_err(),
            Reason::MalformedRequest,
            "{fields:?}"
        );
        let wrong = response(Version::Http11, 200, false, fields);
        assert_eq!(wrong.unwrap_err(), Reason::UpstreamInvalid, "{fields:?}");
    }
    for version in [Version::Http10, Version::Http2] {
        assert_eq!(judge(version, &[chunked]).unwrap_err(), Reason::MalformedRequest);
    }
}

#[test]
fn lengths_are_digits_and_fit() {
    for text in ["", "+1", "-1", "1.0", "0x1", "1_0", "18446744073709551616", "１"] {
        let fields = [("content-length", text)];
        assert!(judge(Version::Http11, &fields).is_err(), "{text}");
    }
    for (text, length) in [("0", 0), ("007", 7), ("18446744073709551615", u64::MAX)] {
        let fields = [("Content-Length", text)];
        assert_eq!(judge(Version::Http11, &fields).unwrap().framing, Framing::Length(length));
    }
}

#[test]
fn what_must_be_single_is_refused_when_it_is_not() {
    let twice = [
        ("host", Reason::MalformedRequest),
        ("expect", Reason::MalformedRequest),
        ("authorization", Reason::ForbiddenHeader),
        ("x-api-key", Reason::ForbiddenHeader),
    ];
    for (name, reason) in twice {
        let fields = [(name, "100-continue"), (name, "100-continue")];
        assert_eq!(judge(Version::Http11, &fields).unwrap_err(), reason, "{name}");
    }
    let both = [("authorization", "Bearer a"), ("x-api-key", "b")];
    assert_eq!(judge(Version::Http11, &both).unwrap_err(), Reason::ForbiddenHeader);
}

#[test]
fn names_and_values_outside_the_grammar_are_refused() {
    let wrong = [
        ("", "a"),
        ("a b", "c"),
        ("a:", "b"),
        ("é", "b"),
        ("a", "b\rc"),
        ("a", "b\nc"),
        ("a", "\0"),
        ("a", "\x7f"),
    ];
    for field in wrong {
        assert_eq!(
            judge(Version::Http11, &[field]).unwrap_err(),
            Reason::MalformedRequest,
            "{field:?}"
        );
    }
    assert!(judge(Version::Http11, &[("a", "b\tcé")]).is_ok());
    let options = [("connection", "a b")];
    assert_eq!(judge(Version::Http11, &options).unwrap_err(), Reason::MalformedRequest);
}

#[test]
fn fields_of_a_connection_have_no_place_in_http2() {
    for field in
        [("connection", "close"), ("transfer-encoding", "chunked"), ("upgrade", "websocket")]
    {
        assert_eq!(judge(Version::Http2, &[field]).unwrap_err(), Reason::MalformedRequest);
    }
}

#[test]
fn too_many_fields_are_too_large() {
    let fields = vec![("a", "b"); FIELDS_MAX + 1];
    assert_eq!(judge(Version::Http11, &fields).unwrap_err(), Reason::TooLarge);
    assert_eq!(travelling(&vec![("a", "b"); FIELDS_MAX]).len(), FIELDS_MAX);
}

#[test]
fn what_is_meant_for_one_hop_or_is_ours_to_say_does_not_travel() {
    let fields = [
        ("Host", "a"),
        ("Connection", "x-hop, Close"),
        ("X-Hop", "1"),
        ("x-hop", "2"),
        ("Keep-Alive", "5"),
        ("TE", "trailers"),
        ("Trailer", "a"),
        ("Upgrade", "h2c"),
        ("Proxy-Authorization", "a"),
        ("Authorization", "Bearer a"),
        ("Forwarded", "for=a"),
        ("X-Forwarded-For", "a"),
        ("x_forwarded_proto", "a"),
        ("X-Real-IP", "a"),
        ("Proxy", "a"),
        ("Portreeve-Identity", "a"),
        ("PORTREEVE_identity", "a"),
        ("portreeve.request.id", "a"),
        ("content-length", "0"),
        ("accept", "*/*"),
        ("X-Hops", "1"),
        ("traceparent", "a"),
        ("user-agent", "a"),
        ("cookie", "a"),
    ];
    assert_eq!(travelling(&fields), ["accept", "X-Hops", "traceparent", "user-agent", "cookie"]);
}

#[test]
fn connection_options_of_several_fields_count() {
    let fields = [("connection", "a"), ("connection", ", b ,"), ("a", "1"), ("b", "2"), ("c", "3")];
    assert_eq!(travelling(&fields), ["c"]);
    assert!(judge(Version::Http11, &fields).unwrap().keep_alive);
    assert!(!judge(Version::Http11, &[("connection", "CLOSE")]).unwrap().keep_alive);
    assert!(!judge(Version::Http10, &[]).unwrap().keep_alive);
    assert!(judge(Version::Http10, &[("connection", "keep-alive")]).unwrap().keep_alive);
}

#[test]
fn what_nominates_more_than_anybody_means_is_refused() {
    let names = |count: usize| vec!["a"; count].join(",");
    let (many, most) = (names(NOMINATED_MAX + 1), names(NOMINATED_MAX));
    for fields in [vec![("connection", many.as_str())], vec![("connection", most.as_str()); 2]] {
        assert_eq!(judge(Version::Http11, &fields).unwrap_err(), Reason::MalformedRequest);
    }
    assert_eq!(travelling(&[("connection", &most), ("a", "1"), ("b", "2")]), ["b"]);
}

#[test]
fn credentials_are_read_as_one_text_or_not_at_all() {
    let presented = |name, value| {
        judge(Version::Http11, &[(name, value)])
            .map(|fields| match fields.presented {
                Presented::Nothing => "nothing".to_owned(),
                Presented::Bearer(text) => format!("bearer {text}"),
                Presented::Bound(text) => format!("bound {text}"),
                Presented::ApiKey(text) => format!("key {text}"),
                Presented::Unreadable => "unreadable".to_owned(),
            })
            .unwrap()
    };
    assert_eq!(presented("x", "y"), "nothing");
    assert_eq!(presented("authorization", "bEARER  a.b"), "bearer a.b");
    assert_eq!(presented("authorization", "dpop a.b"), "bound a.b");
    assert_eq!(presented("x-api-key", "k"), "key k");
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer a,b",
        "Basic a",
        "Bearera",
        "Bearer\ta",
        "é",
    ] {
        assert_eq!(presented("authorization", value), "unreadable", "{value}");
    }
    assert_eq!(presented("x-api-key", "a b"), "unreadable");
}

#[test]
fn only_a_bodiless_websocket_request_may_switch() {
    let switch = [("connection", "Upgrade"), ("upgrade", "WebSocket")];
    assert!(judge(Version::Http11, &switch).unwrap().websocket);
    assert!(!judge(Version::Http10, &switch).unwrap().websocket);
    assert!(!judge(Version::Http11, &switch[1..]).unwrap().websocket);
    let with_body = [switch[0], switch[1], ("content-length", "0")];
    assert_eq!(judge(Version::Http11, &with_body).unwrap_err(), Reason::MalformedRequest);
}

#[test]
fn responses_without_a_body_have_none_whatever_they_say() {
    let length = [("content-length", "5")];
    for (status, to_head) in [(204, false), (304, false), (200, true), (100, false)] {
        let judged = response(Version::Http11, status, to_head, &length).unwrap();
        assert_eq!(judged.framing, Framing::None, "{status}");
        assert_eq!(judged.travels(0), to_head || status == 304, "{status}");
    }
    let judged = response(Version::Http11, 200, false, &[]).unwrap();
    assert_eq!(judged.framing, Framing::UntilClose);
}

/// Names made of ours by changing case and putting other characters in between.
fn alias(of: &'static str) -> impl Strategy<Value = String> {
    let letters: Vec<char> = of.chars().filter(char::is_ascii_alphanumeric).collect();
    let count = letters.len();
    let noise = prop::collection::vec(("[-_.!~*]{0,2}", any::<bool>()), count);
    noise.prop_map(move |noise| {
        let spelled = letters.iter().zip(noise).map(|(letter, (between, upper))| {
            let letter = if upper { letter.to_ascii_uppercase() } else { *letter };
            format!("{letter}{between}")
        });
        spelled.collect()
    })
}

proptest! {
    #[test]
    fn no_alias_of_an_identity_header_travels(name in alias("portreeve-identity")) {
        let fields = [(name.as_str(), "root")];
        prop_assert_eq!(travelling(&fields), Vec::<&str>::new());
    }

    #[test]
    fn no_alias_of_a_method_override_passes(name in alias("x-http-method-override")) {
        let fields = [(name.as_str(), "DELETE")];
        let refused = judge(Version::Http11, &fields).unwrap_err();
        prop_assert_eq!(refused, Reason::ForbiddenHeader);
    }

    #[test]
    fn an_alias_of_a_framing_header_frames_or_refuses(name in alias("content-length")) {
        let fields = [(name.as_str(), "3")];
        match judge(Version::Http11, &fields) {
            Ok(judged) => {
                prop_assert!(name.eq_ignore_ascii_case("content-length"));
                prop_assert_eq!(judged.framing, Framing::Length(3));
            }
            Err(reason) => prop_assert_eq!(reason, Reason::MalformedRequest),
        }
    }
}
