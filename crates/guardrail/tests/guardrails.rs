//! What guardrails refuse, and what is refused as a guardrail.

mod common;

use std::net::IpAddr;

use common::*;
use guardrail::Guardrails;
use identity::CredentialClass;
use policy::{Caller, Facts, Guard, Supposed, Verdict};

fn facts(request: &Asks) -> Facts<'_> {
    Facts::of(None, 0, request)
}

/// The reason and the guardrails of a refusal; `None` = allowed.
fn refusal(text: &str, what: &str, request: &Asks) -> Option<(&'static str, Vec<String>)> {
    match call(&town(text).0, what, facts(request)) {
        Ok(supposed) => {
            assert!(supposed.grants().is_some(), "asks for a body");
            None
        }
        Err(refusal) => Some((refusal.reason.as_str(), refusal.guardrails)),
    }
}

fn is_forbidden(text: &str, what: &str, request: &Asks) -> bool {
    match refusal(text, what, request) {
        None => false,
        Some(("forbidden_by_policy", ids)) => !ids.is_empty(),
        Some(("policy_error", why)) => panic!("{why:?}"),
        Some(other) => panic!("{other:?}"),
    }
}

/// All problems of one file, as they are shown.
fn problems(text: &str) -> String {
    let apis = [api("orders", &["get", "list", "pay!"])];
    match Guardrails::check(&rails(text), &apis) {
        Ok(()) => String::new(),
        Err(problems) => problems.iter().map(|one| format!("{one}\n")).collect(),
    }
}

#[test]
fn what_a_guardrail_forbids_no_grant_overrides() {
    let nothing = Asks::default();
    for text in [
        "forbid(principal, action, resource);",
        "forbid(principal == Identity::\"robin\", action == Action::\"orders/pay\", resource);",
        "forbid(principal in Group::\"clerks\", action in Action::\"orders\", resource);",
        "forbid(principal in Group::\"staff\", action in Action::\"orders/write\", resource);",
        "forbid(principal, action in Action::\"impact/low\", resource == Api::\"orders\");",
        "forbid(principal, action, resource) when { resource.name == \"orders\" };",
        "forbid(principal, action, resource) unless { principal has owner };",
        "forbid(principal, action, resource) when { context.week_minute < 1440 };",
        "forbid(principal, action, resource) when { context.strength == \"shared_secret\" };",
        "forbid(principal, action, resource) when { context.now < datetime(\"2027-01-01\") };",
        "forbid(principal, action, resource) when { resource.accept.contains(\"api_key\") };",
    ] {
        assert_eq!(problems(text), "", "{text}");
        assert!(is_forbidden(text, "orders/pay", &nothing), "{text}");
    }
    let by_id = "@id(\"no-pay\") forbid(principal, action == Action::\"orders/pay\", resource);\n\
                 forbid(principal, action, resource == Api::\"orders\");";
    let both = refusal(by_id, "orders/pay", &nothing).unwrap();
    assert_eq!(both, ("forbidden_by_policy", vec!["no-pay".into(), "rules.cedar#2".into()]));
}

#[test]
fn what_a_guardrail_does_not_forbid_passes() {
    let nothing = Asks::default();
    for text in [
        "forbid(principal, action == Action::\"orders/get\", resource);",
        "forbid(principal in Group::\"others\", action, resource);",
        "forbid(principal, action in Action::\"orders/read\", resource);",
        "forbid(principal, action, resource == Api::\"bills\");",
        "forbid(principal, action == Action::\"orders/pay\", resource == Api::\"bills\");",
        "forbid(principal, action, resource) unless { principal.kind == \"service_account\" };",
        "forbid(principal, action, resource) when { context has source };",
    ] {
        assert!(!is_forbidden(text, "orders/pay", &nothing), "{text}");
    }
}

#[test]
fn values_of_the_request_are_compared() {
    let text = "forbid(principal, action, resource) when {\
                context.path has tenant && context.path.tenant.contains(\"acme\") };\n\
                forbid(principal, action, resource) when {\
                context.header has \"x-debug\" && !context.header[\"x-debug\"].isEmpty() };";
    assert_eq!(problems(text), "");
    assert!(!is_forbidden(text, "orders/get", &Asks::default()));
    assert!(!is_forbidden(text, "orders/get", &Asks::default().with("path.tenant", &["x"])));
    assert!(is_forbidden(text, "orders/get", &Asks::default().with("path.tenant", &["acme"])));
    assert!(is_forbidden(text, "orders/get", &Asks::default().with("header.x-debug", &["1"])));
}

