use super::*;

fn step(stage: Stage, share: u8) -> Step {
    Step { stage, share, at: Timestamp::from_secs(1), by: "robin".to_owned(), why: None }
}

fn rollout(first: Step) -> Rollout {
    Rollout {
        id: "ro_1".parse().unwrap(),
        version: 1,
        change: Value::Null,
        given: Vec::new(),
        edits: Vec::new(),
        base: 7,
        bound: Bound::default(),
        steps: vec![first],
    }
}

#[test]
fn what_is_over_goes_no_further() {
    for end in [Stage::All, Stage::Returned] {
        let ended = rollout(step(Stage::Shadow, 0)).step(step(end, 0)).unwrap();
        for next in [Stage::Share, Stage::All, Stage::Returned] {
            assert_eq!(ended.step(step(next, 50)), Err(NoStep::Over(end)));
        }
    }
}

#[test]
fn a_share_is_one_to_a_hundred_and_only_grows() {
    let open = rollout(step(Stage::Share, 10));
    for share in [0, 101, 255] {
        assert_eq!(open.step(step(Stage::Share, share)), Err(NoStep::BadShare), "{share}");
    }
    for share in [1, 10] {
        assert_eq!(open.step(step(Stage::Share, share)), Err(NoStep::NotFurther(10)), "{share}");
    }
    assert_eq!(open.step(step(Stage::Shadow, 0)), Err(NoStep::NotFurther(10)));
    let wider = open.step(step(Stage::Share, 100)).unwrap();
    assert_eq!((wider.share(), wider.version, wider.stage()), (100, 2, Stage::Share));
}

#[test]
fn the_bound_is_passed_by_one_more_than_it_says() {
    let bound = Bound { refusals: Some(3), percent: Some(5), ..Bound::default() };
    let tally = |governed, refused| Tally { governed, refused };
    assert_eq!(bound.passed_by(tally(3, 3)), None);
    assert!(bound.passed_by(tally(4, 4)).unwrap().contains("4 calls"));
    let parts = Bound { refusals: None, ..bound };
    assert_eq!(parts.passed_by(tally(99, 99)), None, "too few to speak of parts");
    assert_eq!(parts.passed_by(tally(100, 5)), None);
    assert!(parts.passed_by(tally(100, 6)).unwrap().contains("6 of 100"));
    let never = Bound { percent: None, ..parts };
    assert_eq!(never.passed_by(tally(u64::MAX, u64::MAX)), None);
}
