//! What was probably meant by an id that nothing has: the hint of the refusal. Looks only among
//! what the asking actor may see, so that a guess tells nobody more than a list would.

use base::{Problem, nearest};
use store::{Connection, IdentityFilter};

use crate::authority::Authority;

/// Candidates that are looked at.
const CANDIDATES_MAX: u32 = 1_000;
/// Candidates have the first so many characters of the id somewhere: few of many first, then many
/// of few, as the slip may be in the second character.
const PREFIXES: [usize; 2] = [3, 1];

/// The identity that was probably meant.
pub(crate) async fn identity(
    state: &mut Connection,
    authority: &Authority<'_>,
    id: &str,
) -> Result<Option<String>, Problem> {
    for length in PREFIXES {
        let filter = IdentityFilter {
            text: Some(id.chars().take(length).collect()),
            visible_to: authority.narrowed_to(),
            ..IdentityFilter::default()
        };
        let rows = state.identities(&filter, "", CANDIDATES_MAX).await?;
        let found = nearest(id, rows.iter().map(|identity| identity.id.as_str()));
        if let Some(found) = found {
            return Ok(Some(found.to_owned()));
        }
    }
    Ok(None)
}

/// The group that was probably meant.
pub(crate) async fn group(
    state: &mut Connection,
    authority: &Authority<'_>,
    id: &str,
) -> Result<Option<String>, Problem> {
    let mut groups = state.groups().await?;
    if authority.narrowed_to().is_some() {
        groups.retain(|group| group.members.contains(&authority.actor.id));
    }
    Ok(nearest(id, groups.iter().map(|group| group.id.as_str())).map(str::to_owned))
}

/// Adds the guess to a refusal, or leaves it as it is.
pub(crate) fn hinted(problem: Problem, guess: Option<String>) -> Problem {
    match guess {
        Some(guess) => problem.hint(format!("did you mean `{guess}`?")),
        None => problem,
    }
}
