use super::*;
use crate::sample;
use crate::shell::Grouping;

fn list(asked: Asked) -> List {
    List::new(sample::items(), asked, Grouping::Api)
}

fn row(id: &str) -> Row {
    Row::new(sample::items().into_iter().find(|item| item.id == id).unwrap())
}

fn needing_note(row: &Row) -> Vec<&'static str> {
    row.buttons().iter().filter(|b| b.needs_note).map(|b| b.verdict).collect()
}

#[test]
fn items_of_other_reviewers_are_left_out_until_asked_for() {
    let mut items = sample::items();
    items[0].mine = false;
    let mine = List::new(items.clone(), Asked::default(), Grouping::Flat);
    assert_eq!((mine.count(Tab::Look), mine.others), (2, 1));
    let asked = Asked { who: "all".to_owned(), ..Asked::default() };
    assert_eq!(List::new(items, asked, Grouping::Flat).count(Tab::Look), 3);
}

#[test]
fn what_the_visitor_signed_is_not_of_other_reviewers() {
    let mut items = sample::items();
    for item in &mut items {
        item.state = "decided".to_owned();
    }
    let list = List::new(items, Asked::default(), Grouping::Flat);
    assert_eq!((list.others, list.count(Tab::Decided)), (0, 7));
}

#[test]
fn a_visitor_without_own_items_sees_all_that_the_application_shows() {
    let mut items = sample::items();
    items.iter_mut().for_each(|item| item.mine = false);
    assert_eq!(List::new(items, Asked::default(), Grouping::Flat).count(Tab::Look), 3);
}

#[test]
fn every_item_is_in_exactly_one_pile() {
    let list = list(Asked::default());
    let counted: u64 = Tab::ALL.iter().map(|tab| list.count(*tab)).sum();
    assert_eq!(counted, words::len(&sample::items()));
    assert_eq!(list.tab, Tab::Look);
    assert_eq!(list.matching, 3);
}

#[test]
fn the_first_pile_with_rows_is_shown() {
    let mut items = sample::items();
    items.retain(|item| item.state != "open");
    assert_eq!(List::new(items, Asked::default(), Grouping::Api).tab, Tab::Decided);
    assert_eq!(List::new(Vec::new(), Asked::default(), Grouping::Api).tab, Tab::Look);
}

#[test]
fn groups_stand_where_their_most_urgent_item_does() {
    let mut items = sample::items();
    // The API whose name comes first has nothing urgent.
    for item in items.iter_mut().filter(|item| item.api_id == "stock") {
        item.api_id = "accounts".to_owned();
    }
    let list = List::new(items, Asked::default(), Grouping::Api);
    let rows = list.groups.iter().flat_map(|group| &group.rows);
    let order: Vec<_> = rows.map(|row| row.item.subject_name.as_str()).collect();
    // High risk and unowned, high risk, then what is known too little of.
    assert_eq!(order, ["agent-returns", "svc-invoice-export", "partner-northwind"]);
}

#[test]
fn a_draft_is_not_called_a_decision() {
    let settled = |states: [&str; 2]| {
        let mut items = sample::items();
        items.truncate(2);
        for (item, state) in items.iter_mut().zip(states) {
            item.state = state.to_owned();
        }
        List::new(items, Asked::default(), Grouping::Flat).settled()
    };
    assert_eq!(settled(["open", "open"]), "drafted");
    assert_eq!(settled(["drafted", "open"]), "drafted");
    assert_eq!(settled(["drafted", "decided"]), "drafted or decided");
    assert_eq!(settled(["decided", "decided"]), "decided");
}

