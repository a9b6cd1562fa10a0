use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Insert(u16, u32),
    Update(u16),
    Remove(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0u16..200;
    let step = prop_oneof![
        (key.clone(), any::<u32>()).prop_map(|(key, value)| Step::Insert(key, value)),
        key.clone().prop_map(Step::Update),
        key.prop_map(Step::Remove),
    ];
    proptest::collection::vec(step, 0..200)
}

proptest! {
    /// Says what an ordinary map says, and no earlier version sees a later change.
    #[test]
    fn is_a_map_whose_versions_stay(steps in steps()) {
        let mut shards: Shards<u16, u32> = Shards::default();
        let mut model: HashMap<u16, u32> = HashMap::new();
        let mut versions = Vec::new();
        for step in steps {
            versions.push((shards.clone(), model.clone()));
            match step {
                Step::Insert(key, value) => {
                    shards.insert(key, value);
                    model.insert(key, value);
                }
                Step::Update(key) => {
                    shards.update(&key, |value| *value = value.wrapping_add(1));
                    let value = model.entry(key).or_default();
                    *value = value.wrapping_add(1);
                }
                Step::Remove(key) => {
                    shards.remove(&key);
                    model.remove(&key);
                }
            }
        }
        versions.push((shards, model));
        for (shards, model) in versions {
            prop_assert_eq!(shards.len(), model.len());
            for key in 0..200 {
                prop_assert_eq!(shards.get(&key), model.get(&key));
            }
        }
    }
}

#[test]
fn a_change_shares_every_other_leaf() {
    let mut before: Shards<u32, u32> = Shards::default();
    (0..50_000).for_each(|key| before.insert(key, key));
    let mut after = before.clone();
    after.insert(7, 0);
    let leaves = |shards: &Shards<u32, u32>| -> Vec<*const HashTable<(u32, u32)>> {
        let branches = shards.root.iter().flatten();
        branches.flat_map(|branch| branch.iter().flatten().map(Arc::as_ptr)).collect()
    };
    let (old, new) = (leaves(&before), leaves(&after));
    assert!(old.len() > 4_000, "the keys spread over the leaves: {}", old.len());
    let differing = old.iter().zip(&new).filter(|(old, new)| old != new).count();
    assert_eq!(differing, 1);
}
