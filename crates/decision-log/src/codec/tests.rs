use std::net::{Ipv4Addr, Ipv6Addr};

use base::{GrantId, RequestId, Timestamp};
use identity::Binding;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use traffic::{FieldsSeen, Outcome, Reason, RolloutDifference, RolloutMark, RolloutSide};

use super::*;
use crate::wire::Malformed;

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9_]{1,20}",
        "r_[0-7][0-9a-hjkmnp-tv-z]{25}",
        // Look-alikes of generated ids.
        "r_[0-9a-z]{26}",
        "r_[0-9a-z]{25}",
    ]
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
        any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))),
    ]
}

prop_compose! {
    fn mark()(
        id in id(),
        governed_by in prop::sample::select(RolloutSide::ALL),
        difference in of(prop::sample::select(RolloutDifference::ALL)),
        reason in of(prop::sample::select(Reason::ALL)),
    ) -> RolloutMark {
        RolloutMark { id: id.parse().unwrap(), governed_by, difference, reason }
    }
}

prop_compose! {
    fn record()(
        request in id(),
        (at, duration_us, bytes_in, bytes_out, ruleset_version) in any::<(i64, u64, u64, u64, u64)>(),
        (identity, credential, api, operation) in (of(id()), of(id()), of(id()), of(id())),
        (method, path, agent) in ("[A-Z]{0,9}", ".{0,40}", of(".{0,40}")),
        source_ip in address(),
        outcome in prop::sample::select(Outcome::ALL),
        (reason, would_refuse) in (
            of(prop::sample::select(Reason::ALL)),
            of(prop::sample::select(Reason::ALL)),
        ),
        status in any::<u16>(),
        (grants, fields_removed) in (vec(id(), 0..4), vec(".{0,9}", 0..3)),
        violations in vec(".{0,9}", 0..3),
        seen in of((vec(".{0,9}", 0..3), any::<bool>(), any::<bool>())),
        rollout in of(mark()),
        binding in of(prop::sample::select(Binding::ALL)),
        guardrails in vec(".{0,9}", 0..3),
    ) -> CallRecord {
        CallRecord {
            request_id: RequestId::parse(&request).unwrap(),
            at: Timestamp::from_micros(at),
            duration_us,
            identity_id: identity.map(|id| id.parse().unwrap()),
            credential_id: credential.map(|id| id.parse().unwrap()),
            api_id: api.map(|id| id.parse().unwrap()),
            operation: operation.map(|id| id.parse().unwrap()),
            method,
            path,
            source_ip,
            user_agent: agent,
            outcome,
            reason,
            would_refuse,
            status,
            grant_ids: grants.iter().map(|id| GrantId::parse(id).unwrap()).collect(),
            fields_removed,
            violations,
            fields_seen: seen.map(|(paths, other, more)| FieldsSeen { paths, other, more }),
            bytes_in,
            bytes_out,
            ruleset_version,
            binding,
            rollout,
            guardrails,
        }
    }
}

proptest! {
    #[test]
    fn bytes_that_are_no_batch_are_refused_without_harm(
        payload in vec(any::<u8>(), 0..300),
        raw in 0usize..2_000,
        records in 0usize..50,
    ) {
        // Anything but a panic or an allocation beyond the stated length will do.
        drop(decode(&payload, raw, records));
    }

    #[test]
    fn a_damaged_batch_never_harms(
        records in vec(record(), 1..8),
        position in any::<prop::sample::Index>(),
        mask in 1u8..,
    ) {
        let mut encoder = Encoder::default();
        let encoded = encoder.encode(&records);
        let mut payload = encoded.payload.to_vec();
        let at = position.index(payload.len());
        payload[at] ^= mask;
        drop(decode(&payload, encoded.raw, records.len()));
    }

    #[test]
    fn a_batch_comes_back_as_it_was(records in vec(record(), 1..20)) {
        let mut encoder = Encoder::default();
        let encoded = encoder.encode(&records);
        prop_assert_eq!(decode(encoded.payload, encoded.raw, records.len()), Ok(records));
    }

    #[test]
    fn different_records_have_different_leaves(a in record(), b in record()) {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        leaf_bytes(&a, &mut left);
        leaf_bytes(&b, &mut right);
        prop_assert_eq!(a == b, left == right);
    }
}

#[test]
fn a_batch_that_claims_more_or_fewer_records_is_refused() {
    let mut encoder = Encoder::default();
    let record = record_of("r_00000000000000000000000000");
    let records = vec![record; 3];
    let encoded = encoder.encode(&records);
    for claimed in [0, 2, 4, usize::MAX] {
        assert!(decode(encoded.payload, encoded.raw, claimed).is_err(), "{claimed}");
    }
    assert!(decode(encoded.payload, encoded.raw + 1, 3).is_err());
    assert!(decode(encoded.payload, usize::MAX, 3).is_err());
}

