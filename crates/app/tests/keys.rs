//! Keys, sign-in links, sessions and admin tokens: what bears a secret.

use app::view::NewCredential;
use app::{Actor, Role};
use base::problem::ProblemKind::{self, Conflict, Forbidden, Invalid, NotFound, Unauthenticated};
use base::{Problem, Span};
use portreeve_app as app;
use testkit::World;
use testkit::world::keys;

fn refusal<T: std::fmt::Debug>(answer: Result<T, Problem>) -> (ProblemKind, String) {
    let problem = answer.unwrap_err();
    (problem.kind, problem.reason)
}

fn key_for(identity: &str) -> NewCredential {
    NewCredential { identity: identity.to_owned(), ..NewCredential::default() }
}

fn subject_for(identity: &str, issuer: &str, subject: &str) -> NewCredential {
    NewCredential {
        class: Some("issuer_subject".to_owned()),
        issuer: Some(issuer.to_owned()),
        subject: Some(subject.to_owned()),
        ..key_for(identity)
    }
}

/// `kim` owns `billing`.
async fn world() -> (World, Actor) {
    let world = World::new().await;
    let kim = world.member("kim").await;
    world.service("billing", Some("kim")).await;
    (world, kim)
}

/// Whether the gate takes the key now.
fn gate_takes(world: &World, key: &str) -> bool {
    let ruleset = world.app.ruleset().load();
    let now = base::Clock::now(&world.clock);
    token::verify_key(key, &keys().pepper, ruleset.as_ref(), now).is_ok()
}

fn certificate_for(identity: &str, pem: &str) -> NewCredential {
    NewCredential {
        class: Some("certificate".to_owned()),
        certificate: Some(pem.to_owned()),
        ..key_for(identity)
    }
}

/// A certificate in PEM, and its key; until a day of this year.
fn certificate(year: i32, is_authority: bool) -> (rcgen::Certificate, rcgen::KeyPair) {
    let mut params = rcgen::CertificateParams::new(vec!["billing.example".to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "billing");
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    if is_authority {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    }
    let key = rcgen::KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap(), key)
}

#[tokio::test]
async fn a_text_that_is_no_certificate_of_a_client_is_not_registered() {
    let (world, kim) = world().await;
    let (good, key) = certificate(2050, false);
    let with_key = format!("{}{}", good.pem(), key.serialize_pem());
    let (ended, _) = certificate(2021, false);
    let (authority, _) = certificate(2050, true);
    let cut = good.pem().replace("A", "");
    let cases = [
        (String::new(), "bad_certificate"),
        ("nonsense".to_owned(), "bad_certificate"),
        (cut, "bad_certificate"),
        (good.pem().repeat(200), "too_long"),
        (with_key, "private_key"),
        (ended.pem(), "certificate_ended"),
        (authority.pem(), "not_a_client"),
    ];
    for (pem, reason) in cases {
        let answer = world.app.issue_key(&kim, certificate_for("billing", &pem)).await;
        assert_eq!(refusal(answer), (Invalid, reason.to_owned()), "{pem}");
    }
    let nothing = NewCredential { class: Some("certificate".to_owned()), ..key_for("billing") };
    let answer = world.app.issue_key(&kim, nothing).await;
    assert_eq!(refusal(answer), (Invalid, "missing".to_owned()));
    let key = NewCredential { certificate: Some(good.pem()), ..key_for("billing") };
    let answer = world.app.issue_key(&kim, key).await;
    assert_eq!(refusal(answer), (Invalid, "not_for_this_class".to_owned()));
}

#[tokio::test]
async fn a_registered_certificate_proves_one_identity_until_it_ends() {
    let (world, kim) = world().await;
    world.service("other", Some("kim")).await;
    let (made, _) = certificate(2050, false);
    let new = certificate_for("billing", &made.pem());
    let issued = world.app.issue_key(&kim, new).await.unwrap();
    assert_eq!(issued.key, None, "there is no secret");
    assert!(
        issued.credential.label.starts_with("CN=billing sha256:"),
        "{}",
        issued.credential.label
    );
    let lookup = base::Digest::of(&[made.der().as_ref()]);
    let ruleset = world.app.ruleset().load();
    let now = base::Clock::now(&world.clock);
    let who = token::verify_certificate(&lookup, ruleset.as_ref(), now).unwrap();
    assert_eq!(who.identity().as_str(), "billing");
    let again = world.app.issue_key(&kim, certificate_for("other", &made.pem())).await;
    assert_eq!(refusal(again), (Conflict, "already_bound".to_owned()));
    // It ends with the certificate, however long was asked for.
    let year = year_of(now);
    let (short, _) = certificate(year + 1, false);
    let long = NewCredential {
        expires_in: Some("365d".to_owned()),
        ..certificate_for("other", &short.pem())
    };
    let issued = world.app.issue_key(&kim, long).await.unwrap();
    let end = issued.credential.expires_at.unwrap();
    assert!(end.starts_with(&format!("{}-01-01", year + 1)), "{end}");
}

