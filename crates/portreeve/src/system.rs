//! The real world behind the two effects that everything else takes as arguments, and the
//! environment. The only place that reads them.

use base::{Clock, Entropy, Timestamp};

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        // A clock before 1970 is broken; the epoch makes `doctor` and every expiry say so.
        let micros = since.map_or(0, |since| since.as_micros());
        Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "this is the generator")]
        let filled = getrandom::fill(bytes);
        if filled.is_err() {
            // INVARIANT: every secret is unpredictable. Without a generator there is no safe way
            // on, and no caller could do better than stop.
            std::process::abort();
        }
    }
}

/// A variable of the environment, when it is set and not empty.
pub(crate) fn environment(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is the environment")]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
