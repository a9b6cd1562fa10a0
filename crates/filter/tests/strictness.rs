//! What is JSON and what is not, beside another parser, whole and in pieces.

mod common;

use std::sync::Arc;

use common::{Dice, Style};
use filter::{Filter, Limits, Mode, Plan, Trouble, Watch};
use proptest::prelude::*;

/// Bytes that make trouble, more than their share.
const BYTES: &[u8] = b"{}[]:,\"\\ \n\t\r/0123456789-+.eEtrufalsn\0\x1f\x7f\x80\xbf\xc3\xa9\xe2\xed\xa0\xf0\xff\xef\xbb\xbf'x";

fn mutated(dice: &mut Dice, text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..dice.roll(4) {
        let at = dice.roll(bytes.len() + 1);
        match dice.roll(5) {
            0 => bytes.insert(at, dice.pick(BYTES)),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 if at < bytes.len() => bytes[at] = dice.pick(BYTES),
            3 => bytes.truncate(at),
            4 => bytes.splice(at..at, *b"\\ud83d").for_each(drop),
            _ => {}
        }
    }
    bytes
}

/// Whether the other parser takes the document. Where it is known to differ: it refuses halves of
/// surrogate pairs in values, which are grammatical and go on as they are written; and numbers that
/// it has no room for.
fn is_json(bytes: &[u8]) -> Option<bool> {
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(_) => Some(true),
        Err(error) => {
            let text = error.to_string();
            let differs = text.contains("surrogate")
                || text.contains("unexpected end of hex escape")
                || text.contains("number out of range");
            (!differs).then_some(false)
        }
    }
}

fn is_taken(plan: &Arc<Plan>, bytes: &[u8], next: impl FnMut() -> usize) -> bool {
    // What is withheld was read without a fault as far as it had to be.
    let done = common::run(common::filter(plan, Mode::Document), bytes, next);
    matches!(done, Ok(_) | Err(Trouble::Withheld | Trouble::Ambiguous))
}

proptest! {
    #![proptest_config(ProptestConfig {
        max_shrink_iters: 0,
        failure_persistence: None,
        ..ProptestConfig::with_cases(6_000)
    })]

    #[test]
    fn what_is_taken_is_what_another_parser_takes(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let style = dice.pick(&[Style::Compact, Style::Pretty, Style::Wild(seed)]);
        let text = common::document(&mut dice).write(style);
        let bytes = mutated(&mut dice, &text);
        if let Some(expected) = is_json(&bytes) {
            let all = Arc::new(Plan::everything());
            let shown = || String::from_utf8_lossy(&bytes).into_owned();
            prop_assert_eq!(is_taken(&all, &bytes, || bytes.len()), expected, "{}", shown());
            let most = dice.pick(&[1, 3, 20]);
            prop_assert_eq!(is_taken(&all, &bytes, || dice.roll(most) + 1), expected, "{}", shown());
            // also where it is not shown: in something that is removed whole
            let inside = [b"{\"removed\":[", bytes.as_slice(), b"],\"a\":1}"].concat();
            if let Some(expected) = is_json(&inside) {
                let some = common::plan(&[common::only(&["a"])]);
                prop_assert_eq!(is_taken(&some, &inside, || inside.len()), expected, "{}", shown());
                let taken = is_taken(&some, &inside, || dice.roll(most) + 1);
                prop_assert_eq!(taken, expected, "{}", shown());
            }
        }
    }

    #[test]
    fn any_bytes_are_judged_alike_however_they_come(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let alternatives: Vec<_> =
            (0..=dice.roll(3)).map(|_| common::alternative(&mut dice)).collect();
        let plan = common::plan(&alternatives);
        let mut bytes = Vec::new();
        for _ in 0..=dice.roll(3) {
            let text = common::document(&mut dice).write(Style::Compact);
            let prefix: &[u8] = dice.pick(&[b"", b"data: ", b"data:", b"id: 1\ndata: ", b"\n"]);
            bytes.extend_from_slice(prefix);
            bytes.extend(mutated(&mut dice, &text));
            let end: &[u8] = dice.pick(&[b"\n", b"\n\n", b"\r\n\r\n", b"\r\r"]);
            bytes.extend_from_slice(end);
        }
        for mode in [Mode::Document, Mode::Lines, Mode::Events] {
            let filter = || Filter::new(Arc::clone(&plan), mode, Limits::default());
            let whole = common::run(filter(), &bytes, || bytes.len());
            let pieces = common::run(filter(), &bytes, || dice.roll(5) + 1);
            prop_assert!(
                whole == pieces || (whole.is_err() && pieces.is_err()),
                "{:?}\n{:?}\n{whole:?}\n{pieces:?}", mode, String::from_utf8_lossy(&bytes)
            );
            let mut watch = Watch::new(mode, Limits::default());
            let watched = watch.push(&bytes).and_then(|()| watch.finish());
            prop_assert!(watched.is_ok() || mode != Mode::Document || is_json(&bytes) != Some(true));
        }
    }
}
