use std::net::{Ipv4Addr, Ipv6Addr};

use base::{GrantId, RequestId, Timestamp};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use traffic::{Outcome, Reason, RolloutDifference, RolloutMark, RolloutSide};

use super::*;

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
        rollout in of(mark()),
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
            bytes_in,
            bytes_out,
            ruleset_version,
            rollout,
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
    assert_eq!(raw[kind], 1);
    raw[kind] = 2;
    let packed = lz4_flex::block::compress(&raw);
    assert!(decode(&packed, raw.len(), 1).is_err());
}

fn record_of(request: &str) -> CallRecord {
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
        bytes_in: 0,
        bytes_out: 0,
        ruleset_version: 9,
        rollout: None,
    }
}
