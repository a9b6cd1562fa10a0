use proptest::prelude::*;

use super::*;

fn refused(text: &str) -> (String, String) {
    let problem = text.parse::<Limit>().unwrap_err();
    assert_eq!(problem.reason, "bad_limit", "{text}");
    (problem.detail, problem.hint.unwrap())
}

#[test]
fn what_is_no_limit_is_refused_with_the_nearest_word() {
    for (text, detail, hint) in [
        ("", "a limit is empty", "write it like"),
        ("fast", "`fast` is not a number", "write it like"),
        ("-5/s per identity", "`-5` is not a number", "write it like"),
        ("0/s per identity", "a limit of 0 lets nothing pass", "write at least 1"),
        ("5/sec per identity", "`sec` is no unit of time", "did you mean `s`?"),
        ("5/minute per identity", "`minute` is no unit of time", "did you mean `min`?"),
        ("5/mont per identity", "`mont` is no unit of time", "did you mean `month`?"),
        ("5/year per identity", "`year` is no unit of time", "write one of: s, min, h, day, month"),
        ("5/s", "`5/s` does not say whose use it counts", "add `per` and one of: identity"),
        ("5/s per identty", "nothing is limited per `identty`", "did you mean `identity`?"),
        ("5/s per planet", "nothing is limited per `planet`", "write one of: identity, caller"),
        ("5/s pre identity", "`pre` is no word of a limit", "did you mean `per`?"),
        ("5/s per identity per source", "`per` is there twice", "write it like"),
        ("5/s per", "nothing follows `per`", "write it like"),
        ("5 per identity", "5 in what time?", "write it like"),
        ("5 concurent per identity", "`concurent` is no word", "did you mean `concurrent`?"),
        ("5/day per identity burst 9", "only a rate", "leave `burst` out"),
        ("5 concurrent per identity burst 9", "only a rate", "leave `burst` out"),
        ("5/s per identity burst 501", "a burst of 501 makes 5/s meaningless", "at most 500"),
        ("2000000/s per identity", "2000000/s is too fast", "at most 1000000 a second"),
        ("1000000000001/day per api", "1000000000001 is too large", "at most 1000000000000"),
    ] {
        let (said, advised) = refused(text);
        assert!(said.starts_with(detail), "{text}: {said}");
        assert!(advised.starts_with(hint), "{text}: {advised}");
    }
}

#[test]
fn a_list_holds_no_two_limits_of_one_name_and_no_more_than_can_be_held() {
    let list =
        |texts: &[&str]| -> Vec<Limit> { texts.iter().map(|text| text.parse().unwrap()).collect() };
    let twice = list(&["5/s per identity", "1/day per identity", "9/s per caller"]);
    let problem = Limit::check_list(&twice).unwrap_err();
    assert_eq!(problem.detail, "`5/s per identity` and `9/s per identity` limit the same");
    let many = vec![twice[0]; LIMITS_MAX + 1];
    assert_eq!(Limit::check_list(&many).unwrap_err().reason, "too_many_limits");
    let fine = list(&["5/s per identity", "5/min per identity", "5/s per source"]);
    Limit::check_list(&fine).unwrap();
}

#[test]
fn a_cost_that_can_never_pass_is_refused() {
    let limit = |text: &str| text.parse::<Limit>().unwrap();
    let problem = limit("5/s per source").check_cost("exportOrders", 50).unwrap_err();
    assert_eq!(problem.detail, "`exportOrders` costs 50 and can never pass `5/s per source`");
    assert_eq!(problem.hint.unwrap(), "lower the cost, or write `5/s per source burst 50`");
    assert!(limit("49/day per api").check_cost("x", 50).is_err());
    for fine in ["5/s per source burst 50", "50/day per api", "2 concurrent per api"] {
        limit(fine).check_cost("exportOrders", 50).unwrap();
    }
}

#[test]
fn limits_are_read_and_shown_in_one_form() {
    for (text, shown, name) in [
        ("200/s per identity", "200/s per identity", "per-identity"),
        ("200/s per caller", "200/s per identity", "per-identity"),
        (
            "1000/min per credential burst 50",
            "1000/min per credential burst 50",
            "per-credential-minute",
        ),
        ("1000/min burst 16 per credential", "1000/min per credential", "per-credential-minute"),
        ("  5/h   per source ", "5/h per source", "per-source-hour"),
        ("10000/day per grant", "10000/day per grant", "per-grant-day"),
        ("100000/month per api", "100000/month per api", "per-api-month"),
        ("20 concurrent per operation", "20 concurrent per operation", "per-operation-concurrent"),
    ] {
        let limit: Limit = text.parse().unwrap();
        assert_eq!(limit.to_string(), shown);
        assert_eq!(limit.name().as_str(), name);
        let json = serde_json::to_string(&limit).unwrap();
        assert_eq!(json, format!("\"{shown}\""));
        assert_eq!(serde_json::from_str::<Limit>(&json).unwrap(), limit);
    }
}

#[test]
fn a_rate_that_does_not_say_has_the_burst_of_a_second_and_at_least_one() {
    for (text, capacity) in [
        ("200/s per identity", 200),
        ("1000/min per identity", 16),
        ("5/h per identity", 1),
        ("5/s per identity burst 2", 2),
    ] {
        assert_eq!(text.parse::<Limit>().unwrap().capacity(), capacity, "{text}");
    }
}

#[test]
fn every_name_is_found_again_and_knows_its_scope() {
    let mut names = std::collections::BTreeSet::new();
    for scope in Scope::ALL {
        for amount in ["5/s", "5/min", "5/h", "5/day", "5/month", "5 concurrent"] {
            let limit: Limit = format!("{amount} per {scope}").parse().unwrap();
            let name = limit.name();
            assert_eq!(Name::find(name.as_str()), Some(name));
            assert_eq!(name.scope(), *scope);
            assert_eq!(name.is_quota(), matches!(limit.measure(), Measure::Quota { .. }));
            assert_eq!(name.is_concurrent(), !limit.weighs());
            names.insert(name);
        }
    }
    assert_eq!(names.len(), 36);
    assert_eq!(Name::find("per-planet"), None);
}

proptest! {
    #[test]
    fn any_limit_comes_back_from_its_text(
        count in 1u32..1_000_000,
        burst in 1u32..5_000,
        scope in prop::sample::select(Scope::ALL),
        window in prop::sample::select(Window::ALL),
        calendar in prop::sample::select(Calendar::ALL),
    ) {
        let burst = burst.min(count.max(usual_burst(count, window)).saturating_mul(100));
        for measure in [
            Measure::Rate { count, window, burst },
            Measure::Quota { count: count.into(), calendar },
            Measure::Concurrent { count },
        ] {
            let limit = Limit::new(scope, measure);
            prop_assert_eq!(limit.to_string().parse::<Limit>().unwrap(), limit);
        }
    }

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,40}") {
        let _ = text.parse::<Limit>();
    }
}
