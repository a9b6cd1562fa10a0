use super::code_only;

#[test]
fn sentences_are_blanked_and_lines_stay() {
    let text = "a(); // b()\n/* c() /* d() */\n */ e(\"f()\\\"g()\");\nh();";
    assert_eq!(code_only(text), "a();  \n \n e( );\nh();");
}

#[test]
fn raw_strings_end_at_their_own_fence() {
    assert_eq!(code_only("x(r#\"a \"quoted\" b()\"#, y)"), "x( , y)");
    assert_eq!(code_only("for r in rows { r.call() }"), "for r in rows { r.call() }");
}

#[test]
fn lifetimes_are_no_characters() {
    assert_eq!(code_only("fn f<'a>(x: &'a str) { y('\"', '\\'', 'z') }"), {
        "fn f<'a>(x: &'a str) { y( ,  ,  ) }"
    });
}
