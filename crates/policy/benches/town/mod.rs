//! A population for benches: ten grants per identity over twenty APIs of twelve operations, every
//! tenth grant held by a group of some hundred.

use portreeve_policy::Change;

use super::common;

const APIS: u32 = 20;
const OPERATIONS: [&str; 12] =
    ["o0", "o1", "o2", "o3", "o4", "o5", "o6", "o7", "o8", "o9", "o10", "o11"];
const GROUP_SIZE: u32 = 100;

pub(crate) fn identities(grants: u32) -> u32 {
    (grants / 10).max(1)
}

pub(crate) fn name(identity: u32) -> String {
    format!("service-{identity}")
}

/// APIs, identities with one key each, groups, grants.
pub(crate) fn state(grants: u32) -> impl Iterator<Item = Change> {
    let people = identities(grants);
    let groups = people.div_ceil(GROUP_SIZE);
    let apis = (0..APIS).map(|n| Change::Api(common::api(&format!("orders{n}"), &OPERATIONS)));
    let identities = (0..people).flat_map(|n| {
        let name = name(n);
        [Change::Identity(common::identity(&name)), Change::Credential(common::credential(&name))]
    });
    let groups = (0..groups).map(move |group| {
        let members: Vec<String> =
            (group * GROUP_SIZE..((group + 1) * GROUP_SIZE).min(people)).map(name).collect();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        Change::Group(common::group(&format!("team-{group}"), &members))
    });
    let grants = (0..grants).map(move |n| {
        let holder = n % people;
        let subject =
            if n % 10 == 9 { format!("group:team-{}", holder / GROUP_SIZE) } else { name(holder) };
        let api = format!("orders{}", n / people % APIS);
        let from = usize::try_from(n % 9).unwrap_or(0);
        let covered = OPERATIONS.get(from..from + 3).unwrap_or_default();
        Change::Grant(common::grant(&format!("g_{n:026}"), &subject, &api, covered))
    });
    apis.chain(identities).chain(groups).chain(grants)
}
