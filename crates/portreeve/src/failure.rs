//! What a command says and returns when it does not succeed.

use base::Problem;
use base::problem::ProblemKind;

/// Exit codes, as scripts rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// Differences were found, or a policy refuses (`config diff`, `config check`,
    /// `call explain`).
    Differs = 2,
    /// The command line or the input is wrong.
    Usage = 3,
    /// Not signed in, or not allowed.
    NotAllowed = 4,
    /// The server cannot be reached.
    Unreachable = 5,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not succeed.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// What happened, where, and what to do.
    pub(crate) problem: Box<Problem>,
    /// The request at the server that failed.
    pub(crate) request_id: Option<String>,
    /// What the process returns.
    pub(crate) exit: Exit,
    /// Says all of it better than the problem does.
    pub(crate) printed: Option<String>,
}

impl Failure {
    /// A failure with an exit code of its own.
    pub(crate) fn new(exit: Exit, problem: Problem) -> Self {
        Self { problem: Box::new(problem), request_id: None, exit, printed: None }
    }

    /// A file or a stream that could not be read or written.
    pub(crate) fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        let problem = Problem::new(ProblemKind::Unavailable, "file", error.to_string());
        Self::new(Exit::Failed, problem.at(path.display().to_string()))
    }

    /// Prints it on standard error: what, where, hint, request id.
    pub(crate) fn print(&self) {
        if let Some(text) = &self.printed {
            eprint!("{text}");
            return;
        }
        let label = crate::output::emphasis("error:");
        eprintln!("{label} {}", self.problem.detail);
        if let Some(place) = &self.problem.place {
            eprintln!("  --> {place}");
        }
        if let Some(hint) = &self.problem.hint {
            eprintln!("  hint: {hint}");
        }
        if let Some(id) = &self.request_id {
            eprintln!("  request: {id}");
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let exit = match problem.kind {
            ProblemKind::Invalid => Exit::Usage,
            ProblemKind::Unauthenticated | ProblemKind::Forbidden => Exit::NotAllowed,
            ProblemKind::NotFound
            | ProblemKind::Conflict
            | ProblemKind::Unavailable
            | ProblemKind::Internal => Exit::Failed,
        };
        Self::new(exit, problem)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Problem::new(ProblemKind::Unavailable, "io", error.to_string()).into()
    }
}