#[test]
fn leaf_bytes_never_change_between_releases() {
    let mut bytes = Vec::new();
    leaf_bytes(&record_of("r_chosen"), &mut bytes);
    let expected = "0108725f63686f73656e80897a0700000000000003474554012f07616c6c6f776564\
                    047f000001c8010000000009";
    assert_eq!(base::encoding::to_hex(&bytes), expected);
    let violating = CallRecord { violations: vec!["x".to_owned()], ..record_of("r_chosen") };
    leaf_bytes(&violating, &mut bytes);
    let unchanged = expected.strip_prefix("01").unwrap();
    assert_eq!(base::encoding::to_hex(&bytes), format!("03{unchanged}0001010178"));
    let seen = FieldsSeen { paths: vec!["id".to_owned()], other: true, more: false };
    let received = CallRecord { fields_seen: Some(seen), ..record_of("r_chosen") };
    leaf_bytes(&received, &mut bytes);
    assert_eq!(base::encoding::to_hex(&bytes), format!("03{unchanged}00020301026964"));
    let mark = RolloutMark {
        id: "ro_1".parse().unwrap(),
        governed_by: RolloutSide::Present,
        difference: None,
        reason: None,
    };
    let marked = CallRecord { rollout: Some(mark), ..record_of("r_chosen") };
    leaf_bytes(&marked, &mut bytes);
    let mark = "0304726f5f310770726573656e740000";
    assert_eq!(base::encoding::to_hex(&bytes), format!("03{unchanged}00{mark}"));
    let bound = CallRecord { binding: Some(Binding::Dpop), ..record_of("r_chosen") };
    leaf_bytes(&bound, &mut bytes);
    assert_eq!(base::encoding::to_hex(&bytes), format!("03{unchanged}00040464706f70"));
    let forbidden = CallRecord { guardrails: vec!["g".to_owned()], ..record_of("r_chosen") };
    leaf_bytes(&forbidden, &mut bytes);
    assert_eq!(base::encoding::to_hex(&bytes), format!("03{unchanged}0005010167"));
    let both = CallRecord { violations: violating.violations, ..received };
    leaf_bytes(&both, &mut bytes);
    assert_eq!(base::encoding::to_hex(&bytes), format!("03{unchanged}0001010178020301026964"));
}

/// A batch of one record, as releases before violations wrote it.
const OLD_BATCH: &str = "f31b0408725f63686f73656e03474554012f07616c6c6f77656401047f0000010101000003\
                         80897a010701000200300201031700f00301040100010002c801010001000200000112";
const OLD_RAW: usize = 74;

#[test]
fn a_batch_of_an_older_release_is_read() {
    let payload = base::encoding::from_hex(OLD_BATCH).unwrap();
    let older = record_of("r_chosen");
    assert_eq!(decode(&payload, OLD_RAW, 1), Ok(vec![older.clone()]));
    let mut encoder = Encoder::default();
    assert_eq!(
        encoder.encode(&[older]).payload,
        payload,
        "and nothing new is written without need"
    );
}

#[test]
fn a_column_of_a_later_release_is_refused_and_not_passed_over() {
    let mut encoder = Encoder::default();
    let violating = CallRecord { violations: vec!["x".to_owned()], ..record_of("r_chosen") };
    let encoded = encoder.encode(std::slice::from_ref(&violating));
    let mut raw = vec![0; encoded.raw];
    lz4_flex::block::decompress_into(encoded.payload, &mut raw).unwrap();
    // The last column is its number, its length, and a count and one string.
    let at = raw.len() - 4;
    assert_eq!(raw[at], 1);
    raw[at] = 99;
    let packed = lz4_flex::block::compress(&raw);
    let why = Malformed("a batch has a column that is not known");
    assert_eq!(decode(&packed, raw.len(), 1), Err(why));
}

#[test]
fn what_was_written_before_it_was_known_what_callers_receive_is_read_with_its_violations() {
    // One record with a violation, not packed: the columns, then number, length, count, string.
    let written = "0508725f63686f73656e03474554012f07616c6c6f776564017801047f00000101010000038089\
                   7a01070100010001000100010201030101010001040100010002c8010100010002000001120102\
                   0105";
    let violating = CallRecord { violations: vec!["x".to_owned()], ..record_of("r_chosen") };
    let mut encoder = Encoder::default();
    let encoded = encoder.encode(std::slice::from_ref(&violating));
    let mut raw = vec![0; encoded.raw];
    lz4_flex::block::decompress_into(encoded.payload, &mut raw).unwrap();
    assert_eq!(base::encoding::to_hex(&raw), written);
    assert_eq!(decode(encoded.payload, encoded.raw, 1), Ok(vec![violating]));
}

