use super::*;

#[test]
fn impact_follows_the_act_within_one_step_of_the_api() {
    use Impact::{High, Low, Medium};
    // method, mutating, admin -> on an API of low, medium, high impact
    let cases = [
        (Method::Get, false, false, [Low, Low, Medium]),
        (Method::Post, true, false, [Medium, Medium, Medium]),
        (Method::Post, false, false, [Low, Low, Medium]),
        (Method::Delete, true, false, [Medium, High, High]),
        (Method::Get, false, true, [Medium, High, High]),
    ];
    for (method, mutating, admin, expected) in cases {
        let found = [Low, Medium, High].map(|api| impact(method, mutating, admin, api));
        assert_eq!(found, expected, "{method} {mutating} {admin}");
    }
}
