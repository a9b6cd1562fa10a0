use super::*;
use base::Secret;

fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(name, &Secret::new([3; 32])).unwrap()
}

#[test]
fn text_that_is_no_checkpoint_is_refused() {
    let root = STANDARD.encode([0; 32]);
    let bad = [
        String::new(),
        format!("log\n1\n{root}"),
        format!("log\n1\n{root}\nextension\n"),
        format!("\n1\n{root}\n"),
        format!("log\n01\n{root}\n"),
        format!("log\n-1\n{root}\n"),
        format!("log\n+1\n{root}\n"),
        "log\n1\nAAAA\n".to_owned(),
        "log\n1\n*\n".to_owned(),
    ];
    for text in bad {
        let found = Checkpoint::parse(&text);
        assert!(matches!(found, Err(CheckpointError::Malformed(_))), "{text:?}");
    }
}

#[test]
fn a_checkpoint_of_another_log_is_refused() {
    let key = key("ledger.example/a");
    let text = Checkpoint { origin: "ledger.example/b".into(), size: 1, root: Digest::ZERO }.text();
    let note = key.sign(&text).unwrap();
    let found = Checkpoint::open(&note, key.verifier());
    assert_eq!(found, Err(CheckpointError::OtherOrigin("ledger.example/b".into())));
}

#[test]
fn what_was_signed_is_read_back() {
    let key = key("ledger.example/a");
    let note = Checkpoint::sign(7, Digest::of(&[b"root"]), &key).unwrap();
    let head = Checkpoint::open(&note, key.verifier()).unwrap();
    assert_eq!((head.size, head.root), (7, Digest::of(&[b"root"])));
}

#[test]
fn the_example_of_the_specification_is_read() {
    let text =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let checkpoint = Checkpoint::parse(text).unwrap();
    assert_eq!(checkpoint.size, 20_852_163);
    assert_eq!(checkpoint.text(), text);
}
