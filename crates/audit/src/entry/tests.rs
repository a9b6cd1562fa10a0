use super::*;
use serde_json::json;

fn chain(length: u64) -> Vec<Entry> {
    let mut tip = Tip::START;
    (0..length)
        .map(|number| {
            let new = NewEntry::new(
                Event::GrantGiven,
                Subject::new("grant", format!("g_{number}")),
                json!({"number": number}),
            );
            let entry = new.follow(tip, Timestamp::from_secs(60), "robin", "api");
            tip = entry.check_follows(tip).unwrap();
            entry
        })
        .collect()
}

fn check(entries: &[Entry]) -> Result<Tip, Break> {
    entries.iter().try_fold(Tip::START, |tip, entry| entry.check_follows(tip))
}

#[test]
fn a_dropped_entry_breaks_the_chain_at_its_place() {
    let mut entries = chain(5);
    entries.remove(2);
    let found = check(&entries).unwrap_err();
    assert_eq!((found.sequence, found.what), (2, BreakKind::Sequence { found: 3 }));
}

#[test]
fn swapped_entries_break_the_chain_at_the_first() {
    let mut entries = chain(5);
    entries.swap(1, 3);
    assert_eq!(check(&entries).unwrap_err().sequence, 1);
}

#[test]
fn a_changed_entry_breaks_the_chain_after_it() {
    let mut entries = chain(5);
    entries[1].actor = "mallory".to_owned();
    let found = check(&entries).unwrap_err();
    assert_eq!((found.sequence, found.what), (2, BreakKind::Previous));
}

#[test]
fn an_entry_with_a_fraction_has_no_digest() {
    let mut entry = chain(1).remove(0);
    entry.detail = json!({"share": 0.5});
    assert!(entry.digest().is_err());
}

#[test]
fn an_entry_with_a_foreign_member_is_not_read() {
    let mut value = serde_json::to_value(&chain(1)[0]).unwrap();
    value["comment"] = json!("nobody would look at this");
    assert!(serde_json::from_value::<Entry>(value).is_err());
}

#[test]
fn the_bytes_of_an_entry_never_change_between_releases() {
    let bytes = String::from_utf8(chain(1)[0].to_bytes().unwrap()).unwrap();
    let expected = [
        r#"{"actor":"robin","at":"1970-01-01T00:01:00Z","channel":"api","detail":{"number":0},"#,
        r#""event":"grant.given","previous":"#,
        &format!("\"{}\"", Digest::ZERO),
        r#","sequence":0,"subject":{"id":"g_0","kind":"grant"}}"#,
    ];
    assert_eq!(bytes, expected.concat());
}

#[test]
fn every_event_has_its_own_code() {
    let codes: std::collections::BTreeSet<_> = Event::ALL.iter().map(|e| e.as_str()).collect();
    assert_eq!(codes.len(), Event::ALL.len());
    assert!(codes.iter().all(|code| code.contains('.')));
}
