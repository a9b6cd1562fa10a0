use super::*;

/// Texts that do not have the format, and texts that do.
fn judged(word: &str, wrong: &[&str], right: &[&str]) {
    let format = TextFormat::of_word(word).unwrap();
    assert_eq!(format.word(), word);
    for text in wrong {
        assert!(!format.fits(text), "{word} {text}");
    }
    for text in right {
        assert!(format.fits(text), "{word} {text}");
    }
}

#[test]
fn dates_and_times_are_those_of_the_calendar() {
    judged(
        "date-time",
        &[
            "",
            "2024-01-01",
            "2024-01-01T00:00:00",
            "2024-13-01T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T12:00:60Z",
            "2024-1-1T00:00:00Z",
            "2024-01-01T00:00:00Zx",
            "२०२४-01-01T00:00:00Z",
        ],
        &[
            "2024-02-29T23:59:59Z",
            "2024-01-01t00:00:00.123456789z",
            "2024-01-01 00:00:00+02:00",
            "1998-12-31T23:59:60Z",
            "1998-12-31T15:59:60.123-08:00",
            "2000-02-29T00:00:00-00:00",
        ],
    );
    judged(
        "date",
        &["2024-04-31", "1900-02-29", "2024-00-10", "24-01-01", "2024-01-01Z"],
        &["2024-12-31"],
    );
    judged(
        "time",
        &["12:00:00", "12:00Z", "12:60:00Z", "noon"],
        &["12:00:00Z", "23:59:59.5+01:00"],
    );
    judged(
        "duration",
        &[
            "", "P", "PT", "P1", "1D", "P1S", "PT1D", "P1Y1D", "P1W2D", "P1D2H", "PT1H1S", "P-1D",
            "P1.5D",
        ],
        &["P1Y2M3DT4H5M6S", "P4W", "PT36H", "P1Y", "PT0S", "P1DT12H"],
    );
}

#[test]
fn names_and_addresses_are_spelled_as_they_have_to_be() {
    judged(
        "uuid",
        &[
            "",
            "2eb8aa08aa9811eab4aa73b441d16380",
            "2eb8aa08-aa98-11ea-b4aa-73b441d1638",
            "2eb8aa08-aa98-11ea-b4aa-73b441d1638g",
        ],
        &["2EB8AA08-aa98-11ea-b4aa-73b441d16380"],
    );
    judged(
        "email",
        &[
            "",
            "a",
            "@b.c",
            "a@",
            "a b@c.d",
            ".a@b.c",
            "a..b@c.d",
            "a@-b.c",
            "a@[999.1.1.1]",
            "a\n@b.c",
        ],
        &["a.b+c@d.example", "o'hara@d.example", "\"a b\"@c.d", "a@[127.0.0.1]", "a@[IPv6:::1]"],
    );
    judged("hostname", &["", "a..b", "-a", "a-", "a_b", "ü.de"], &["a", "a.b-c.example", "1.2"]);
    judged("ipv4", &["1.2.3", "01.2.3.4", "1.2.3.256", "1.2.3.4/8", "::1"], &["127.0.0.1"]);
    judged(
        "ipv6",
        &["1.2.3.4", ":::", "12345::", "[::1]", "fe80::1%eth0"],
        &["::1", "::ffff:1.2.3.4"],
    );
    judged(
        "uri",
        &[
            "",
            "//a/b",
            "/a",
            "a b:c",
            "1a:b",
            "http://a b",
            "http://a/%zz",
            "http://a/#b#c",
            "http://[::1",
            "http://a:b",
            "a:\\b",
        ],
        &[
            "http://a.example:80/b?c=d#e",
            "urn:isbn:1",
            "mailto:a@b.c",
            "http://u@[::1]:8/x",
            "http://a/%C3%BC",
        ],
    );
    judged(
        "uri-reference",
        &["a b", "\\a", "%", "1:2"],
        &["", "/a?b", "a/b:c", "#x", "//a", "http://a"],
    );
    judged("json-pointer", &["a", "/a~", "/a~2"], &["", "/", "/a~0b/~1"]);
    judged("byte", &["a", "ab=", "a===", "ab cd", "ab-_"], &["", "YQ==", "YWI=", "YWJj"]);
}

#[test]
fn integers_fit_into_their_bits() {
    for (format, value, fits) in [
        (NumberFormat::Int32, "2147483647", true),
        (NumberFormat::Int32, "2147483648", false),
        (NumberFormat::Int32, "-2147483649", false),
        (NumberFormat::Int32, "1.0", true),
        (NumberFormat::Int32, "1.5", false),
        (NumberFormat::Int64, "9223372036854775808", false),
        (NumberFormat::Int64, "-9223372036854775808", true),
        (NumberFormat::Int64, "1e300", false),
    ] {
        assert_eq!(format.fits(&serde_json::from_str(value).unwrap()), fits, "{value}");
        assert_eq!(NumberFormat::of_word(format.word()), Some(format));
    }
    assert_eq!(NumberFormat::of_word("double"), None);
    assert_eq!(TextFormat::of_word("password"), None);
}
