use crate::repository::{Chore, Repository};
#[derive(clap::Args)]
pub(super) struct Options {}
pub(super) fn run(_repository: &Repository, _options: &Options) -> Chore<()> {
    Ok(())
}
