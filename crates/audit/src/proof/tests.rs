use super::*;
use crate::tree::leaf_hash;
use crate::tree::tests::{ROOTS, reference_leaves};

fn tree_of(size: u32) -> Tree {
    (0..size).map(|number| leaf_hash(&number.to_be_bytes())).collect()
}

fn digest(hex: &str) -> Digest {
    Digest::from_hex(hex).unwrap()
}

#[test]
fn a_proof_fits_no_other_leaf_position_size_or_root() {
    let tree = tree_of(13);
    for index in 0..13u32 {
        let leaf = leaf_hash(&index.to_be_bytes());
        let path = tree.inclusion(index.into(), 13).unwrap();
        let fits = |leaf, index, size, path: &[Digest], root| {
            verify_inclusion(leaf, index, size, path, &root)
        };
        assert!(fits(leaf, index.into(), 13, &path, tree.root()));
        assert!(!fits(Digest::ZERO, index.into(), 13, &path, tree.root()));
        assert!(!fits(leaf, u64::from(index) ^ 1, 13, &path, tree.root()));
        assert!(!fits(leaf, index.into(), 13, &path, Digest::ZERO));
        assert!(!fits(leaf, index.into(), 13, &path[1..], tree.root()), "a hash short");
        let long: Vec<_> = path.iter().copied().chain([Digest::ZERO]).collect();
        assert!(!fits(leaf, index.into(), 13, &long, tree.root()), "a hash long");
        assert!(!fits(leaf, 13, 13, &path, tree.root()), "past the end");
    }
}

#[test]
fn there_is_no_proof_past_the_end_of_the_tree() {
    let tree = tree_of(5);
    assert_eq!(tree.inclusion(5, 5), None);
    assert_eq!(tree.inclusion(0, 6), None);
    assert_eq!(tree.consistency(3, 6), None);
    assert_eq!(tree.consistency(4, 3), None);
    assert_eq!(tree.root_at(6), None);
}

#[test]
fn a_tree_that_was_rewritten_is_not_consistent() {
    let tree = tree_of(11);
    let mut leaves: Vec<_> = (0..11u32).map(|n| leaf_hash(&n.to_be_bytes())).collect();
    leaves[2] = Digest::ZERO;
    let rewritten: Tree = leaves.into_iter().collect();
    for old in 3..11 {
        let (old_root, new_root) = (tree.root_at(old).unwrap(), rewritten.root());
        let path = rewritten.consistency(old, 11).unwrap();
        assert!(!verify_consistency(old, 11, &path, &old_root, &new_root), "from {old}");
    }
}

#[test]
fn every_proof_between_sizes_up_to_forty_holds() {
    let tree = tree_of(40);
    for new in 0..=40 {
        let new_root = tree.root_at(new).unwrap();
        for old in 0..=new {
            let path = tree.consistency(old, new).unwrap();
            let old_root = tree.root_at(old).unwrap();
            assert!(verify_consistency(old, new, &path, &old_root, &new_root), "{old} to {new}");
            let mut damaged = path.clone();
            if let Some(last) = damaged.last_mut() {
                last.0[31] ^= 1;
                let holds = verify_consistency(old, new, &damaged, &old_root, &new_root);
                assert!(!holds, "{old} to {new}, damaged");
            }
        }
        for index in 0..new {
            let path = tree.inclusion(index, new).unwrap();
            let leaf = leaf_hash(&u32::try_from(index).unwrap().to_be_bytes());
            assert!(verify_inclusion(leaf, index, new, &path, &new_root), "{index} in {new}");
        }
    }
}

#[test]
fn consistency_proofs_are_those_of_the_reference() {
    let tree: Tree = reference_leaves().into_iter().collect();
    let path = tree.consistency(6, 8).unwrap();
    let expected = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    assert_eq!(path, expected.map(digest));
    assert!(verify_consistency(6, 8, &path, &digest(ROOTS[6]), &digest(ROOTS[8])));
}
