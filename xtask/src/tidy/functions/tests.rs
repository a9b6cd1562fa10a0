use super::*;

fn function_of(name: &str, lines: usize) -> String {
    let body = "    work();\n".repeat(lines - 2);
    format!("pub(crate) async fn {name}() {{\n{body}}}\n")
}

#[test]
fn a_function_of_71_lines_is_a_fault() {
    let text = function_of("fits", 70) + &function_of("does_not", 71);
    let file = TextFile { path: "a.rs".to_owned(), text };
    let found = check(&[&file], &Ratchet::default());
    assert_eq!(found, [Finding::fault("a.rs::does_not", "71 lines; 70 are allowed")]);
}

#[test]
fn methods_and_nested_functions_are_measured_by_their_column() {
    let text = "impl A {\n    fn outer(&self) {\n        fn inner() {\n        }\n    }\n}\n";
    assert_eq!(functions(text), [("outer", 4), ("inner", 2)]);
}

#[test]
fn a_signature_over_several_lines_counts() {
    let text = "pub fn wide(\n    a: u8,\n) -> u8 {\n    a\n}\n";
    assert_eq!(functions(text), [("wide", 5)]);
}

#[test]
fn one_line_functions_and_declarations_do_not_swallow_what_follows() {
    let text = "fn small() {}\nfn next() {\n}\n";
    assert_eq!(functions(text), [("small", 1), ("next", 2)]);
}

#[test]
fn declarations_without_body_end_where_they_end() {
    let text = "trait A {\n    fn wide(\n        a: u8,\n    );\n    fn next(&self) {\n    }\n}\n";
    assert_eq!(functions(text), [("wide", 3), ("next", 2)]);
}

#[test]
fn words_that_only_look_like_functions_are_none() {
    assert_eq!(function_name("let fn_name = 3;"), None);
    assert_eq!(function_name("/// fn documented()"), None);
    assert_eq!(function_name("pub(in crate::a) const unsafe fn odd<T>() {"), Some("odd"));
}