/// Else a guardrail about one object would refuse every list.
#[test]
fn a_parameter_that_an_operation_does_not_have_is_absent_and_refuses_nothing() {
    let text = "forbid(principal, action, resource) when {\
                context.path has tenant && context.path.tenant.contains(\"acme\") };";
    let at = |template: &str, path: &str| Asks {
        path: Some((Some(template.to_owned()), path.to_owned())),
        ..Asks::default()
    };
    let with = "/orders/get/{tenant}";
    assert!(is_forbidden(text, "orders/get", &at(with, "/orders/get/acme")));
    let broken = refusal(text, "orders/get", &at(with, "/orders/get/%ff")).unwrap();
    assert_eq!(broken.0, "policy_error");
    assert!(!is_forbidden(text, "orders/get", &at("/orders/get", "/orders/get")));
}

#[test]
fn a_mapped_address_is_the_address_that_it_maps() {
    let text = "forbid(principal, action, resource) when {\
                context has source && context.source.isInRange(ip(\"10.0.0.0/8\")) };";
    assert_eq!(problems(text), "");
    let (ruleset, _) = town(text);
    for (source, refused) in [("10.1.2.3", true), ("::ffff:10.1.2.3", true), ("fe80::1", false)] {
        let source: IpAddr = source.parse().unwrap();
        let facts = Facts { source: Some(source), ..Facts::unknown() };
        assert_eq!(call(&ruleset, "orders/get", facts).is_err(), refused, "{source}");
    }
}

#[test]
fn what_cannot_be_read_refuses_where_a_guardrail_looks_at_it() {
    let text = "@id(\"big\") forbid(principal in Group::\"clerks\", \
                action == Action::\"orders/pay\", resource) when { principal.kind != \"person\" \
                && context.body has amount && context.body.amount.contains(\"1000\") };";
    assert_eq!(problems(text), "");
    let broken = Asks { broken: true, ..Asks::default() };
    let (reason, why) = refusal(text, "orders/pay", &broken).unwrap();
    assert_eq!(reason, "ambiguous_body");
    assert_eq!(why, ["big: `body.amount` cannot be read"]);
    assert_eq!(refusal(text, "orders/get", &broken), None, "it is for another operation");
    let others = text.replace("clerks", "others");
    assert_eq!(refusal(&others, "orders/pay", &broken), None, "it is for other callers");
    let people = text.replace("!=", "==");
    assert_eq!(refusal(&people, "orders/pay", &broken), None, "it does not hold up to there");
}

#[test]
fn the_body_is_asked_for_only_where_it_can_decide() {
    let text = "forbid(principal, action == Action::\"orders/pay\", resource) when {\
                principal.kind == \"service_account\" && \
                context.body has amount && context.body.amount.contains(\"1000\") };";
    let later = Asks { later: true, ..Asks::default() };
    let needs_body = |text: &str, what: &str| {
        let said = call(&town(text).0, what, facts(&later));
        said.is_ok_and(|supposed: Supposed| supposed.grants().is_none())
    };
    assert!(needs_body(text, "orders/pay"));
    assert!(!needs_body(text, "orders/get"));
    assert!(!needs_body(&text.replace("service_account", "person"), "orders/pay"));
    let both = format!("{text} forbid(principal, action, resource);");
    assert!(call(&town(&both).0, "orders/pay", facts(&later)).is_err(), "it is refused already");
    assert!(is_forbidden(text, "orders/pay", &Asks::default().with("body.amount", &["1000"])));
    assert!(!is_forbidden(text, "orders/pay", &Asks::default().with("body.amount", &["10"])));
}

/// Absent claims would say that it does not apply; to read them would be an error.
#[test]
fn of_claims_that_nobody_kept_nothing_is_concluded() {
    let robin = "robin".parse().unwrap();
    let plain = "@id(\"none\") forbid(principal, action == Action::\"orders/pay\", resource);";
    let claims = "@id(\"temp\") forbid(principal, action == Action::\"orders/get\", resource) when {\
                  principal.kind == \"service_account\" && PART };";
    let says = |part: &str, what: &str| {
        let (ruleset, spy) = town(&format!("{plain} {}", claims.replace("PART", part)));
        let who = Caller::supposed(&robin, CredentialClass::ApiKey).without_claims_kept();
        let said = call_by(who, &ruleset, what, facts(&Asks::default()));
        let said = said.map(|supposed| supposed.grants().is_none());
        let explained = spy.1.lock().unwrap().clone();
        let temp = explained.into_iter().find(|one| one.id == "temp").unwrap().verdict;
        (said.map_err(|refusal| refusal.reason.as_str()), temp)
    };
    for part in [
        "context.claims has staff && context.claims.staff.contains(\"temp\")",
        "!(context.claims has staff)",
        "context.claims.staff.contains(\"temp\")",
        // Not judged without Cedar.
        "context.source.isLoopback() && context.claims.staff.contains(\"temp\")",
    ] {
        assert_eq!(says(part, "orders/get"), (Ok(true), Verdict::NeedsBody), "{part}");
        let open = says(part, "orders/list");
        assert_eq!(open.0, Ok(part.contains("isLoopback")), "{part}");
        let refused = says(part, "orders/pay").0;
        assert_eq!(refused, Err("forbidden_by_policy"), "what is certain comes first: {part}");
    }
    let settled = "principal.kind == \"person\" && context.claims has staff";
    assert_eq!(says(settled, "orders/get"), (Ok(false), Verdict::DoesNotApply));
}

