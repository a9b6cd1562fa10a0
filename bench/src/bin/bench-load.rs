//! `bench-load PORT FILE CONNECTIONS SKIP COUNT`: sends the requests of a file in rotation over
//! keep-alive connections, judges every answer, prints one JSON object.

use std::rc::Rc;
use std::str::FromStr;

use portreeve_bench::load;

const USAGE: &str = "usage: bench-load PORT FILE CONNECTIONS SKIP COUNT";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port = number(arguments.next())?;
    let file = arguments.next().ok_or(USAGE)?;
    let connections = number(arguments.next())?;
    let skip = number(arguments.next())?;
    let count = number(arguments.next())?;
    let requests = load::prepare(&std::fs::read(&file)?);
    if requests.is_empty() {
        return Err(format!("{file}: no request that ends in an empty line").into());
    }
    let run = load::closed_loop(port, Rc::new(requests), connections, skip, count);
    let tally = tokio::task::LocalSet::new().run_until(run).await?;
    println!("{}", tally.json());
    Ok(())
}

fn number<T: FromStr>(argument: Option<String>) -> Result<T, &'static str> {
    argument.and_then(|text| text.parse().ok()).ok_or(USAGE)
}