#[test]
fn after_the_last_item_of_a_pile_the_next_step_is_named() {
    let step = |tab, drafted: &[&str]| {
        let mut items = sample::items();
        for item in items.iter_mut().filter(|item| drafted.contains(&item.id.as_str())) {
            item.state = "drafted".to_owned();
        }
        let asked = Asked { tab: Some(tab), ..Asked::default() };
        List::new(items, asked, Grouping::Flat).next_step().map(|step| (step.act, step.href))
    };
    let looked_at = ["item_1", "item_2", "item_3"];
    assert_eq!(step(Tab::Look, &looked_at[..2]), None);
    let quiet = Some(("Next: 1 quiet item".to_owned(), Some("?tab=quiet".to_owned())));
    assert_eq!(step(Tab::Look, &looked_at), quiet);
    let look = Some(("Next: 3 items to look at".to_owned(), Some("?tab=look".to_owned())));
    assert_eq!(step(Tab::Quiet, &["item_4"]), look);
    let sign = Some(("Sign off".to_owned(), None));
    assert_eq!(step(Tab::Quiet, &["item_1", "item_2", "item_3", "item_4"]), sign);
}

#[test]
fn grouping_and_filter_stay_in_every_address() {
    let asked = Asked { q: "svc & co".to_owned(), group: Some(Grouping::Flat), ..Asked::default() };
    let list = list(asked);
    assert_eq!(list.to_tab(Tab::Quiet), "?tab=quiet&group=flat&q=svc%20%26%20co");
    assert_eq!(list.without_filter(), "?tab=look&group=flat");
    assert!(list.groups.is_empty());
}

#[test]
fn a_long_pile_is_shown_in_pages() {
    let model = sample::items().remove(0);
    let items: Vec<_> = (0..ROWS_MAX + 1)
        .map(|index| ItemView { id: format!("item_{index}"), ..model.clone() })
        .collect();
    let first = List::new(items.clone(), Asked::default(), Grouping::Api);
    assert_eq!(first.groups[0].rows.len(), ROWS_MAX);
    assert_eq!(first.next().as_deref(), Some("?tab=look&from=50"));
    let second = List::new(items, Asked { from: 50, ..Asked::default() }, Grouping::Api);
    assert_eq!(second.groups[0].rows.len(), 1);
    assert_eq!(second.next(), None);
}

#[test]
fn a_note_is_needed_against_the_recommendation_and_to_keep_high_risk() {
    assert_eq!(needing_note(&row("item_1")), ["keep", "remove"]);
    assert_eq!(needing_note(&row("item_4")), ["narrow", "remove"]);
    assert_eq!(needing_note(&row("item_3")), Vec::<&str>::new());
    let mut risky = row("item_3");
    risky.item.risk = "high".to_owned();
    assert_eq!(needing_note(&risky), ["keep"]);
}

#[test]
fn narrow_is_offered_only_where_there_is_something_to_narrow_to() {
    let offered = |id| row(id).buttons().iter().any(|b| b.verdict == "narrow" && !b.disabled);
    assert!(offered("item_1"));
    assert!(!offered("item_2"));
    assert_eq!(row("item_1").not_narrower(), None);
    assert!(row("item_2").not_narrower().unwrap().contains("nothing granted was used"));
}

#[test]
fn a_row_says_which_operations_make_the_risk_high() {
    assert_eq!(row("item_1").risk(), "High risk: Refund an order");
    let mut sealed_before = row("item_1");
    sealed_before.item.granted.iter_mut().for_each(|operation| operation.dangerous = false);
    assert_eq!(sealed_before.risk(), "High risk");
}

#[test]
fn what_a_draft_takes_away_is_named() {
    let mut narrowed = row("item_1");
    narrowed.item.verdict = Some("narrow".to_owned());
    let said = (narrowed.goes(), narrowed.stays());
    assert_eq!(said, ("Refund an order".to_owned(), "List orders and Read an order".to_owned()));
    assert_eq!(row("item_6").goes(), "Purge test orders");
}

#[test]
fn too_little_data_is_said_and_not_hidden() {
    assert_eq!(row("item_3").recommended(), "No recommendation: too little data");
    assert_eq!(row("item_1").recommended(), "Recommended: Narrow to List orders and Read an order");
}

#[test]
fn signed_items_offer_no_choice() {
    assert!(!row("item_7").decidable());
    assert!(row("item_5").decidable() && row("item_5").drafted());
}
