//! docs/reference/command-line.md: the help of every command.

use std::fmt::Write;

use super::binary::Binary;
use super::head;
use crate::repository::Chore;

pub(super) fn page(binary: &Binary) -> Chore<String> {
    let mut text = head(
        "Command line",
        "What each command's `--help` says. Data goes to stdout, everything else to stderr. Exit codes: \
         0 done, 1 failed, 2 differences or refused by policy, 3 bad usage, 4 not signed in or not \
         allowed, 5 server unreachable.",
    );
    let mut waiting = vec![Vec::new()];
    while let Some(path) = waiting.pop() {
        let help = help(binary, &path)?;
        let below = subcommands(&help).into_iter().map(|name| [path.clone(), vec![name]].concat());
        // a stack: the first command is to come out first
        waiting.extend(below.rev());
        write!(text, "\n## {}\n\n```text\n{}\n```\n", title(&path), help.trim_end())
            .map_err(|e| e.to_string())?;
    }
    Ok(text)
}

fn help(binary: &Binary, path: &[String]) -> Chore<String> {
    let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
    binary.output(&arguments)
}

fn title(path: &[String]) -> String {
    let words: Vec<&str> =
        ["portreeve"].into_iter().chain(path.iter().map(String::as_str)).collect();
    format!("`{}`", words.join(" "))
}

/// The names listed under `Commands:`; `help` itself says nothing new.
fn subcommands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    listed
        .take_while(|line| !line.trim().is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::subcommands;

    #[test]
    fn commands_are_read_from_help() {
        let help =
            "Does.\n\nCommands:\n  api   Services\n        and more\n  help  Print\n\nOptions:\n";
        assert_eq!(subcommands(help), ["api"]);
        assert!(subcommands("Usage: x\n\nOptions:\n  -h  Help\n").is_empty());
    }
}