#[test]
fn columns_that_come_twice_or_out_of_order_are_refused() {
    let seen = Some(FieldsSeen::default());
    let both =
        CallRecord { violations: vec!["x".to_owned()], fields_seen: seen, ..record_of("r_chosen") };
    let mut encoder = Encoder::default();
    let encoded = encoder.encode(std::slice::from_ref(&both));
    assert_eq!(decode(encoded.payload, encoded.raw, 1), Ok(vec![both]));
    let mut raw = vec![0; encoded.raw];
    lz4_flex::block::decompress_into(encoded.payload, &mut raw).unwrap();
    let [.., 1, 2, 1, _, 2, 2, 1, 0] = raw.as_slice() else { panic!("{raw:?}") };
    let at = raw.len();
    for (first, second) in [(2, 1), (1, 1), (2, 2)] {
        (raw[at - 8], raw[at - 4]) = (first, second);
        let packed = lz4_flex::block::compress(&raw);
        let why = Malformed("the columns of a batch are out of order");
        assert_eq!(decode(&packed, raw.len(), 1), Err(why), "{first} {second}");
    }
}

#[test]
fn what_was_written_before_it_was_known_what_callers_receive_is_read_and_written_the_same() {
    let mut second = record_of("r_chosen");
    second.would_refuse = Some(Reason::NoGrant);
    second.fields_removed = vec!["card".to_owned()];
    let records = vec![record_of("r_00000000000000000000000000"), second];
    let written = "f4260603474554012f07616c6c6f77656408725f63686f73656e086e6f5f6772616e7404636172\
                   6401047f00000102000402cf0f0a00000200b60480897a0002070702000003008001010202020201\
                   011200200303060060000504c801c81100c0030001060400000000021200";
    let digits: Vec<_> = written.bytes().map(|digit| char::from(digit).to_digit(16)).collect();
    let byte = |pair: &[Option<u32>]| (pair[0].unwrap() * 16 + pair[1].unwrap()) as u8;
    let written: Vec<u8> = digits.chunks(2).map(byte).collect();
    assert_eq!(decode(&written, 122, 2), Ok(records.clone()));
    let mut encoder = Encoder::default();
    let encoded = encoder.encode(&records);
    assert_eq!((encoded.payload, encoded.raw), (written.as_slice(), 122));
}

#[test]
fn marks_that_are_not_understood_are_refused() {
    let mut record = record_of("r_chosen");
    record.fields_seen = Some(FieldsSeen::default());
    let mut encoder = Encoder::default();
    let encoded = encoder.encode(std::slice::from_ref(&record));
    assert_eq!(decode(encoded.payload, encoded.raw, 1), Ok(vec![record]));
    let mut raw = vec![0; encoded.raw];
    lz4_flex::block::decompress_into(encoded.payload, &mut raw).unwrap();
    // The last column: its number, its length, the marks, the number of paths.
    let [.., 2, 2, 1, 0] = raw.as_slice() else { panic!("{raw:?}") };
    for marks in [2, 4, 6, 8, 9] {
        let at = raw.len() - 2;
        raw[at] = marks;
        let payload = lz4_flex::block::compress(&raw);
        assert!(decode(&payload, raw.len(), 1).is_err(), "{marks}");
    }
}

#[test]
fn a_column_that_is_not_known_is_refused() {
    let mut encoder = Encoder::default();
    let mut record = record_of("r_chosen");
    record.rollout = Some(RolloutMark {
        id: "ro_1".parse().unwrap(),
        governed_by: RolloutSide::Present,
        difference: None,
        reason: None,
    });
    let records = [record];
    let encoded = encoder.encode(&records);
    let mut raw = vec![0; encoded.raw];
    lz4_flex::block::decompress_into(encoded.payload, &mut raw).unwrap();
    assert_eq!(decode(encoded.payload, encoded.raw, 1).unwrap(), records);
    // The last column: its kind, its length, four numbers.
    let kind = raw.len() - 6;
    assert_eq!(raw[kind], 3);
    raw[kind] = 99;
    let packed = lz4_flex::block::compress(&raw);
    assert!(decode(&packed, raw.len(), 1).is_err());
}

pub(crate) fn record_of(request: &str) -> CallRecord {
    CallRecord {
        request_id: RequestId::parse(request).unwrap(),
        at: Timestamp::from_secs(1),
        duration_us: 7,
        identity_id: None,
        credential_id: None,
        api_id: None,
        operation: None,
        method: "GET".to_owned(),
        path: "/".to_owned(),
        source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        user_agent: None,
        outcome: Outcome::Allowed,
        reason: None,
        status: 200,
        grant_ids: Vec::new(),
        would_refuse: None,
        fields_removed: Vec::new(),
        violations: Vec::new(),
        fields_seen: None,
        guardrails: Vec::new(),
        bytes_in: 0,
        bytes_out: 0,
        ruleset_version: 9,
        binding: None,
        rollout: None,
    }
}
