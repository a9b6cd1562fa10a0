use super::*;

fn entries(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn described(texts: &[&str], known: &[Field]) -> (Vec<String>, Vec<String>) {
    match visible(&entries(texts), known) {
        Visible::Described { shown, hidden } => {
            (shown.into_iter().collect(), hidden.into_iter().collect())
        }
        whole @ Visible::Whole(_) => panic!("{whole:?}"),
    }
}

fn open(path: &str, class: DataClass) -> Field {
    Field { values: false, ..Field::new(path, class) }
}

#[test]
fn a_place_with_the_class_in_one_answer_is_left_out_whatever_it_is_in_others() {
    let mut both = Field::new("a", DataClass::Pci);
    both.also.insert(DataClass::Pii);
    let known = [both, Field::new("b", DataClass::Pci)];
    assert_eq!(described(&["no pii"], &known).0, ["b"]);
    assert_eq!(described(&["no pci"], &known).0, [""; 0]);
}

#[test]
fn what_nobody_described_is_left_out() {
    let known = [open("kids", DataClass::Internal), Field::new("name", DataClass::Internal)];
    assert_eq!(described(&["no phi"], &known).0, ["name"]);
    assert!(described(&["kids", "no phi"], &known).0.is_empty());
    let whole = visible(&entries(&["kids"]), &known);
    assert_eq!(whole, Visible::Whole(entries(&["kids"]).into_iter().collect()));
}

#[test]
fn what_cannot_be_read_beside_a_class_shows_nothing() {
    let known = [Field::new("name", DataClass::Internal)];
    for texts in [&["no phi", "lines[].sku"][..], &["no such", "no phi"], &["name", "no such"]] {
        assert!(visible(&entries(texts), &known).paths().is_empty(), "{texts:?}");
    }
    assert_eq!(visible(&entries(&["name", "lines[].sku"]), &known).paths().len(), 1);
}

#[test]
fn names_that_are_not_among_the_others_are_told_with_them() {
    let known = [
        Field::new("tags.*", DataClass::Internal),
        Field::new("tags.id", DataClass::Internal),
        Field::new("tags.ssn", DataClass::Phi),
    ];
    let (shown, hidden) = described(&["no phi"], &known);
    assert_eq!((shown.len(), hidden), (2, entries(&["tags.ssn"])));
    assert_eq!(described(&["*.id", "no phi"], &known).0, ["tags.id"]);
}

#[test]
fn a_list_in_the_notation_of_ties_is_told_how_to_be_written() {
    for (text, hint) in [("lines[].sku", "lines.sku"), ("[].sku", "sku"), ("lines[]", "lines")] {
        let error = Shown::parse(text).unwrap_err();
        assert_eq!(error, BadShown::List(text.to_owned(), hint.to_owned()));
    }
}

#[test]
fn a_class_is_shown_by_whatever_may_carry_it() {
    let known = [
        open("kids", DataClass::Phi),
        Field::new("map.*.ssn", DataClass::Phi),
        Field::new("name", DataClass::Internal),
        Field::new("who.card", DataClass::Pii),
    ];
    let shows = |texts: &[&str]| shows_class(Some(&entries(texts)), &known, DataClass::Phi);
    assert!(shows_class(None, &known, DataClass::Phi));
    for texts in [&["kids.kids.name"][..], &["kids"], &["map.x"], &["map.x.ssn"], &["*"]] {
        assert!(shows(texts), "{texts:?}");
    }
    for texts in [&["name"][..], &["map.x.id"], &["who"], &["no phi"], &["kids", "no phi"]] {
        assert!(!shows(texts), "{texts:?}");
    }
    assert!(!shows(&["no pii"]) || shows(&["map", "no pii"]));
    assert!(shows(&["no pii"]));
}