/// Who sent it can mend it; what the gate cannot evaluate is not the caller's fault.
#[test]
fn a_body_that_cannot_be_read_is_refused_as_the_callers_and_only_where_it_would_be_looked_at() {
    let text = "forbid(principal, action == Action::\"orders/pay\", resource) when {\
                principal.kind == \"person\" && context.body has amount && \
                context.body.amount.contains(\"999\") };";
    let broken = Asks { broken: true, ..Asks::default() };
    let person = text.replace("\"person\"", "\"service_account\"");
    let reasons: Vec<_> = [text, person.as_str()]
        .iter()
        .filter_map(|text| refusal(text, "orders/pay", &broken))
        .collect();
    let [(reason, why)] = reasons.as_slice() else { panic!("{reasons:?}") };
    assert_eq!(*reason, "ambiguous_body");
    assert!(why[0].contains("`body.amount` cannot be read"), "{why:?}");
    assert_eq!(refusal(text, "orders/get", &broken), None);
    // What cannot be evaluated whatever the body stays what it is.
    let both = format!(
        "{text} {person} forbid(principal, action, resource) when {{ \
         context.draw + 9223372036854775807 > 5 }};"
    );
    let facts = Facts { draw: 1, ..Facts::of(None, 1, &broken) };
    let refused = call(&town(&both).0, "orders/pay", facts).unwrap_err();
    assert_eq!(refused.reason.as_str(), "policy_error");
}

#[test]
fn an_evaluation_error_refuses() {
    // Cedar skips what overflows, also a `forbid`.
    let text = "@id(\"sum\") forbid(principal, action, resource) when {\
                context.draw + 9223372036854775807 > 5 };";
    assert_eq!(problems(text), "", "the schema cannot know it");
    let (ruleset, _) = town(text);
    let facts = Facts { draw: 1, ..Facts::unknown() };
    let refusal = call(&ruleset, "orders/get", facts).unwrap_err();
    assert_eq!(refusal.reason.as_str(), "policy_error");
    assert!(refusal.guardrails.join("").contains("sum"), "{:?}", refusal.guardrails);
}

#[test]
fn a_set_that_does_not_compile_refuses_everything() {
    for text in ["forbid(principal", "", "permit(principal, action, resource);"] {
        let (reason, why) = refusal(text, "orders/get", &Asks::default()).unwrap();
        assert_eq!(reason, "policy_error", "{text}: {why:?}");
        assert!(Guardrails::compile(&rails(text)).fault().is_some());
    }
    assert!(Guardrails::compile(&grant::Guardrails::default()).fault().is_none(), "none is fine");
}

#[test]
fn what_is_no_guardrail_is_refused_with_its_place_and_a_hint() {
    let then = "\n\nforbid(principal, action, resource)\nwhen { ";
    for (text, said) in [
        ("", "rules.cedar: the file has no guardrail"),
        ("\n\npermit(principal, action, resource);", "rules.cedar:3: a guardrail only forbids"),
        ("\nforbid(principal, action)", "rules.cedar:2: "),
        ("\nforbid(principal == ?principal, action, resource);", "rules.cedar:2: a guardrail has"),
        ("\n@id(\"\") forbid(principal, action, resource);", "rules.cedar:2: `@id` is empty"),
        ("\n@portreeve(\"x\") forbid(principal, action, resource);", "rules.cedar:2: `@portr"),
        (&format!("{then}context.draw }};"), "rules.cedar:4: "),
        (&format!("{then}principal.ownr == \"robin\" }};"), "did you mean `owner`"),
        (&format!("{then}principal.owner == \"robin\" }};"), "rules.cedar:4: "),
        (&format!("{then}context.body.amount.contains(\"1\") }};"), "rules.cedar:4: "),
        (&format!("{then}context.path has tenent }};"), "did you mean `path.tenant`?"),
        (&format!("{then}context.body == {{}} }};"), "rules.cedar:3: `context.body` is taken"),
        (&format!("{then}principal.kind == 3 }};"), "rules.cedar:"),
        (&format!("{then}1 == 2 }};"), "can never hold"),
        ("forbid(principal, action == Action::\"orders/gte\", resource);", "did you mean"),
        ("forbid(principal is User, action, resource);", "User"),
    ] {
        let all = problems(text);
        assert!(all.contains(said), "{text}\n-> {all}");
    }
    let twice = "@id(\"a\") forbid(principal, action, resource);\n".repeat(2);
    assert!(problems(&twice).contains("rules.cedar:2: `a` is already the id"));
}

