use std::sync::Arc;

use super::*;
use crate::codec::tests::record_of;

#[test]
fn a_wake_up_without_cause_does_not_end_the_gathering() {
    let queue = Arc::new(Queue::new(100, 100, Duration::from_secs(600), WhenFull::Refuse));
    queue.push(record_of("r_one"), None).unwrap();
    let writer = std::thread::spawn({
        let queue = Arc::clone(&queue);
        move || queue.next(None).records.len()
    });
    while queue.lock().writer != Writer::Gathering {
        std::thread::yield_now();
    }
    queue.wake.notify_all();
    // Time for a writer that would take it for a call.
    std::thread::sleep(Duration::from_millis(50));
    queue.push(record_of("r_two"), None).unwrap();
    let (waiter, _told) = oneshot::channel();
    queue.ask(waiter, false).unwrap();
    assert_eq!(writer.join().unwrap(), 2);
}
