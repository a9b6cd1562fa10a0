use super::*;

fn file(path: &str, text: &str) -> TextFile {
    TextFile { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn a_clock_in_core_is_named_with_its_line() {
    let text = "// SystemTime::now() is banned\nfn f() {\n    let now = SystemTime::now();\n}\n";
    let found = check_file(&file("crates/grant/src/live.rs", text));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].place, "crates/grant/src/live.rs:3");
}

#[test]
fn every_effect_is_found() {
    for (what, _) in BANNED {
        let text = format!("fn f() {{ {what} }}");
        assert_eq!(check_file(&file("crates/base/src/x.rs", &text)).len(), 1, "{what}");
    }
}

#[test]
fn only_whole_words_are_found() {
    assert!(!says("    eprintln!(\"x\")", "println!"));
    assert!(says("    println!(\"x\")", "println!"));
}

#[test]
fn tests_and_the_shell_are_left_alone() {
    assert!(is_core_source("crates/policy/src/ruleset/mod.rs"));
    assert!(!is_core_source("crates/policy/src/ruleset/tests.rs"));
    assert!(!is_core_source("crates/policy/src/ruleset/tests/world.rs"));
    assert!(!is_core_source("crates/policy/examples/decision.rs"));
    assert!(!is_core_source("crates/proxy/src/lib.rs"));
}

#[test]
fn modules_for_tests_only_are_left_alone_and_others_are_not() {
    let files = [
        file("crates/token/src/jose.rs", "#[cfg(test)]\nmod vectors;\nmod verify;\n"),
        file("crates/token/src/jose/vectors.rs", "fn f() { std::fs::read(p) }"),
        file("crates/token/src/jose/vectors/deep.rs", "fn f() { std::fs::read(p) }"),
        file("crates/token/src/jose/verify.rs", "fn f() { std::fs::read(p) }"),
    ];
    assert_eq!(test_modules(&files), ["crates/token/src/jose/vectors"]);
    let found = check(&files);
    let places: Vec<_> = found.iter().map(|f| &f.place).filter(|p| p.contains(":")).collect();
    assert_eq!(places, ["crates/token/src/jose/verify.rs:1"]);
}

#[test]
fn a_lint_that_is_missing_or_only_mentioned_is_named() {
    let header = |lints: &str| format!("#![forbid(unsafe_code)]\n#![deny({lints})]\n");
    let all = HEADER[1..].join(", ");
    let path = "crates/audit/src/lib.rs";
    assert_eq!(check_header("audit", &[file(path, &header(&all))]), []);

    let one_less = all.replace("clippy::panic", "/* clippy::panic */");
    let found = check_header("audit", &[file(path, &header(&one_less))]);
    assert_eq!(found, [Finding::fault(path, "its header lacks clippy::panic")]);

    let manifest = file("crates/audit/Cargo.toml", "[package]\nname = \"audit\"\n");
    let found = check_header("audit", &[file(path, &header(&all)), manifest]);
    assert_eq!(found.len(), 1, "{found:?}");
    let whole = format!("#![allow(clippy::panic)]\n{}", header(&all));
    assert_eq!(check_file(&file(path, &whole)).len(), 1);

    let allowed = format!("{}#![allow(clippy::panic)]\n", header(&one_less));
    assert_eq!(check_header("audit", &[file(path, &allowed)]).len(), 1);
    assert_eq!(check_header("audit", &[]).len(), 1);
}
