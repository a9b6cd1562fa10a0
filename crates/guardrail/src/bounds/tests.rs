use super::*;

fn place(text: &str) -> Option<String> {
    check("g.cedar", text).err().map(|problem| problem.place.unwrap())
}

fn when(condition: &str) -> String {
    format!("forbid(principal, action, resource)\nwhen {{ {condition} }};\n")
}

#[test]
fn what_is_deeper_than_the_stack_is_told_with_its_line() {
    let n = 300;
    for condition in [
        format!("{}true{}", "(".repeat(33), ")".repeat(33)),
        format!("{}1{} == 1", "[".repeat(n), "]".repeat(n)),
        "(".repeat(100_000),
        format!("true{}", " && true".repeat(n)),
        format!("true{}", " || true".repeat(n)),
        format!("1{} == 2", " + 1".repeat(n)),
        format!("{}true{}", "if true then ".repeat(n), " else true".repeat(n)),
        format!("principal{} == 1", ".a".repeat(n)),
        format!("{}true", "!".repeat(n)),
    ] {
        assert_eq!(place(&when(&condition)).as_deref(), Some("g.cedar:2"), "{condition:.40}");
    }
    // What an open string or an unbalanced bracket hides is hidden from nobody else.
    let behind = format!("{}{}", when("context has source"), when(&"(".repeat(40)));
    assert_eq!(place(&behind).as_deref(), Some("g.cedar:4"));
}

#[test]
fn what_people_write_is_not_too_deep() {
    let parts: Vec<String> = (0..60)
        .map(|n| {
            format!("context.path has t{n} && context.path.t{n}.contains(\"a.b && ((([[!\\\"\")")
        })
        .collect();
    for condition in [parts[..40].join(" && "), format!("{}true{}", "(".repeat(30), ")".repeat(30))]
    {
        assert_eq!(place(&when(&condition)), None, "{condition:.40}");
    }
    let many = when("context has source").repeat(5_000);
    assert_eq!(place(&many), None, "each is counted by itself");
    let said = format!("// {}\n{}", "(".repeat(100), when("principal.notif == \"if if if\""));
    assert_eq!(place(&said), None, "comments and strings are not read");
}
