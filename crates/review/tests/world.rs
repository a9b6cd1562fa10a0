//! The rules against synthetic organisations whose problems are known: every planted problem is
//! found, nothing else is, and no suggestion takes away what is needed.
//!
//! The generator is not part of this repository. It is looked for in `PORTREEVE_WORLD`, then in
//! `../shared/world` beside the workspace; without it the test says that it did not run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use base::Timestamp;
use portreeve_review::{self as review, Rule, Rules, detect, suggest};
use testkit::enterprise::Enterprise;

#[test]
fn seed_7_is_answered_exactly() {
    check(7);
}

#[test]
fn seed_23_is_answered_exactly() {
    check(23);
}

fn generator() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/world");
    let named = std::env::var_os("PORTREEVE_WORLD").map(PathBuf::from);
    [named, Some(beside)].into_iter().flatten().find(|dir| dir.join("generate.py").is_file())
}

fn check(seed: u32) {
    let Some(generator) = generator() else {
        eprintln!("world seed {seed}: NOT RUN, no generator (set PORTREEVE_WORLD)");
        return;
    };
    let folder =
        std::env::temp_dir().join(format!("portreeve-world-{seed}-{}", std::process::id()));
    generate(&generator, seed, &folder);
    let outcome = std::panic::catch_unwind(|| judge(&folder));
    std::fs::remove_dir_all(&folder).unwrap();
    if let Err(failed) = outcome {
        std::panic::resume_unwind(failed);
    }
}

fn generate(generator: &Path, seed: u32, folder: &Path) {
    let done = Command::new("python3")
        .arg("-B")
        .arg(generator.join("generate.py"))
        .args(["--seed", &seed.to_string(), "--scale", "0.25", "--out"])
        .arg(folder)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn judge(folder: &Path) {
    let world = Enterprise::read(folder).unwrap();
    walks(&world);
    let inventory = world.inventory().unwrap();
    let rules = Rules::default();
    let detection = detect(&inventory, &rules);
    let found: BTreeSet<_> = detection
        .findings
        .iter()
        .map(|f| (f.rule.as_str().to_owned(), f.subject.id().to_owned()))
        .collect();
    assert_eq!(found.len(), detection.findings.len(), "a pair is reported twice");
    let planted = world.planted(Rule::ALL).unwrap();
    let rules_planted: BTreeSet<_> = planted.iter().map(|(rule, _)| rule.as_str()).collect();
    assert_eq!(rules_planted.len(), Rule::ALL.len(), "a rule without a planted problem");
    assert_eq!(found, planted);

    let suggestions = suggest(&inventory, &rules);
    let score = world.score(&suggestions).unwrap();
    assert_eq!(score.needed_removed, 0, "{score:?}");
    assert_eq!(score.future_blocked, 0, "{score:?}");
    assert!(score.future_covered > 10_000, "{score:?}");
    assert!(score.excess_removed * 100 >= score.excess * 70, "{score:?}");
    eprintln!("{} findings, {} suggestions, {score:?}", found.len(), suggestions.len());
    write_for_the_judge(&detection.findings, &suggestions);
}

/// Every planted walk through objects is noticed, and nothing else is taken for one.
fn walks(world: &Enterprise) {
    let (mut walks, mut found) = (traffic::Walks::default(), BTreeMap::new());
    let see = &mut |record: &traffic::CallRecord| {
        walks.add(record);
        for walk in walks.take() {
            found.insert((walk.identity.clone(), walk.operation.clone(), walk.start), walk);
        }
    };
    world.records(see).unwrap();
    let planted = world.events(traffic::walk::KIND).unwrap();
    let hour = base::Span::from_secs(3_600);
    let hits = |walk: &traffic::Walk, (credential, start, end): &(String, Timestamp, Timestamp)| {
        let near = walk.start <= *end + hour && walk.end >= *start - hour;
        near && walk.credential.as_str() == credential
    };
    let missed: Vec<_> =
        planted.iter().filter(|event| !found.values().any(|walk| hits(walk, event))).collect();
    let wrong: Vec<_> =
        found.values().filter(|walk| !planted.iter().any(|event| hits(walk, event))).collect();
    eprintln!(
        "{} walks planted, {} told, {} missed, {} wrong",
        planted.len(),
        found.len(),
        missed.len(),
        wrong.len()
    );
    assert!(missed.is_empty() && wrong.is_empty(), "{missed:?}\n{wrong:#?}");
}

/// Leaves findings and suggestions where `PORTREEVE_WORLD_OUT` says, for the generator's own judge.
fn write_for_the_judge(findings: &[review::Finding], suggestions: &[review::Suggestion]) {
    let Some(out) = std::env::var_os("PORTREEVE_WORLD_OUT").map(PathBuf::from) else { return };
    let suggestions: Vec<_> = suggestions
        .iter()
        .map(|s| {
            serde_json::json!({"grant_id": s.grant, "operations": s.operations, "fields": null})
        })
        .collect();
    let write = |name: &str, rows: String| std::fs::write(out.join(name), rows).unwrap();
    write("findings.json", serde_json::to_string(findings).unwrap());
    write("suggestions.json", serde_json::to_string(&suggestions).unwrap());
}
