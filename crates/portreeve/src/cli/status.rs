//! `portreeve status`

use super::Remote;
use crate::failure::{Exit, Failure};

/// Prints what the server says of itself.
pub(crate) async fn run(remote: &Remote) -> Result<Exit, Failure> {
    let status: admin::form::Status = remote.client.get("/status").await?;
    remote.out.show(&status, |status| {
        let ledger = match &status.ledger.problem {
            None => format!("{} entries, intact", status.ledger.size),
            Some(problem) => format!("{} entries, NOT INTACT: {problem}", status.ledger.size),
        };
        format!(
            "portreeve {} at {}\nproxy    {}\nruleset  version {}\nledger   {ledger}\n\
             verifier {}\nsigned in as {} ({})\n",
            status.version,
            remote.client.url(),
            status.proxy,
            status.ruleset_version,
            status.verifier_key,
            status.actor.id,
            status.actor.role,
        )
    })?;
    Ok(if status.ledger.intact { Exit::Done } else { Exit::Failed })
}
