//! The solver: a process that is given a script and says whether it can hold.

use std::io::{ErrorKind, Write as _};
use std::process::{Command, Stdio};

use base::Problem;
use base::problem::ProblemKind;

/// The SMT solver, found by the search path; Debian calls the package the same.
pub(super) const NAME: &str = "cvc5";

/// What the solver prints about a script. It ends by itself after so many seconds.
pub(super) fn solve(script: &str, seconds: u32) -> Result<String, Problem> {
    let mut solver = Command::new(NAME)
        .args(["--lang", "smt2", "--tlimit", &format!("{seconds}000")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| unavailable(&error))?;
    let written = match solver.stdin.take() {
        // Nothing is printed before the whole script was read, so this cannot wait for itself.
        Some(mut stdin) => stdin.write_all(script.as_bytes()),
        None => Ok(()),
    };
    let output = solver.wait_with_output();
    let output = written.and(output).map_err(|error| unavailable(&error))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if text.starts_with("sat") || text.starts_with("unsat") {
        return Ok(text);
    }
    Err(Problem::conflict("not_decided", format!("`{NAME}` gave no answer in {seconds} s"))
        .hint("give it more seconds, or ask about fewer identities"))
}

fn unavailable(error: &std::io::Error) -> Problem {
    let detail = format!("`{NAME}` cannot be run: {error}");
    let problem = Problem::new(ProblemKind::Unavailable, "no_solver", detail);
    match error.kind() {
        ErrorKind::NotFound => problem.hint("install the package cvc5 where portreeve runs"),
        _ => problem,
    }
}
