use super::*;

fn read(query: &str) -> Vec<Option<(String, String)>> {
    pairs(query).map(|pair| pair.map(|(n, v)| (n.into_owned(), v.into_owned()))).collect()
}

fn pair(name: &str, value: &str) -> Option<(String, String)> {
    Some((name.to_owned(), value.to_owned()))
}

#[test]
fn what_is_not_utf8_is_nothing() {
    assert_eq!(read("a=%ff"), [None]);
    assert_eq!(read("%ff=1&b=2"), [None, pair("b", "2")]);
}

#[test]
fn names_and_values_are_decoded_and_kept_in_order() {
    assert_eq!(read("a=1&a=2&%61=3"), [pair("a", "1"), pair("a", "2"), pair("a", "3")]);
    assert_eq!(read("q=x+y%20z&&flag"), [pair("q", "x y z"), pair("flag", "")]);
    assert_eq!(read("a=b=c"), [pair("a", "b=c")]);
}
