use super::*;

fn page(path: &str, text: &str) -> TextFile {
    TextFile { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn a_page_declares_the_kind_of_its_folder() {
    assert_eq!(check_kind(&page("docs/howto/a.md", "# A\n\n*How-to*\n")), None);
    assert!(check_kind(&page("docs/howto/a.md", "# A\n\n*Tutorial*\n")).is_some());
    assert!(check_kind(&page("docs/howto/a.md", "# A\n\nText\n")).is_some());
    assert!(check_kind(&page("docs/notes/a.md", "# A\n\n*How-to*\n")).is_some());
    assert!(check_kind(&page("docs/stray.md", "# A\n\n*How-to*\n")).is_some());
    assert_eq!(check_kind(&page("STYLE.md", "# A\n")), None);
}

#[test]
fn reference_that_nothing_generates_is_a_fault() {
    assert!(check_kind(&page("docs/reference/a.md", "# A\n\n*Reference*\n")).is_some());
    let text = format!("# A\n\n*Reference. {GENERATED_MARK}*\n");
    assert_eq!(check_kind(&page("docs/reference/a.md", &text)), None);
}

#[test]
fn a_link_to_nowhere_is_named_by_its_line() {
    let text = "# A\n[b](../howto/b.md#part) and [c](c.md)\n[out](https://example.com) [#](#x)\n";
    let files = [page("docs/explanation/a.md", text), page("docs/howto/b.md", "")];
    let paths = files.iter().map(|file| file.path.as_str()).collect();
    let found = check_links(&files[0], &paths);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].to_string(), {
        "docs/explanation/a.md:2: links to `c.md`, which is not there"
    });
}

#[test]
fn links_to_folders_and_code_blocks_are_well() {
    let text = "[docs](docs/howto/)\n```\na[0](x)\n```\n";
    let files = [page("README.md", text), page("docs/howto/b.md", "")];
    let paths = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(check_links(&files[0], &paths), []);
}
