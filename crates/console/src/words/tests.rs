use base::Timestamp;

use super::*;

fn now() -> Timestamp {
    Timestamp::parse("2026-11-22T09:00:00Z").unwrap()
}

#[test]
fn what_is_not_a_time_is_shown_as_it_came() {
    assert_eq!(absolute("yesterday"), "yesterday");
    assert_eq!(relative("<b>", now()), "<b>");
    assert_eq!(date(""), "");
    assert_eq!(age("?", now()), "?");
}

#[test]
fn times_are_relative_in_rows_and_absolute_on_hover() {
    assert_eq!(relative("2026-11-22T08:59:30Z", now()), "just now");
    assert_eq!(relative("2026-11-22T08:15:00Z", now()), "45 min ago");
    assert_eq!(relative("2026-11-21T09:00:00Z", now()), "24 h ago");
    assert_eq!(relative("2026-11-20T09:00:00Z", now()), "2 d ago");
    assert_eq!(relative("2026-12-02T09:00:00Z", now()), "in 10 d");
    assert_eq!(absolute("2026-11-22T10:00:00.5+01:00"), "2026-11-22 09:00 UTC");
    assert_eq!(date("2026-01-02T10:00:00Z"), "2 Jan 2026");
    assert_eq!(age("2026-11-22T08:30:00Z", now()), "new");
    assert_eq!(age("2026-11-22T08:00:00Z", now()), "1 hour old");
    assert_eq!(age("2026-04-24T08:00:00Z", now()), "212 days old");
}

#[test]
fn numbers_carry_separators_and_agree_with_their_noun() {
    assert_eq!(number(0u64), "0");
    assert_eq!(number(999u64), "999");
    assert_eq!(number(1_204_000u64), "1,204,000");
    assert_eq!(count(1u64, "call"), "1 call");
    assert_eq!(count(0u64, "call"), "0 calls");
    assert_eq!(count(2u64, "identity"), "2 identities");
    assert_eq!(count(2u64, "key"), "2 keys");
    assert_eq!(percent(3, 0), 0);
    assert_eq!(percent(1, 3), 33);
}

#[test]
fn durations_stay_readable_at_every_size() {
    assert_eq!(duration_ms(12u64), "12 ms");
    assert_eq!(duration_ms(430u64), "0.4 s");
    assert_eq!(duration_ms(125_000u64), "2 min");
    assert_eq!(duration_us(420u64), "0.42 ms");
    assert_eq!(duration_us(48_000u64), "48 ms");
}

#[test]
fn refusals_become_sentences() {
    assert_eq!(sentence("there is no draft"), "There is no draft.");
    assert_eq!(sentence("Why? "), "Why?");
    assert_eq!(sentence(""), "");
}

#[test]
fn ids_are_written_as_they_are() {
    for id in ["svc-crm-sync", "getOrder", "g_01kafz", "group:ops", "`orders`"] {
        let said = format!("{id} may not call");
        assert_eq!(sentence(&said), format!("{said}."));
    }
    assert_eq!(closed("billing has no owner"), "billing has no owner.");
}

#[test]
fn who_did_it_is_named_and_portreeve_by_its_own_name() {
    assert_eq!(who("robin", &Some("Robin Hale".to_owned())), "Robin Hale");
    assert_eq!(who("system:demo", &None), "portreeve");
    assert_eq!(who("gone", &None), "gone");
}

#[test]
fn lists_end_in_and() {
    assert_eq!(listed(&[]), "nothing");
    assert_eq!(listed(&["A"]), "A");
    assert_eq!(listed(&["A", "B"]), "A and B");
    assert_eq!(listed(&["A", "B", "C", "D", "E", "F"]), "A, B, C, D and 2 more");
    assert_eq!(all(&["A", "B", "C", "D", "E", "F"]), "A, B, C, D, E and F");
}

#[test]
fn codes_become_words() {
    assert_eq!(plain("service_account"), "service");
    assert_eq!(title("unused-grant"), "Unused grant");
    assert_eq!(title("ai_agent"), "AI agent");
    assert_eq!(title("api_key"), "API key");
    assert_eq!(plain("unknown_api"), "unknown API");
    assert_eq!(plain("api owner"), "API owner");
    assert_eq!(rule("never-used-credential"), "Credential never used");
    assert_eq!(origin("system"), "portreeve itself");
    assert_eq!(grant_reason("direct"), "given directly");
    assert_eq!(title(""), "");
}