#[test]
fn what_is_wrong_for_every_operation_is_told_once() {
    for (text, said) in [
        ("forbid(principal, action, resource) when { context.nosuch == 1 };", "`context.nosuch`"),
        ("forbid(principal, action, resource) when { context.drew < 1 };", "`context.draw`"),
        ("forbid(principal, action, resource) when { context.draw == \"1\" };", "rules.cedar:1"),
        ("forbid(principal, action, resource) when { principal.nosuch == 1 };", "rules.cedar:1"),
    ] {
        let all = problems(text);
        assert!(all.contains(said), "{all}");
        assert_eq!(all.matches("rules.cedar:").count(), 1, "{all}");
    }
}

#[test]
fn a_word_or_number_that_is_never_there_is_told_with_the_nearest() {
    let of = |condition: &str| {
        let text = format!("forbid(principal, action, resource)\nwhen {{ {condition} }};");
        let all = Guardrails::impossible(&rails(&text));
        all.iter().map(|one| format!("{one}\n")).collect::<String>()
    };
    for (condition, said) in [
        ("principal.kind == \"servce_account\"", "did you mean `service_account`?"),
        ("\"servce_account\" != principal.kind", "did you mean `service_account`?"),
        ("principal.environment == \"prod\"", "`principal.environment` is never `prod`"),
        ("resource.impact == \"hihg\"", "did you mean `high`?"),
        ("resource.mode == \"enforced\"", "did you mean `enforce`?"),
        ("context.strength == \"weak\"", "it is one of shared_secret, "),
        ("context.credential_class == \"apikey\"", "did you mean `api_key`?"),
        ("context has binding && context.binding == \"tls\"", "did you mean `mtls`?"),
        ("[\"person\", \"robot\"].contains(principal.kind)", "`principal.kind` is never `robot`"),
        ("resource.accept.contains(\"key\")", "`resource.accept` is never `key`"),
        ("context.week_minute > 20000", "it is from 0 to 10079"),
        ("context.draw < -1", "compared with -1"),
    ] {
        assert!(of(condition).contains(said), "{condition}: {}", of(condition));
        assert!(of(condition).starts_with("rules.cedar:1: "), "{}", of(condition));
    }
    let fine = "principal.kind == \"person\" || resource.name == \"prod\" || \
                context.week_minute < 10080 || resource.environment == \"prod\" || \
                resource.accept.contains(context.credential_class)";
    assert_eq!(of(fine), "");
    let apart =
        "forbid(principal, action in Action::\"orders/write\", resource == Api::\"bills\");";
    assert_eq!(Guardrails::impossible(&rails(apart))[0].reason, "guardrail_impossible");
}

#[test]
fn the_entities_that_guardrails_name_are_known_with_their_places() {
    let text = "forbid(principal in Group::\"clerks\", action, resource == Api::\"orders\");\n\
                forbid(principal == Identity::\"robin\", action, resource) when {\n\
                principal in [Group::\"staff\"] || resource == Api::\"bills\" };";
    let named = Guardrails::named(&rails(text));
    let named: Vec<_> = named.iter().map(|one| (one.id.as_str(), one.place.as_str())).collect();
    let expected = [
        ("bills", "rules.cedar:2"),
        ("orders", "rules.cedar:1"),
        ("clerks", "rules.cedar:1"),
        ("staff", "rules.cedar:2"),
        ("robin", "rules.cedar:2"),
    ];
    assert_eq!(named, expected);
}

