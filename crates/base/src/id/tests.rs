use super::*;

struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
    }
}

#[test]
fn an_id_that_could_break_out_of_its_place_is_refused() {
    assert_eq!(GrantId::parse(""), Err(BadId::Empty));
    assert_eq!(GrantId::parse(&"x".repeat(ID_BYTES_MAX + 1)), Err(BadId::TooLong));
    for bad in ["a b", "a\nb", "a\0", "a'b", "a\"b", "a;b", "a<b", "é", "a%b", "a?b", "a#b", "a,b"]
    {
        assert!(matches!(GrantId::parse(bad), Err(BadId::BadCharacter(_))), "{bad:?}");
    }
}

#[test]
fn ids_that_people_choose_are_taken() {
    for good in
        ["robin", "svc-invoice-export", "group.a_b", "spiffe://corp.test/ns/a", "a@b.test", "~x+y"]
    {
        assert_eq!(IdentityId::parse(good).unwrap().as_str(), good);
    }
}

#[test]
fn generated_ids_sort_by_age_and_are_distinct() {
    let mut entropy = Counting(0);
    let older = RequestId::generate(Timestamp::from_secs(1_000), &mut entropy);
    let newer = RequestId::generate(Timestamp::from_secs(1_001), &mut entropy);
    let twin = RequestId::generate(Timestamp::from_secs(1_001), &mut entropy);
    assert!(older < newer, "{older} {newer}");
    assert_ne!(newer, twin);
    assert!(older.as_str().starts_with("r_") && older.as_str().len() == 28);
}

#[test]
fn a_bad_id_in_json_is_an_error_not_an_id() {
    assert!(serde_json::from_str::<GrantId>("\"a b\"").is_err());
    assert!(serde_json::from_str::<GrantId>("7").is_err());
    assert_eq!(serde_json::to_string(&GrantId::parse("g_1").unwrap()).unwrap(), "\"g_1\"");
}
