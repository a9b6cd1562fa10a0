//! Carrying out and proving, when something goes wrong: a process that dies, a gate that does not
//! obey, a call that slips through.

mod desk;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use app::view::ReviewStatus;
use app::{App, Probe};
use base::Span;
use desk::{Desk, note};
use futures_util::future::BoxFuture;
use portreeve_app as app;
use review::ProbeOutcome;

async fn status(desk: &Desk, app: &App) -> ReviewStatus {
    app.review_status(&desk.robin, "machines").await.unwrap()
}

/// Polls a future at most `polls` times and drops it there, as a process that dies would.
/// Everything that it waits for goes on meanwhile, as the database would.
async fn cut_off<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = Box::pin(future);
    for _ in 0..polls {
        let polled = {
            let mut context = Context::from_waker(Waker::noop());
            pin!(future.as_mut()).poll(&mut context)
        };
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_cut_off_anywhere_is_finished_once() {
    let mut was_signed = [0, 0];
    for polls in [1, 3, 6, 10, 15, 22, 30, 45, 70, 110, 200] {
        let desk = Desk::new().await;
        desk.review().await;
        desk.decide_all().await;
        let _ = cut_off(desk.app.sign(&desk.robin, "machines", None), polls).await;

        let next = desk.next_process("node-b").await;
        next.remediate().await.unwrap();
        let after = status(&desk, &next).await;
        let signed = after.review.decided == 3;
        was_signed[usize::from(signed)] += 1;
        if !signed {
            assert_eq!((after.review.decided, after.review.drafted), (0, 3), "all or nothing");
            next.sign(&desk.robin, "machines", None).await.unwrap();
        }
        let after = status(&desk, &next).await;
        assert_eq!(after.review.state, "COMPLETED", "{polls} polls: {:?}", after.blocked_by);
        assert_eq!((after.kept, after.narrowed, after.removed), (1, 1, 1), "{polls} polls");
        for grant in [&desk.idle, &desk.reader] {
            let grant = next.grant(&desk.robin, grant).await.unwrap();
            assert_eq!(grant.version, 2, "{polls} polls: changed exactly once");
        }
    }
    let [before, after] = was_signed;
    assert!(before > 0 && after > 0, "the cuts lie on both sides of the commit: {was_signed:?}");
}

/// A gate that lies, as long as it is told to.
struct Liar {
    lies: Arc<AtomicBool>,
    grant: String,
}

impl Probe for Liar {
    fn probe<'a>(&'a self, _: &'a review::Probe) -> BoxFuture<'a, ProbeOutcome> {
        let outcome = match self.lies.load(Ordering::SeqCst) {
            true => ProbeOutcome::Allowed { grants: vec![self.grant.parse().unwrap()] },
            false => ProbeOutcome::Refused { reason: "no_grant".to_owned() },
        };
        Box::pin(std::future::ready(outcome))
    }
}

#[tokio::test]
async fn no_review_completes_while_the_gate_lets_the_removed_permission_pass() {
    let desk = Desk::new().await;
    let lies = Arc::new(AtomicBool::new(true));
    let liar = Liar { lies: Arc::clone(&lies), grant: desk.idle.clone() };
    desk.app.use_probe(Arc::new(liar));
    desk.review().await;
    desk.decide_all().await;
    let signed = desk.app.sign(&desk.robin, "machines", None).await.unwrap();
    assert_eq!((signed.review.state.as_str(), signed.probe.as_str()), ("VERIFYING", "allowed"));
    let idle = &desk.idle;
    assert_eq!(signed.blocked_by, [format!("{idle}: idle may still use listOrders by {idle}")]);
    assert_eq!(desk.app.today(&desk.robin).await.unwrap().removals_unproved, 1);
    desk.app.remediate().await.unwrap();
    assert_eq!(status(&desk, &desk.app).await.review.state, "VERIFYING", "trying is not proving");
    lies.store(false, Ordering::SeqCst);
    desk.app.remediate().await.unwrap();
    let proved = status(&desk, &desk.app).await;
    assert_eq!((proved.review.state.as_str(), proved.probe.as_str()), ("COMPLETED", "refused"));
}

/// A review that is signed and carried out, and waits for its proof until the gate tells the truth.
async fn signed_while_the_gate_lies() -> (Desk, Arc<AtomicBool>) {
    let desk = Desk::new().await;
    let lies = Arc::new(AtomicBool::new(true));
    let liar = Liar { lies: Arc::clone(&lies), grant: desk.idle.clone() };
    desk.app.use_probe(Arc::new(liar));
    desk.review().await;
    desk.decide_all().await;
    desk.app.sign(&desk.robin, "machines", None).await.unwrap();
    (desk, lies)
}

#[tokio::test]
async fn a_call_that_slipped_through_blocks_the_review() {
    let (desk, lies) = signed_while_the_gate_lies().await;
    // Decided by a ruleset that holds the removal already.
    desk.call("idle", &desk.idle, "listOrders").await;
    // What a narrowed grant still covers is no slip.
    desk.call("reader", &desk.reader, "listOrders").await;
    lies.store(false, Ordering::SeqCst);
    desk.app.remediate().await.unwrap();
    let blocked = status(&desk, &desk.app).await;
    assert_eq!((blocked.review.state.as_str(), blocked.allowed_since), ("VERIFYING", 1));
    let idle = &desk.idle;
    let why = format!("{idle}: 1 call let through by {idle} after it was applied");
    assert_eq!(blocked.blocked_by, [why]);
}

#[tokio::test]
async fn a_call_at_another_node_blocks_the_review_too() {
    let (desk, lies) = signed_while_the_gate_lies().await;
    desk.clock.advance(Span::from_secs(5));
    desk.used_elsewhere("idle", &desk.idle, "listOrders").await;
    lies.store(false, Ordering::SeqCst);
    desk.app.remediate().await.unwrap();
    let blocked = status(&desk, &desk.app).await;
    assert_eq!((blocked.review.state.as_str(), blocked.allowed_since), ("VERIFYING", 1));
}

/// A desk whose process died between the commit of the signature and the first act of the plan.
async fn died_with_the_plan_untouched() -> Desk {
    for _ in 0..10 {
        let desk = Desk::new().await;
        desk.review().await;
        desk.decide_all().await;
        for polls in 1..400 {
            let _ = cut_off(desk.app.sign(&desk.robin, "machines", None), polls).await;
            let now = status(&desk, &desk.app).await;
            if now.review.state == "REMEDIATING"
                && now.remediations.iter().all(|act| act.state == "planned")
            {
                return desk;
            }
            if now.review.decided == 3 {
                break;
            }
        }
    }
    panic!("no cut fell between signature and execution");
}

#[tokio::test]
async fn whoever_narrows_a_grant_before_the_plan_is_carried_out_evades_nothing() {
    let desk = died_with_the_plan_untouched().await;
    let next = desk.next_process("node-b").await;
    let by_hand = ["getOrder".to_owned()];
    next.narrow_grant(&desk.robin, &desk.reader, &by_hand, "by hand").await.unwrap();
    next.remediate().await.unwrap();
    let after = status(&desk, &next).await;
    assert_eq!((after.review.state.as_str(), after.probe.as_str()), ("COMPLETED", "refused"));
    assert!(after.remediations.iter().all(|act| act.state == "verified"));
    // It was signed to keep `listOrders`; of what was left by hand nothing was to stay.
    let reader = next.grant(&desk.robin, &desk.reader).await.unwrap();
    assert_eq!((reader.version, reader.status.as_str()), (3, "revoked"));
}

#[tokio::test]
async fn a_probe_of_a_suspended_identity_looks_at_its_grants() {
    let desk = Desk::new().await;
    desk.review().await;
    desk.decide_all().await;
    desk.app.suspend_identity(&desk.robin, "idle", "quiet").await.unwrap();
    let signed = desk.app.sign(&desk.robin, "machines", None).await.unwrap();
    assert_eq!((signed.review.state.as_str(), signed.probe.as_str()), ("COMPLETED", "refused"));
}

#[tokio::test]
async fn access_that_remains_by_another_grant_is_told() {
    let desk = Desk::new().await;
    let other = desk::grant(&desk.app, &desk.robin, "idle", &["listOrders", "getOrder"]).await;
    let items = desk.review().await;
    for item in &items {
        let verdict = if item.grant_id == desk.idle { "remove" } else { "keep" };
        desk.app.decide(&desk.robin, &item.id, note(verdict)).await.unwrap();
    }
    let signed = desk.app.sign(&desk.robin, "machines", None).await.unwrap();
    assert_eq!(signed.review.state, "COMPLETED");
    let told = signed.remediations[0].probe.clone().unwrap();
    assert!(told.ends_with(&format!("still pass by other grants: {other}")), "{told}");
}

#[tokio::test]
async fn nothing_is_proved_on_an_api_that_only_observes() {
    let desk = Desk::new().await;
    desk.review().await;
    desk.decide_all().await;
    desk.app.set_api_mode(&desk.robin, "orders", "observe").await.unwrap();
    let status = desk.app.sign(&desk.robin, "machines", None).await.unwrap();
    assert_eq!((status.review.state.as_str(), status.probe.as_str()), ("VERIFYING", "allowed"));
    assert!(status.blocked_by[0].contains("observe mode"), "{:?}", status.blocked_by);
    desk.app.set_api_mode(&desk.robin, "orders", "enforce").await.unwrap();
    desk.app.remediate().await.unwrap();
    let status = desk.app.review_status(&desk.robin, "machines").await.unwrap();
    assert_eq!((status.review.state.as_str(), status.probe.as_str()), ("COMPLETED", "refused"));
}
