use super::*;
use identity::IdentityKind;

#[test]
fn a_misspelt_word_is_refused_with_the_nearest_one_as_the_hint() {
    let problem = word::<IdentityKind>("kind", "servce_account").unwrap_err();
    assert_eq!(problem.place.as_deref(), Some("kind"));
    assert_eq!(problem.hint.as_deref(), Some("did you mean `service_account`?"));
    assert!(problem.detail.contains("ci_pipeline"), "{problem}");
}

#[test]
fn a_word_that_is_far_from_all_gets_no_guess() {
    assert_eq!(word::<IdentityKind>("kind", "robot").unwrap_err().hint, None);
    assert_eq!(word::<IdentityKind>("kind", &"x".repeat(10_000)).unwrap_err().hint, None);
}

#[test]
fn blank_long_and_multi_line_text_is_refused() {
    for text in ["", "  ", "a\nb", "a\u{0}b", &"x".repeat(257)] {
        assert_eq!(line("name", text).unwrap_err().place.as_deref(), Some("name"), "{text:?}");
    }
    assert_eq!(line("name", "  Söhne & Co ").unwrap(), "Söhne & Co");
}

#[test]
fn a_moment_must_be_to_come_and_a_span_more_than_nothing() {
    let now = Timestamp::from_secs(1_772_442_000);
    assert_eq!(future("until", "2026-03-02T09:00:00Z", now).unwrap_err().reason, "time_is_past");
    assert_eq!(future("until", "tomorrow", now).unwrap_err().reason, "bad_time");
    assert_eq!(span("expires_in", "0d").unwrap_err().reason, "bad_duration");
    assert_eq!(span("expires_in", "-1d").unwrap_err().reason, "bad_duration");
    assert!(future("until", "2026-03-02T09:00:01Z", now).is_ok());
}

#[test]
fn a_message_shows_hostile_input_harmlessly() {
    let problem = id::<base::ApiId>("id", "a\u{1b}[2Jb").unwrap_err();
    assert!(!problem.detail.contains('\u{1b}'), "{:?}", problem.detail);
}
