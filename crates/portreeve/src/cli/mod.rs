//! The command line: noun, then verb, the same words as the console. One definition feeds help,
//! man pages and completions.

mod api;
mod call;
mod config;
mod evidence;
mod finding;
mod grant;
mod group;
mod identity;
mod key;
mod policy;
mod relation;
mod review;
mod role;
mod rollout;
mod signal;
mod status;
mod stream;
mod terms;

use std::path::PathBuf;

use app::view::{ChangeReceipt, Changed, ReturnedRollout};
use clap::{CommandFactory, Parser, Subcommand};

use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::profile;

/// Identity-aware API gate: enforces who may call what, knows what is used, reviews access and
/// proves what a review removed.
#[derive(Debug, Parser)]
#[command(name = "portreeve", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
pub(crate) struct Global {
    /// Print JSON instead of tables
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The server's console URL [default: the profile of `init` or `demo`]
    #[arg(long, global = true, env = "PORTREEVE_URL", hide_env_values = true, value_name = "URL")]
    url: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Protected services and their operations
    #[command(subcommand)]
    Api(api::Api),
    /// Who calls: people, services, agents, pipelines, partners
    #[command(subcommand)]
    Identity(identity::Identity),
    /// Named sets of identities, which hold grants and own things together
    #[command(subcommand)]
    Group(group::Group),
    /// Changes of policy, tried out and tested before they hold
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Roles: named sets of operations that grants give
    #[command(subcommand)]
    Role(role::Role),
    /// Relations of identities to objects, for conditions
    #[command(subcommand)]
    Relation(relation::Relation),
    /// What proves an identity
    #[command(subcommand)]
    Key(key::Key),
    /// Who may use which operations, until when and why
    #[command(subcommand)]
    Grant(grant::Grant),
    /// Recorded requests, and why each was decided as it was
    #[command(subcommand)]
    Call(call::Call),
    /// What is open at the gate: WebSockets, event streams, gRPC calls, long bodies
    #[command(subcommand)]
    Stream(stream::Stream),
    /// Detected problems with access
    #[command(subcommand)]
    Finding(finding::Finding),
    /// Behaviour that wants attention, such as walks through objects
    #[command(subcommand)]
    Signal(signal::Signal),
    /// Access reviews: start, decide, sign, follow
    #[command(subcommand)]
    Review(review::Review),
    /// What an auditor verifies offline
    #[command(subcommand)]
    Evidence(evidence::Evidence),
    /// The configuration file
    #[command(subcommand)]
    Config(config::Config),
    /// Run the gate and the console
    Serve(ServeArgs),
    /// Write portreeve.toml, the keys and the first administrator
    Init(crate::init::InitArgs),
    /// A throwaway company on loopback, with a review waiting
    Demo(crate::demo::DemoArgs),
    /// Check the installation, and say how to fix what is wrong
    Doctor(ServeArgs),
    /// Version, ruleset and ledger of the running server
    Status,
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a directory
    Man {
        /// The directory; made when it does not exist
        dir: PathBuf,
    },
    /// Print the version
    Version,
}

impl Command {
    /// Answers others, and therefore wants more than one thread.
    pub(crate) fn is_server(&self) -> bool {
        matches!(self, Self::Serve(_) | Self::Demo(_))
    }
}

/// Commands that read the configuration file.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// The configuration file
    #[arg(long, short, value_name = "FILE", default_value = "portreeve.toml")]
    pub(crate) config: PathBuf,
}

/// What the remote commands work with.
pub(crate) struct Remote {
    pub(crate) out: Output,
    pub(crate) client: Client,
}

impl Global {
    /// How data is printed.
    pub(crate) fn output(&self) -> Output {
        Output { json: self.json }
    }

    fn remote(&self) -> Result<Remote, Failure> {
        // Not an option: other users of the machine can read the arguments of a process.
        let token = crate::system::environment("PORTREEVE_TOKEN");
        let server = profile::server(self.url.as_deref(), token.as_deref());
        Ok(Remote { out: self.output(), client: Client::new(server)? })
    }
}

