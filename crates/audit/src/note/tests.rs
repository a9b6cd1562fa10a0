use super::*;

/// Key, text and note of the tests of golang.org/x/mod/sumdb/note.
const SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const VERIFIER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
const SIGNATURE: &str = "\u{2014} PeterNeumann \
    x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn peter() -> SigningKey {
    let seed = STANDARD.decode(SEED).unwrap()[1..].try_into().unwrap();
    SigningKey::from_seed("PeterNeumann", &Secret::new(seed)).unwrap()
}

fn note() -> String {
    format!("{TEXT}\n{SIGNATURE}")
}

fn verifier() -> VerifierKey {
    VERIFIER.parse().unwrap()
}

#[test]
fn a_text_that_cannot_be_a_note_is_not_signed() {
    assert_eq!(peter().sign("no newline"), Err(NoteError::BadText));
    assert_eq!(peter().sign("tab\there\n"), Err(NoteError::BadText));
    assert!(SigningKey::from_seed("a b", &Secret::new([1; 32])).is_err());
    assert!(SigningKey::from_seed("a+b", &Secret::new([1; 32])).is_err());
    assert!(SigningKey::from_seed("", &Secret::new([1; 32])).is_err());
}

#[test]
fn a_verifier_key_with_a_wrong_hash_type_or_length_is_refused() {
    let wrong_hash = VERIFIER.replace("c74f20a3", "c74f20a4").parse::<VerifierKey>();
    assert_eq!(wrong_hash, Err(NoteError::KeyHashMismatch));
    for text in ["", "name", "name+c74f20a3", "name+c74f20a3+AQ==", "name+c74f20a3+%%"] {
        assert_eq!(text.parse::<VerifierKey>(), Err(NoteError::BadVerifierKey), "{text}");
    }
    let cosigner = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";
    assert_eq!(cosigner.parse::<VerifierKey>(), Err(NoteError::BadVerifierKey));
}

#[test]
fn a_changed_text_is_refused() {
    let changed = note().replace("problem,", "problem.");
    assert!(matches!(verifier().open(&changed), Err(NoteError::BadSignature(_))));
}

#[test]
fn a_note_of_nobody_known_is_refused() {
    let other = SigningKey::from_seed("PeterNeumann", &Secret::new([7; 32])).unwrap();
    let theirs = other.sign(TEXT).unwrap();
    assert!(matches!(verifier().open(&theirs), Err(NoteError::Unsigned(_))));
}

#[test]
fn what_is_no_note_is_refused() {
    let missing_newline = note().trim_end().to_owned();
    let no_dash = note().replace('\u{2014}', "-");
    for text in ["", TEXT, "a\n\n", &missing_newline, &no_dash] {
        assert_eq!(verifier().open(text), Err(NoteError::Malformed), "{text}");
    }
}

#[test]
fn a_note_with_a_second_signature_is_not_signed_alone() {
    let witness = SigningKey::from_seed("witness", &Secret::new([9; 32])).unwrap();
    let line = witness.sign(TEXT).unwrap().rsplit_once("\n\n").unwrap().1.to_owned();
    let both = format!("{}{line}", note());
    assert_eq!(verifier().open(&both), Ok(TEXT), "a witness is welcome");
    assert_eq!(verifier().open_alone(&both), Err(NoteError::Malformed));
}

#[test]
fn notes_are_those_of_the_reference_implementation() {
    assert_eq!(peter().sign(TEXT).unwrap(), note());
    assert_eq!(peter().verifier().to_string(), VERIFIER);
    assert_eq!(verifier().open(&note()), Ok(TEXT));
}

#[test]
fn a_signing_key_does_not_show_its_seed() {
    let shown = format!("{:?}", peter());
    assert_eq!(shown, format!("SigningKey({VERIFIER:?})"));
}
