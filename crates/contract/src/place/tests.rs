use super::*;

#[test]
fn long_names_and_pointers_are_cut() {
    let long = "n".repeat(1_000);
    assert_eq!(shortened(&long).chars().count(), NAME_CHARS_MAX + 1);
    assert_eq!(shortened("a\r\nb\u{1b}[0m"), "a\u{fffd}\u{fffd}b\u{fffd}[0m");
    let mut pointer = Pointer::default();
    (0..100).for_each(|index| pointer.outward_index(index));
    assert!(pointer.text().starts_with("/99/98/"), "{}", pointer.text());
    assert!(pointer.text().ends_with("/68/…"), "{}", pointer.text());
}

#[test]
fn a_spot_is_a_pointer() {
    let (root, name) = (Spot::ROOT, "a/b~c");
    let outer = root.down(Step::Name(name));
    let inner = outer.down(Step::Index(3));
    assert_eq!((root.pointer().as_str(), inner.pointer().as_str()), ("", "/a~1b~0c/3"));
    assert!(root.is_root() && !outer.is_root());
}

#[test]
fn places_read_as_the_beginning_of_a_sentence() {
    let places = [
        (Place::Path("id".into()), "path parameter `id`"),
        (Place::Query("limit".into()), "query parameter `limit`"),
        (Place::Header("X-A".into()), "header `X-A`"),
        (Place::Body(String::new()), "body"),
        (Place::Body("/a".into()), "body `/a`"),
        (Place::MediaType, "media type"),
        (Place::Status(404), "status 404"),
    ];
    for (place, text) in places {
        assert_eq!(place.to_string(), text);
    }
}
