//! Two nodes on one database, with the gate's own limiter and the application's own rounds. The
//! time of all is a clock that the test moves.

use base::{GrantId, Span, Timestamp};
use catalog::Api;
use proxy::Limits;
use proxy::limits::Request;
use testkit::{Database, World};

use super::*;

const STEP: Span = Span::from_millis(10);
/// Steps from one round to the next.
const STEPS_PER_ROUND: i64 = 25;

/// A node: its world and its gate's limiter.
struct Node {
    world: World,
    limiter: Arc<Limiter>,
}

impl Node {
    async fn new(world: World) -> Self {
        let limiter = Arc::new(Limiter::new(&Limits::default()));
        let node = Self { world, limiter };
        begin(&node.world.app, &node.limiter, &node.world.clock).await.unwrap();
        node
    }

    async fn round(&self) {
        round(&self.world.app, &self.limiter, &self.world.clock).await.unwrap();
    }

    fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// How many of so many pass, all from one caller.
    fn admit(&self, api: &Api, tries: u64) -> u64 {
        let grants: Vec<GrantId> = vec!["g_1".parse().unwrap()];
        let request = Request {
            api,
            operation: api.operations.iter().find(|one| one.id.as_str() == "getOrder"),
            identity: "caller",
            credential: "cred_1",
            grants: &grants,
            source: "192.0.2.1".parse().unwrap(),
        };
        let admits = |_: &u64| self.limiter.admit(&request, Span::default(), self.now()).is_ok();
        (0..tries).filter(admits).count() as u64
    }
}

async fn world(database: Database, limit: &str) -> World {
    let world = World::on(database).await;
    world.api("orders", None).await;
    let wanted =
        app::view::SetLimits { limits: vec![limit.to_owned()], ..app::view::SetLimits::default() };
    world.app.set_api_limits(&world.admin, "orders", wanted).await.unwrap();
    world
}

fn api(world: &World) -> Arc<Api> {
    world.app.ruleset().load().api(&"orders".parse().unwrap()).unwrap().clone()
}

/// Lets time pass, with so much offered a second at each node; how much passed.
async fn run(nodes: &[&Node], offered: &[u64], span: Span) -> u64 {
    let (mut passed, mut credit) = (0, vec![0; nodes.len()]);
    let Some(first) = nodes.first() else { return 0 };
    let api = api(&first.world);
    for step in 0..span.as_micros() / STEP.as_micros() {
        first.world.clock.advance(STEP);
        for ((node, offered), credit) in nodes.iter().zip(offered).zip(&mut credit) {
            *credit += offered;
            passed += node.admit(&api, *credit / 100);
            *credit %= 100;
        }
        // One after the other, as far apart as they can be.
        let turn = STEPS_PER_ROUND / i64::try_from(nodes.len()).unwrap();
        if step % turn == 0 {
            let index = usize::try_from(step / turn).unwrap() % nodes.len();
            nodes[index].round().await;
        }
    }
    passed
}

async fn fleet(limit: &str) -> (Node, Node) {
    let world = world(Database::postgres(), limit).await;
    let other = world.another_node("node-b").await;
    let (one, two) = (Node::new(world).await, Node::new(other).await);
    run(&[&one, &two], &[0, 0], Span::from_secs(2)).await;
    (one, two)
}

#[tokio::test]
async fn two_nodes_admit_the_rate_together_within_two_percent() {
    let (one, two) = fleet("500/s per identity burst 50").await;
    for offered in [[400, 400], [700, 100]] {
        run(&[&one, &two], &offered, Span::from_secs(4)).await;
        let passed = run(&[&one, &two], &offered, Span::from_secs(10)).await;
        assert!((4_900..=5_100).contains(&passed), "{offered:?}: {passed} of 5000");
    }
}

#[tokio::test]
async fn two_nodes_use_one_quota_and_no_more() {
    let (one, two) = fleet("1000/day per grant").await;
    let passed = run(&[&one, &two], &[150, 30], Span::from_secs(30)).await;
    assert!((980..=1_000).contains(&passed), "{passed} of 1000");
    // What a node that ends orderly gives back, the other can use; all of it is used then.
    end(&one.world.app, &one.limiter, &one.world.clock).await;
    let rest = run(&[&two], &[150], Span::from_secs(10)).await;
    assert_eq!(passed + rest, 1_000);
    // A node that starts is told before it admits anybody.
    let late = Node::new(two.world.another_node("node-c").await).await;
    assert_eq!(late.admit(&api(&two.world), 100), 0);
}

#[tokio::test]
async fn a_node_whose_store_is_away_keeps_its_share() {
    let (one, two) = fleet("500/s per identity burst 50").await;
    run(&[&one, &two], &[700, 100], Span::from_secs(4)).await;
    // From here on no round comes to an end.
    let (api, mut passed) = (api(&one.world), 0);
    for step in 0..1_000 {
        one.world.clock.advance(STEP);
        passed += one.admit(&api, 7) + two.admit(&api, 1);
        if step % STEPS_PER_ROUND == 0 {
            for node in [&one, &two] {
                let asked = node.limiter.ask(node.now());
                node.limiter.miss(&asked, false, node.now());
            }
        }
    }
    assert!((4_900..=5_100).contains(&passed), "{passed} of 5000");
    assert_eq!(one.limiter.terms().fleet, traffic::limit::Fleet::CutOff);
    one.round().await;
    assert_eq!(one.limiter.terms().fleet, traffic::limit::Fleet::Joined);
}

#[tokio::test]
async fn alone_a_quota_survives_a_restart_and_a_kill() {
    for (orderly, least, most) in [(true, 6, 6), (false, 3, 6)] {
        let world = world(Database::sqlite(), "10/day per identity").await;
        let node = Node::new(world).await;
        let orders = api(&node.world);
        assert_eq!(node.admit(&orders, 4), 4);
        node.round().await;
        if orderly {
            end(&node.world.app, &node.limiter, &node.world.clock).await;
        }
        node.world.clock.advance(Span::from_secs(1));
        let next = Node::new(node.world.another_node("node-a").await).await;
        let rest = next.admit(&orders, 100);
        assert!((least..=most).contains(&rest), "{orderly}: {rest}");
        assert_eq!(next.admit(&orders, 100), 0);
    }
}