/// Read without a bound, each of these would end the process.
#[test]
fn a_guardrail_that_is_deeper_than_the_stack_is_refused_and_does_not_end_the_process() {
    for (open, close) in [("(", ")"), ("[", "]"), ("!", ""), ("if true then ", " else true")] {
        let deep = format!("{}true{}", open.repeat(100_000), close.repeat(100_000));
        let text = format!("forbid(principal, action, resource) when {{ {deep} }};");
        assert!(problems(&text).contains("brackets within each other"), "{open}");
        assert!(Guardrails::compile(&rails(&text)).fault().is_some(), "and never compiled");
    }
    let chain = format!("true{}", " && true".repeat(100_000));
    let text = format!("forbid(principal, action, resource) when {{ {chain} }};");
    assert!(problems(&text).contains("256 operators"));
    // As deep as the bounds allow, it is read, judged and explained.
    let most = format!("{}true{}{}", "(".repeat(30), ")".repeat(30), " && true".repeat(250));
    let text = format!("forbid(principal, action, resource) when {{ {most} }};");
    assert_eq!(problems(&text), "");
    assert!(is_forbidden(&text, "orders/pay", &Asks::default()));
}

#[test]
fn an_explanation_names_every_guardrail_of_the_api() {
    let text = "@id(\"a\") @reason(\"audit 7\") forbid(principal, action, resource);\n\
                @id(\"b\") forbid(principal in Group::\"others\", action, resource);\n\
                @id(\"c\") forbid(principal, action, resource) when { context.body has x };\n\
                @id(\"d\") forbid(principal, action, resource == Api::\"bills\");";
    let (ruleset, spy) = town(text);
    let later = Asks { later: true, ..Asks::default() };
    assert!(call(&ruleset, "orders/pay", facts(&later)).is_err());
    let said = spy.1.lock().unwrap().clone();
    let verdicts: Vec<_> = said.iter().map(|one| (one.id.as_str(), &one.verdict)).collect();
    let expected =
        [("a", &Verdict::Forbids), ("b", &Verdict::DoesNotApply), ("c", &Verdict::NeedsBody)];
    assert_eq!(verdicts, expected);
    assert_eq!(said[0].reason.as_deref(), Some("audit 7"));
    assert_eq!(said[0].place, "rules.cedar:1");
    assert!(said[0].text.contains("forbid(principal, action, resource);"));
}

#[test]
fn only_what_concerns_the_api_is_read() {
    let text = "forbid(principal, action in Action::\"orders\", resource) when {\
                context.body has amount };\n\
                forbid(principal, action == Action::\"bills/get\", resource) when {\
                context.query has all };\n\
                forbid(principal, action, resource) when { context.header has \"x-a\" };";
    let rails = Guardrails::compile(&rails(text));
    let reads = |api: &str| -> Vec<String> {
        rails.reads(&api.parse().unwrap()).iter().map(ToString::to_string).collect()
    };
    assert_eq!(reads("orders"), ["header.x-a", "body.amount"]);
    assert_eq!(reads("bills"), ["query.all", "header.x-a"]);
    assert_eq!(reads("other"), ["header.x-a"]);
}

#[test]
fn thousands_of_guardrails_for_others_are_not_looked_at() {
    use std::fmt::Write as _;
    let mut text = String::new();
    for number in 0..2_000 {
        let _ = writeln!(text, "forbid(principal, action in Action::\"a{number}\", resource);");
    }
    text.push_str("forbid(principal, action in Action::\"orders/write\", resource);\n");
    text.push_str("forbid(principal, action, resource == Api::\"orders\") when { false };\n");
    text.push_str("forbid(principal, action, resource) when { principal has vendor };\n");
    let (ruleset, spy) = town(&text);
    assert!(call(&ruleset, "orders/get", Facts::unknown()).is_ok());
    assert_eq!(spy.1.lock().unwrap().len(), 3);
}

#[test]
fn a_guardrail_on_a_relation_that_is_looked_up_is_refused_by_its_line_and_refuses() {
    let text = "forbid(principal, action, resource) when { context.draw == 1 };\n\
                forbid(principal, action, resource) when { principal.related has owner && \
                context.path has id && principal.related.owner.containsAll(context.path.id) };";
    let set = rails(text);
    let looked_up = std::collections::BTreeSet::from(["owner".to_owned(), "viewer".to_owned()]);
    let refused = Guardrails::ask_no_source(&set, &looked_up).unwrap_err();
    let told: Vec<_> = refused.iter().map(|problem| problem.place.as_deref().unwrap()).collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].ends_with(":2"), "{told:?}");
    assert_eq!(refused[0].reason, "relation_looked_up");
    assert_eq!(Guardrails::ask_no_source(&set, &[].into()), Ok(()));
    // One that came in by another node is an error, and an error refuses.
    let ruleset = town(text).0.looking_up(looked_up);
    let refused = call(&ruleset, "orders/get", facts(&Asks::default())).unwrap_err();
    assert_eq!(refused.reason.as_str(), "policy_error");
    assert!(refused.guardrails[0].contains("related.owner"), "{refused:?}");
}
