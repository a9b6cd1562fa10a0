use super::*;
use crate::proof::Tree;

/// Leaves and roots of the reference tests of Certificate Transparency.
pub(crate) const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
pub(crate) const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

pub(crate) fn reference_leaves() -> Vec<Digest> {
    LEAVES.iter().map(|leaf| leaf_hash(&base::encoding::from_hex(leaf).unwrap())).collect()
}

#[test]
fn a_frontier_with_a_subtree_too_few_is_refused() {
    assert!(Frontier::from_parts(3, vec![Digest::ZERO]).is_err());
    assert!(Frontier::from_parts(4, vec![Digest::ZERO; 2]).is_err());
    assert!(
        serde_json::from_str::<Frontier>(r#"{"size":1,"roots":[]}"#).is_err(),
        "also when it is read back"
    );
}

#[test]
fn frontier_and_tree_have_the_reference_roots() {
    let (mut frontier, mut tree) = (Frontier::default(), Tree::default());
    assert_eq!(frontier.root().to_hex(), ROOTS[0]);
    for (index, leaf) in reference_leaves().into_iter().enumerate() {
        frontier.push(leaf);
        tree.push(leaf);
        assert_eq!(frontier.root().to_hex(), ROOTS[index + 1]);
        assert_eq!(tree.root().to_hex(), ROOTS[index + 1]);
    }
}

#[test]
fn a_frontier_survives_being_stored_at_every_size() {
    let mut frontier = Frontier::default();
    for number in 0u32..70 {
        let stored = serde_json::to_string(&frontier).unwrap();
        let mut again: Frontier = serde_json::from_str(&stored).unwrap();
        assert_eq!(again, frontier);
        let leaf = leaf_hash(&number.to_be_bytes());
        again.push(leaf);
        frontier.push(leaf);
        assert_eq!(again.root(), frontier.root());
    }
}
