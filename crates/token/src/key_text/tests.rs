use super::*;

/// Counts up, so that every byte differs and runs are repeatable.
struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.0;
            self.0 = self.0.wrapping_add(37);
        }
    }
}

fn key() -> String {
    ApiKey::generate(KeyLabel::Live, &mut Counting(1)).expose().to_owned()
}

fn pepper(byte: u8) -> Pepper {
    Pepper::new(&[byte; 32]).unwrap()
}

#[test]
fn every_single_changed_character_is_refused() {
    let key = key();
    for (place, original) in key.char_indices() {
        for other in ['0', 'z', '_', '-', ' '].into_iter().filter(|other| *other != original) {
            let mut typo: Vec<char> = key.chars().collect();
            typo[place] = other;
            let typo: String = typo.into_iter().collect();
            assert!(ApiKey::parse(&typo).is_none(), "{other} at {place}");
        }
    }
}

#[test]
fn neighbours_swapped_are_refused() {
    let key = key();
    for place in 0..key.len() - 1 {
        let mut bytes = key.clone().into_bytes();
        bytes.swap(place, place + 1);
        let swapped = String::from_utf8(bytes).unwrap();
        assert_eq!(ApiKey::parse(&swapped).is_some(), swapped == key, "at {place}");
    }
}

#[test]
fn other_lengths_words_and_alphabets_are_refused() {
    let key = key();
    let cases = [
        String::new(),
        "pr_".to_owned(),
        "pr_live_".to_owned(),
        key.chars().take(key.len() - 1).collect(),
        format!("{key}0"),
        format!(" {key}"),
        key.replace("pr_live_", "pr_prod_"),
        key.replace("pr_live_", "xx_live_"),
        key.replace("pr_live_", "pr_live_é"),
        key.to_ascii_uppercase(),
    ];
    for text in cases {
        assert!(ApiKey::parse(&text).is_none(), "{text}");
    }
}

#[test]
fn admin_tokens_and_api_keys_do_not_pass_for_each_other() {
    let token = AdminToken::generate(&mut Counting(1));
    assert!(token.expose().starts_with("pr_admin_"));
    assert!(ApiKey::parse(token.expose()).is_none());
    assert!(AdminToken::parse(&key()).is_none());
    assert!(AdminToken::parse(token.expose()).is_some());
}

#[test]
fn a_key_is_read_back_and_found_by_the_same_hash() {
    for label in KeyLabel::ALL {
        let key = ApiKey::generate(*label, &mut Counting(9));
        assert!(key.expose().starts_with(&format!("pr_{label}_")));
        let read = ApiKey::parse(key.expose()).unwrap();
        assert_eq!(read.lookup(&pepper(1)), key.lookup(&pepper(1)));
        assert_ne!(read.lookup(&pepper(1)), key.lookup(&pepper(2)), "the pepper counts");
    }
}

#[test]
fn what_is_shown_of_a_key_is_not_the_key() {
    let key = ApiKey::generate(KeyLabel::Live, &mut Counting(1));
    let label = key.label();
    assert_eq!(label.chars().count(), 15);
    assert!(key.expose().starts_with(label.split('…').next().unwrap()));
    assert_eq!(format!("{key:?}"), format!("ApiKey({label})"));
    let token = AdminToken::generate(&mut Counting(1));
    assert!(!format!("{token:?}").contains(token.expose()));
}

#[test]
fn the_checksum_is_the_published_crc32() {
    // The check value that every description of CRC-32 gives.
    assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
}

#[test]
fn a_short_pepper_is_refused_and_none_is_printed() {
    assert_eq!(Pepper::new(&[7; 31]).unwrap_err().reason, "pepper_too_short");
    assert_eq!(format!("{:?}", pepper(7)), "[pepper]");
}

#[test]
fn purposes_keep_hashes_apart() {
    let pepper = pepper(3);
    assert_ne!(pepper.digest("session", b"x"), pepper.digest("sign_in", b"x"));
    assert_ne!(pepper.digest("a", b"bx"), pepper.digest("ab", b"x"));
}