fn year_of(now: base::Timestamp) -> i32 {
    now.to_string().get(..4).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_key_is_not_issued_for_the_unknown_the_forbidden_or_too_long() {
    let (world, kim) = world().await;
    world.service("other", Some("robin")).await;
    let long = NewCredential { expires_in: Some("366d".to_owned()), ..key_for("billing") };
    let none = NewCredential { expires_in: Some("0s".to_owned()), ..key_for("billing") };
    let class = NewCredential { class: Some("client_secret".to_owned()), ..key_for("billing") };
    let mixed = NewCredential { subject: Some("x".to_owned()), ..key_for("billing") };
    let rotates = NewCredential { rotates: Some("cred_x".to_owned()), ..key_for("billing") };
    let cases = [
        (key_for("ghost"), (NotFound, "not_found")),
        (key_for("other"), (NotFound, "not_found")),
        (key_for("kim"), (Forbidden, "not_allowed")),
        (long, (Invalid, "lifetime_too_long")),
        (none, (Invalid, "bad_duration")),
        (class, (Invalid, "class_not_issued")),
        (mixed, (Invalid, "not_for_this_class")),
        (rotates, (NotFound, "not_found")),
        (subject_for("billing", "nobody", "x"), (Invalid, "unknown_issuer")),
        (subject_for("billing", "login", ""), (Invalid, "bad_subject")),
    ];
    for (new, (kind, reason)) in cases {
        let answer = world.app.issue_key(&kim, new).await;
        assert_eq!(refusal(answer), (kind, reason.to_owned()));
    }
    world.app.suspend_identity(&kim, "billing", "").await.unwrap();
    let answer = world.app.issue_key(&kim, key_for("billing")).await;
    assert_eq!(refusal(answer), (Conflict, "identity_inactive".to_owned()));
    assert!(world.app.keys(&world.admin, None).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_key_is_taken_until_revoked_or_expired_and_revoked_once() {
    let (world, kim) = world().await;
    let stranger = world.member("mia").await;
    let issued = world.app.issue_key(&kim, key_for("billing")).await.unwrap();
    let key = issued.key.clone().unwrap();
    assert!(key.starts_with("pr_test_"), "{key}");
    assert!(gate_takes(&world, &key));
    let id = &issued.credential.id;
    assert_eq!(refusal(world.app.revoke_key(&stranger, id, "").await).0, NotFound);
    assert_eq!(refusal(world.app.revoke_key(&kim, "cred_x", "").await).0, NotFound);

    world.app.revoke_key(&kim, id, "leaked").await.unwrap();
    assert!(!gate_takes(&world, &key));
    let again = world.app.revoke_key(&kim, id, "").await;
    assert_eq!(refusal(again), (Conflict, "already_revoked".to_owned()));

    let short = NewCredential { expires_in: Some("1h".to_owned()), ..key_for("billing") };
    let short = world.app.issue_key(&kim, short).await.unwrap().key.unwrap();
    assert!(gate_takes(&world, &short));
    world.clock.advance(Span::from_secs(3600));
    assert!(!gate_takes(&world, &short));
}

#[tokio::test]
async fn a_key_stands_nowhere_but_in_the_answer() {
    let (world, kim) = world().await;
    let issued = world.app.issue_key(&kim, key_for("billing")).await.unwrap();
    let shown = format!("{issued:?}");
    let key = issued.key.unwrap();
    assert!(shown.contains(&issued.credential.id) && !shown.contains(&key), "{shown}");
    let code = world.app.sign_in_link(&world.admin, "kim").await.unwrap();
    let session = world.app.redeem(&code).await.unwrap();
    let token = world.app.issue_admin_token(&world.admin, "kim", Role::Member).await.unwrap();
    assert!(!format!("{session:?}").contains(&session.cookie));
    let signed_in = world.app.session(&session.cookie).await.unwrap();
    assert!(!format!("{signed_in:?}").contains(&signed_in.csrf));
    let file = world.database.url.strip_prefix("sqlite:").unwrap();
    let mut bytes = std::fs::read(file).unwrap();
    bytes.extend(std::fs::read(format!("{file}-wal")).unwrap());
    assert!(find(&bytes, issued.credential.label.as_bytes()), "the label is there to be found");
    for secret in [&key, &code, &session.cookie, &token] {
        assert!(!find(&bytes, secret.as_bytes()), "{}", &secret[..12]);
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test]
async fn a_rotation_overlaps_and_names_what_it_replaces() {
    let (world, kim) = world().await;
    let old = world.app.issue_key(&kim, key_for("billing")).await.unwrap();
    let rotates = NewCredential { rotates: Some(old.credential.id.clone()), ..key_for("billing") };
    let new = world.app.issue_key(&kim, rotates.clone()).await.unwrap();
    assert!(gate_takes(&world, &old.key.unwrap()) && gate_takes(&world, &new.key.unwrap()));
    world.app.revoke_key(&kim, &old.credential.id, "rotated").await.unwrap();
    let late = world.app.issue_key(&kim, rotates).await;
    assert_eq!(refusal(late), (Conflict, "already_revoked".to_owned()));
}

#[tokio::test]
async fn a_subject_of_an_issuer_proves_one_identity_at_a_time() {
    let (world, kim) = world().await;
    world.service("second", Some("kim")).await;
    let first = world.app.issue_key(&kim, subject_for("billing", "login", "u-1")).await.unwrap();
    assert_eq!((first.credential.label.as_str(), first.key), ("login#u-1", None));
    let by_iss = subject_for("second", "https://login.example.test", "u-1");
    let taken = world.app.issue_key(&kim, by_iss.clone()).await;
    assert_eq!(refusal(taken), (Conflict, "already_bound".to_owned()));
    world.app.revoke_key(&kim, &first.credential.id, "").await.unwrap();
    world.app.issue_key(&kim, by_iss).await.unwrap();
}

#[tokio::test]
async fn a_sign_in_code_works_once_in_its_time_for_active_people() {
    let (world, kim) = world().await;
    let app = &world.app;
    let bad = (Unauthenticated, "bad_sign_in_code".to_owned());
    assert_eq!(refusal(app.redeem("").await), bad);
    assert_eq!(refusal(app.redeem("guess").await), bad);
    let machine = app.sign_in_link(&world.admin, "billing").await;
    assert_eq!(refusal(machine), (Conflict, "not_a_person".to_owned()));
    assert_eq!(refusal(app.sign_in_link(&kim, "kim").await).0, Forbidden);

    let late = app.sign_in_link(&world.admin, "kim").await.unwrap();
    world.clock.advance(Span::from_secs(15 * 60));
    assert_eq!(refusal(app.redeem(&late).await), bad);

    let code = app.sign_in_link(&world.admin, "kim").await.unwrap();
    let (one, other) = tokio::join!(app.redeem(&code), app.redeem(&code));
    assert!(one.is_ok() != other.is_ok(), "exactly one of two gets the session");
    assert_eq!(refusal(app.redeem(&code).await), bad);

    let code = app.sign_in_link(&world.admin, "kim").await.unwrap();
    app.suspend_identity(&world.admin, "kim", "").await.unwrap();
    assert_eq!(refusal(app.redeem(&code).await), (Conflict, "identity_inactive".to_owned()));
}

#[tokio::test]
async fn a_session_ends_by_sign_out_idleness_age_and_suspension() {
    let (world, _) = world().await;
    let app = &world.app;
    let open = async || {
        let code = app.sign_in_link(&world.admin, "kim").await.unwrap();
        app.redeem(&code).await.unwrap().cookie
    };
    let signed_out = (Unauthenticated, "signed_out".to_owned());
    assert_eq!(refusal(app.session("forged").await), signed_out);

    let cookie = open().await;
    let session = app.session(&cookie).await.unwrap();
    assert_eq!((session.actor.id.as_str(), session.actor.role), ("kim", Role::Member));
    app.sign_out(&cookie).await.unwrap();
    app.sign_out(&cookie).await.unwrap();
    assert_eq!(refusal(app.session(&cookie).await), signed_out);

    let cookie = open().await;
    world.clock.advance(Span::from_secs(3600));
    assert_eq!(refusal(app.session(&cookie).await), signed_out, "idle for an hour");

    let cookie = open().await;
    for _ in 0..23 {
        world.clock.advance(Span::from_secs(1800));
        app.session(&cookie).await.unwrap();
    }
    world.clock.advance(Span::from_secs(1800));
    assert_eq!(refusal(app.session(&cookie).await), signed_out, "older than twelve hours");

    let cookie = open().await;
    app.suspend_identity(&world.admin, "kim", "").await.unwrap();
    assert_eq!(refusal(app.session(&cookie).await), signed_out);
}

#[tokio::test]
async fn a_role_is_looked_up_at_each_request() {
    let world = World::builder()
        .settings(|settings| settings.auditors = vec!["group:audit".to_owned()])
        .open()
        .await;
    world.member("kim").await;
    let code = world.app.sign_in_link(&world.admin, "kim").await.unwrap();
    let cookie = world.app.redeem(&code).await.unwrap().cookie;
    let role = async || world.app.session(&cookie).await.unwrap().actor.role;
    assert_eq!(role().await, Role::Member);
    let group = async |members: &[String]| {
        world.app.put_group(&world.admin, "audit", "Audit", members, &[]).await.unwrap();
    };
    group(&["kim".to_owned()]).await;
    assert_eq!(role().await, Role::Auditor);
    group(&[]).await;
    assert_eq!(role().await, Role::Member);
}

#[tokio::test]
async fn csrf_tokens_differ_between_sessions_and_are_stable_within_one() {
    let (world, _) = world().await;
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let code = world.app.sign_in_link(&world.admin, "kim").await.unwrap();
        let cookie = world.app.redeem(&code).await.unwrap().cookie;
        let first = world.app.session(&cookie).await.unwrap().csrf;
        assert_eq!(first, world.app.session(&cookie).await.unwrap().csrf);
        assert!(!first.contains(&cookie));
        tokens.push(first);
    }
    assert_ne!(tokens[0], tokens[1]);
}

#[tokio::test]
async fn an_admin_token_acts_with_its_role_until_its_identity_stops() {
    let (world, _) = world().await;
    let app = &world.app;
    let bad = (Unauthenticated, "bad_admin_token".to_owned());
    assert_eq!(refusal(app.actor_of_token("").await), bad);
    let ghost = app.issue_admin_token(&world.admin, "ghost", Role::Admin).await;
    assert_eq!(refusal(ghost).0, NotFound);
    let token = app.issue_admin_token(&world.admin, "billing", Role::Auditor).await.unwrap();
    assert!(token.starts_with("pr_admin_"), "{token}");
    assert!(!gate_takes(&world, &token), "an admin token is no API key");
    let actor = app.actor_of_token(&token).await.unwrap();
    assert_eq!((actor.id.as_str(), actor.role), ("billing", Role::Auditor));
    let key = app.issue_key(&world.admin, key_for("billing")).await.unwrap().key.unwrap();
    assert_eq!(refusal(app.actor_of_token(&key).await), bad, "an API key is no admin token");
    app.suspend_identity(&world.admin, "billing", "").await.unwrap();
    assert_eq!(refusal(app.actor_of_token(&token).await), bad);
    app.resume_identity(&world.admin, "billing", "").await.unwrap();
    world.clock.advance(Span::from_days(365));
    assert_eq!(refusal(app.actor_of_token(&token).await), bad);
}

#[tokio::test]
async fn an_admin_token_is_revoked_once_and_by_administrators() {
    let (world, kim) = world().await;
    let app = &world.app;
    let token = app.issue_admin_token(&world.admin, "kim", Role::Member).await.unwrap();
    assert_eq!(refusal(app.admin_tokens(&kim).await).0, Forbidden);
    let listed = app.admin_tokens(&world.admin).await.unwrap();
    assert_eq!((listed.len(), listed[0].identity_id.as_str()), (1, "kim"));
    let id = &listed[0].id;
    assert_eq!(refusal(app.revoke_admin_token(&kim, id, "").await).0, Forbidden);
    assert_eq!(refusal(app.revoke_admin_token(&world.admin, "token_x", "").await).0, NotFound);
    app.actor_of_token(&token).await.unwrap();
    app.revoke_admin_token(&world.admin, id, "leaked").await.unwrap();
    assert_eq!(refusal(app.actor_of_token(&token).await).0, Unauthenticated);
    let again = app.revoke_admin_token(&world.admin, id, "").await;
    assert_eq!(refusal(again), (Conflict, "already_revoked".to_owned()));
}
