//! `bench-fill DATABASE UPSTREAM IDENTITIES GRANTS`: writes a company into an initialised database,
//! `GRANTS` for each identity, with change rows and ledger entries as any import would leave them.
#![expect(clippy::disallowed_methods, reason = "this program is where its clock comes from")]

use std::time::{SystemTime, UNIX_EPOCH};

use base::Timestamp;
use portreeve_bench::company::{self, Failure};
use store::{Channel, Store, World, Writer};

/// Identities in one transaction.
const BATCH: usize = 2_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, upstream, identities, grants] = arguments.as_slice() else {
        return Err("usage: bench-fill DATABASE UPSTREAM IDENTITIES GRANTS".into());
    };
    let (identities, grants): (usize, usize) = (identities.parse()?, grants.parse()?);
    let store = Store::open(database).await?;
    let apis: Result<Vec<_>, _> = (0..company::APIS).map(|n| company::api(n, upstream)).collect();
    add(&store, World { apis: apis?, ..World::default() }).await?;
    for first in (0..identities).step_by(BATCH) {
        let numbers = first..identities.min(first + BATCH);
        let mut world = World::default();
        for identity in numbers {
            world.identities.push(company::identity(identity)?);
            for number in 0..grants {
                world.grants.push(company::grant(identity, number)?);
            }
        }
        add(&store, world).await?;
    }
    store.close().await;
    Ok(())
}

async fn add(store: &Store, world: World) -> Result<(), Failure> {
    let writer = Writer { actor: "system:bench".parse()?, channel: Channel::System };
    let mut tx = store.begin(&writer, now()?).await?;
    tx.add_world(&world).await?;
    tx.commit().await?;
    Ok(())
}

fn now() -> Result<Timestamp, Failure> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Timestamp::from_micros(i64::try_from(since.as_micros())?))
}
