use super::*;

#[test]
fn a_tag_escapes_what_it_shows() {
    assert_eq!(tag("<b>").to_string(), "<span class=\"tag tag-calm\">&#60;b&#62;</span>");
    assert_eq!(
        level_tag("high", "impact").to_string(),
        "<span class=\"tag tag-bad\">High impact</span>"
    );
}

#[test]
fn silence_is_drawn_as_a_hairline_and_the_peak_as_full_height() {
    let drawn = Spark(&[0, 5, 10]).to_string();
    assert!(drawn.contains("class=\"none\" x=\"0\" y=\"23\" width=\"5\" height=\"1\""));
    assert!(drawn.contains("x=\"14\" y=\"0\" width=\"5\" height=\"24\""));
    assert_eq!(Spark(&[]).to_string().matches("<rect").count(), 0);
}

#[test]
fn huge_counts_do_not_overflow_the_chart() {
    let drawn = Spark(&[u64::MAX, u64::MAX / 2]).to_string();
    assert!(drawn.contains("y=\"0\" width=\"5\" height=\"24\""));
}

#[test]
fn the_smallest_use_is_visible_and_none_is_not() {
    assert!(bar(&1, 1_000_000).to_string().contains("<rect width=\"2\""));
    assert!(bar(&0, 0).to_string().contains("<rect width=\"0\""));
}
