use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

#[test]
fn records_that_begin_late_or_never_do_not_cover_the_window() {
    let until = at("2026-10-01");
    assert_eq!(Window::coverage_since(until, 90, None), 0);
    assert_eq!(Window::coverage_since(until, 90, Some(at("2026-10-02"))), 0);
    assert_eq!(Window::coverage_since(until, 90, Some(at("2026-08-17"))), 500);
    assert_eq!(Window::coverage_since(until, 90, Some(at("2020-01-01"))), 1_000);
    assert!(!Window::ending(until, 90, 949).is_sufficient());
    assert!(Window::ending(until, 90, 950).is_sufficient());
}

#[test]
fn the_window_is_half_open_and_bounded() {
    let window = Window::ending(at("2026-10-01"), 90, 1_000);
    assert!(window.contains(at("2026-07-03")));
    assert!(!window.contains(at("2026-10-01")));
    assert_eq!(window.days(), 90);
    assert_eq!(Window::ending(at("2026-10-01"), 9_999, 0).days(), WINDOW_DAYS_MAX);
}

#[test]
fn weeks_count_back_from_the_end() {
    let window = Window::ending(at("2026-10-01"), 90, 1_000);
    assert_eq!(window.week_of(at("2026-09-30T23:59:59Z")), Some(WEEKS - 1));
    assert_eq!(window.week_of(at("2026-09-24T00:00:00Z")), Some(WEEKS - 1));
    assert_eq!(window.week_of(at("2026-09-23T23:59:59Z")), Some(WEEKS - 2));
    assert_eq!(window.week_of(at("2026-07-03")), Some(0));
    assert_eq!(window.week_of(at("2026-06-01")), None);
}
