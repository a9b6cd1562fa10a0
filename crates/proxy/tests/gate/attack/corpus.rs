//! Reads the corpus: data files in `tests/cases`, three lines for each case, empty lines between.

/// What has to become of a request.
pub enum Expect {
    /// Answered by the gate with this status and reason; the upstream sees nothing.
    Refused(u16, String),
    /// The upstream sees this request line.
    Arrives(String),
}

/// One attack.
pub struct Case {
    /// Row of the list of pitfalls, and what is tried.
    pub name: String,
    /// The bytes that are sent, with `@KEY` for a valid key.
    pub request: String,
    /// What has to become of it.
    pub expect: Expect,
}

/// All cases of a file. A file that cannot be read whole fails.
pub fn read(text: &str) -> Vec<Case> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let blocks = lines.split(|line| line.is_empty()).filter(|block| !block.is_empty());
    let cases: Vec<Case> = blocks.map(case).collect();
    assert!(cases.len() > 10, "a corpus has cases");
    cases
}

fn case(block: &[&str]) -> Case {
    let [name, request, expect] = block else { panic!("a case has three lines: {block:?}") };
    let caller = "host: api\\r\\nauthorization: Bearer @KEY\\r\\n";
    let request = unescape(&request.replace("@CALLER", caller));
    Case { name: (*name).to_owned(), request, expect: expectation(expect) }
}

fn expectation(text: &str) -> Expect {
    let (kind, rest) = text.split_once(' ').unwrap();
    match kind {
        "arrives" => Expect::Arrives(rest.to_owned()),
        "refused" => {
            let (status, reason) = rest.split_once(' ').unwrap();
            Expect::Refused(status.parse().unwrap(), reason.to_owned())
        }
        _ => panic!("`{text}` is no expectation"),
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let code = |digits: &str| char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap();
        match rest.next().unwrap() {
            'r' => out.push('\r'),
            'n' => out.push('\n'),
            't' => out.push('\t'),
            '0' => out.push('\0'),
            '\\' => out.push('\\'),
            'x' => out.push(code(&rest.by_ref().take(2).collect::<String>())),
            'u' => {
                let digits: String = rest.by_ref().skip(1).take_while(|c| *c != '}').collect();
                out.push(code(&digits));
            }
            other => panic!("`\\{other}` is no escape"),
        }
    }
    out
}