/// Runs a command.
pub(crate) async fn run(cli: Cli) -> Result<Exit, Failure> {
    let (global, out) = (&cli.global, cli.global.output());
    match cli.command {
        Command::Api(command) => command.run(&global.remote()?).await,
        Command::Identity(command) => command.run(&global.remote()?).await,
        Command::Group(command) => command.run(&global.remote()?).await,
        Command::Policy(command) => command.run(&global.remote()?).await,
        Command::Role(command) => command.run(&global.remote()?).await,
        Command::Relation(command) => command.run(&global.remote()?).await,
        Command::Key(command) => command.run(&global.remote()?).await,
        Command::Grant(command) => command.run(&global.remote()?).await,
        Command::Call(command) => command.run(&global.remote()?).await,
        Command::Stream(command) => command.run(&global.remote()?).await,
        Command::Finding(command) => command.run(&global.remote()?).await,
        Command::Signal(command) => command.run(&global.remote()?).await,
        Command::Review(command) => command.run(&global.remote()?).await,
        Command::Evidence(evidence::Evidence::Verify { file, key }) => {
            evidence::verify(&file, key.as_deref(), out)
        }
        Command::Evidence(command) => command.run(&global.remote()?).await,
        Command::Config(config::Config::Diff(args)) => config::diff(&args, &global.remote()?).await,
        Command::Config(command) => command.run(out),
        Command::Serve(args) => crate::serve::run(&args.config, out).await,
        Command::Init(args) => crate::init::run(args, out).await,
        Command::Demo(args) => crate::demo::run(args, out).await,
        Command::Doctor(args) => crate::doctor::run(&args.config, out).await,
        Command::Status => status::run(&global.remote()?).await,
        Command::Completions { shell } => completions(shell),
        Command::Man { dir } => man(&dir, out),
        Command::Version => version(out),
    }
}

fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "portreeve", &mut text);
    crate::output::write(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Done)
}

fn man(dir: &std::path::Path, out: Output) -> Result<Exit, Failure> {
    std::fs::create_dir_all(dir).map_err(|error| Failure::file(dir, &error))?;
    clap_mangen::generate_to(Cli::command(), dir).map_err(|error| Failure::file(dir, &error))?;
    out.hint(&format!("man pages are in {}", dir.display()));
    Ok(Exit::Done)
}

fn version(out: Output) -> Result<Exit, Failure> {
    let version = serde_json::json!({"version": env!("CARGO_PKG_VERSION")});
    out.show(&version, |_| format!("portreeve {}\n", env!("CARGO_PKG_VERSION")))?;
    Ok(Exit::Done)
}

pub(crate) use config::unusable;

/// Something after it was set, and its receipt.
fn changed<T>(changed: &Changed<T>, shown: impl FnOnce(&T) -> String) -> String {
    format!("{}{}", shown(&changed.now), receipt(&changed.receipt))
}

/// A receipt in words: since when which nodes enforce the change, and what it ended there.
fn receipt(receipt: &ChangeReceipt) -> String {
    let nodes: Vec<_> = receipt.receipts.iter().map(of_node).collect();
    let mut text = match nodes.is_empty() {
        true => format!("change {} is stored; no node enforces it yet\n", receipt.change),
        false => format!("change {} enforced by {}\n", receipt.change, nodes.join(", ")),
    };
    if let Some(returned) = &receipt.rollout_returned {
        let ReturnedRollout { id, why } = returned;
        text.push_str(&format!("rollout {id} was taken back with it: {why}\n"));
    }
    text
}

fn of_node(receipt: &app::view::NodeReceipt) -> String {
    let mut text = format!("{} since {}", receipt.node, receipt.since);
    let counts = [(receipt.streams_cut, "cut"), (receipt.streams_open, "still ending")];
    for (count, what) in counts {
        match count {
            None | Some(0) => {}
            Some(1) => text.push_str(&format!(" (1 stream {what})")),
            Some(more) => text.push_str(&format!(" ({more} streams {what})")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_tells_of_streams_only_where_there_were_some() {
        let node = |streams_cut, streams_open| {
            let (node, since) = ("node-a".to_owned(), "now".to_owned());
            of_node(&app::view::NodeReceipt { node, since, streams_cut, streams_open })
        };
        assert_eq!(node(None, None), "node-a since now");
        assert_eq!(node(Some(0), None), "node-a since now");
        let both = "node-a since now (1 stream cut) (2 streams still ending)";
        assert_eq!(node(Some(1), Some(2)), both);
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }
}
