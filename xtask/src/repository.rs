//! The files of this repository, as git sees them: tracked, or new and not ignored.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Any failure of a chore: one sentence for a person.
pub(crate) type Chore<T> = Result<T, String>;

/// The working tree.
pub(crate) struct Repository {
    root: PathBuf,
}

/// A text file: path relative to the root with `/`, and its content.
#[derive(Debug, Clone)]
pub(crate) struct TextFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Repository {
    /// The repository that this program was built in.
    pub(crate) fn find() -> Chore<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().ok_or("xtask has no parent folder")?;
        Ok(Self { root: root.to_owned() })
    }

    /// Where `path` lies.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The content of one file.
    pub(crate) fn read(&self, path: &str) -> Chore<String> {
        std::fs::read_to_string(self.path(path)).map_err(|e| format!("{path}: {e}"))
    }

    /// Every text file. Binary files are left out.
    pub(crate) fn text_files(&self) -> Chore<Vec<TextFile>> {
        let listed = self.output("git", &["ls-files", "-z", "-co", "--exclude-standard"])?;
        let mut paths: Vec<&str> = listed.split('\0').filter(|path| !path.is_empty()).collect();
        paths.sort_unstable();
        let read = |path: &str| {
            let text = std::fs::read_to_string(self.path(path)).ok()?;
            Some(TextFile { path: path.to_owned(), text })
        };
        Ok(paths.into_iter().filter_map(read).collect())
    }

    /// What a command prints when run in the root; an error when it fails.
    pub(crate) fn output(&self, program: &str, arguments: &[&str]) -> Chore<String> {
        let mut command = Command::new(program);
        let done = command.args(arguments).current_dir(&self.root).output();
        let done = done.map_err(|e| format!("{program}: {e}"))?;
        if !done.status.success() {
            let error = String::from_utf8_lossy(&done.stderr);
            return Err(format!("{program} {}: {}", arguments.join(" "), error.trim()));
        }
        String::from_utf8(done.stdout).map_err(|_| format!("{program} printed no text"))
    }
}
