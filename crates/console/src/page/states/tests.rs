//! What must hold on every page in every state.

use std::collections::BTreeSet;

use super::*;

/// The text between each `open` and the next `close`.
fn between<'a>(html: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    html.split(open).skip(1).map(|rest| rest.split(close).next().unwrap()).collect()
}

fn each(check: impl Fn(&State) -> Result<(), String>) {
    let wrong: Vec<_> = all()
        .iter()
        .filter_map(|s| check(s).err().map(|what| format!("{}/{}: {what}", s.page, s.state)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn must(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

fn find<'a>(states: &'a [State], page: &str, state: &str) -> &'a str {
    &states.iter().find(|s| s.page == page && s.state == state).unwrap().html
}

#[test]
fn nothing_inline_that_the_content_policy_would_block() {
    each(|s| {
        must(!s.html.contains(" style="), "an inline style")?;
        must(!s.html.contains("<style"), "a style element")?;
        must(!s.html.contains(" onclick") && !s.html.contains(" onsubmit"), "an inline handler")?;
        must(!s.html.contains("javascript:"), "a script address")?;
        let scripts = between(&s.html, "<script", "</script>");
        must(scripts.iter().all(|s| s.ends_with('>') && s.contains("src=\"/assets/")), "a script")
    });
}

#[test]
fn every_page_has_its_landmarks_and_one_heading() {
    each(|s| {
        must(s.html.matches("<h1").count() == 1, "not exactly one h1")?;
        must(s.html.matches("<main").count() == 1, "not exactly one main")?;
        must(s.html.contains("<html lang=\"en\""), "no language")?;
        must(s.html.contains("class=\"skip\" href=\"#main\""), "no skip link")
    });
}

#[test]
fn every_table_has_a_caption_and_scoped_headers() {
    each(|s| {
        let tables = between(&s.html, "<table>", "</table>");
        must(tables.iter().all(|table| table.contains("<caption")), "a table without caption")?;
        let headers = between(&s.html, "<th", ">");
        let bare =
            headers.iter().filter(|th| !th.starts_with("ead")).any(|th| !th.contains("scope="));
        must(!bare, "a header without scope")
    });
}

#[test]
fn every_changing_form_carries_the_token() {
    each(|s| {
        let forms = between(&s.html, "<form", "</form>");
        let token = "name=\"csrf\" value=\"sample-form-token\"";
        let bare = forms.iter().any(|f| f.contains("method=\"post\"") && !f.contains(token));
        must(!bare, "a form without token")
    });
}

#[test]
fn ids_are_unique_and_labels_find_their_field() {
    each(|s| {
        let ids = between(&s.html, " id=\"", "\"");
        let unique: BTreeSet<_> = ids.iter().collect();
        must(unique.len() == ids.len(), "an id twice")?;
        let lost: Vec<_> = between(&s.html, " for=\"", "\"")
            .into_iter()
            .chain(between(&s.html, "aria-labelledby=\"", "\""))
            .chain(between(&s.html, "aria-describedby=\"", "\""))
            .flat_map(|value| value.split(' '))
            .filter(|id| !ids.contains(id))
            .collect();
        must(lost.is_empty(), &format!("names without object: {lost:?}"))
    });
}

#[test]
fn every_decision_is_a_named_group_of_buttons() {
    each(|s| {
        let groups = between(&s.html, "<form class=\"decide\"", "</form>");
        let named = |form: &&str| {
            form.contains("<fieldset>")
                && form.contains("<legend class=\"hidden\">Decide about ")
                && form.matches("name=\"verdict\"").count() == 3
        };
        must(groups.iter().all(named), "a decision without legend")
    });
}

#[test]
fn pages_are_small_and_rendering_is_deterministic() {
    let again: Vec<_> = all().into_iter().map(|state| state.html).collect();
    for (state, again) in all().into_iter().zip(again) {
        assert_eq!(state.html, again, "{}/{}", state.page, state.state);
        assert!(state.html.len() < 100 * 1024, "{}/{}", state.page, state.state);
    }
}

#[test]
fn nothing_is_pre_selected_on_an_open_item() {
    let states = all();
    let look = find(&states, "review", "look");
    assert!(look.contains("aria-pressed=\"false\" data-key=\"1\""));
    assert!(!between(look, "id=\"items\"", "id=\"next\"")[0].contains("aria-pressed=\"true\""));
}

#[test]
fn empty_pages_say_what_to_expect() {
    let states = all();
    for (page, state, words) in [
        ("today", "quiet", "Nothing waits for you"),
        ("reviews", "empty", "No reviews"),
        ("review", "all-decided", "All 3 drafted or decided"),
        ("identities", "empty", "Add the first"),
        ("identity", "empty", "No grants. This identity can call nothing"),
        ("apis", "empty", "Nothing is protected yet"),
        ("api", "no-calls", "No calls yet. Try:"),
        ("calls", "empty", "No calls in last 24 hours"),
        ("explain", "blank", "Every request at the gate has an id"),
        ("findings", "empty", "No open findings"),
        ("sign-off", "empty", "There are no drafts to sign"),
    ] {
        assert!(find(&states, page, state).contains(words), "{page}/{state}");
    }
}

#[test]
fn reviewers_are_told_what_the_review_asks_of_them() {
    let states = all();
    for (page, state) in [("reviews", "one"), ("review", "look")] {
        let told = "<p class=\"told\">Keep what it needs to do its work.\nAsk the owner first.</p>";
        assert!(find(&states, page, state).contains(told), "{page}/{state}");
    }
}

#[test]
fn before_a_signature_nothing_is_called_needless() {
    let states = all();
    let page = find(&states, "result", "not-signed");
    assert!(!page.contains("not needed") && !page.contains("nothing to apply"));
    assert_eq!(page.matches("<dd>not yet</dd>").count(), 3);
    assert!(page.contains("Nobody has signed yet."));
    assert!(find(&states, "result", "all-kept").contains("<dd>not needed</dd>"));
}

#[test]
fn the_result_says_who_signed_when_and_which_operations_went() {
    let states = all();
    let page = find(&states, "result", "completed");
    assert!(page.contains("Signed by <b>Robin Hale</b>") && page.contains("2026-11-22 08:00 UTC"));
    assert!(page.contains("goes: Refund an order"));
    assert!(page.contains("stays: List orders and Read an order"));
}

#[test]
fn what_is_taken_away_is_named_before_the_statement() {
    let states = all();
    let page = find(&states, "sign-off", "many");
    let before = page.split("Your statement").next().unwrap();
    assert!(before.contains("Goes: Refund an order."), "narrowed");
    assert!(before.contains("Goes: Purge test orders."), "removed");
}

#[test]
fn today_says_in_one_line_what_waits() {
    let states = all();
    let page = find(&states, "today", "many");
    assert!(page.contains("<p class=\"lead\">1 review, 6 items, 3 need a look</p>"));
}

#[test]
fn a_call_without_credential_is_explained_as_that() {
    let states = all();
    let page = find(&states, "explain", "no-credential");
    assert!(page.contains("it was not proved who calls"));
    assert!(page.contains("No credential was presented."));
    assert!(page.contains("portreeve key issue IDENTITY --api orders"));
    let allowed = find(&states, "explain", "allowed");
    assert!(allowed.contains("allowed by 1 grant, marked") && allowed.contains("Let it pass"));
    let refused = find(&states, "explain", "refused");
    let link = "/identities/svc-invoice-export#grant-g_svc-invoice-export";
    assert!(refused.contains(link) && refused.contains(">List orders and Read an order</a>"));
}

#[test]
fn findings_lead_to_what_they_are_about() {
    let states = all();
    let page = find(&states, "findings", "many");
    assert!(page.contains("\"/identities/agent-returns#grant-g_item_2\""));
    assert!(page.contains("\"/identities/agent-returns#key-cred_1\""));
    assert!(page.contains("Revoke the credential. <a"));
    assert!(page.contains("<dd class=\"break\">2026-07-31 16:43 UTC</dd>"));
    assert!(!page.contains("/calls?since=90d&#38;grant"));
}

#[test]
fn grants_say_which_operations_they_cover_and_who_stands_behind_them() {
    let states = all();
    let page = find(&states, "identity", "many");
    assert!(page.contains("<span title=\"refundOrder\">Refund an order</span>"));
    assert!(page.contains("narrowed in a review by <span title=\"dana\">Dana Kovář</span>"));
}

#[test]
fn commands_name_the_gate_of_this_installation() {
    let states = all();
    let page = find(&states, "api", "no-calls");
    assert!(page.contains("curl -i https://api.example.com/orders -H"), "{page}");
    assert!(find(&states, "sign-in", "plain").contains("portreeve identity sign-in YOUR-ID"));
}

#[test]
fn who_sees_no_api_is_not_told_that_there_is_none() {
    let states = all();
    let page = find(&states, "apis", "none-of-yours");
    assert!(page.contains("No API is yours to see") && !page.contains("portreeve api add"));
}

#[test]
fn a_refused_form_keeps_its_message_at_the_field() {
    let states = all();
    let page = find(&states, "review", "refused");
    assert!(page.contains("role=\"alert\">This goes against the recommendation"));
    assert_eq!(page.matches("aria-invalid=\"true\" autofocus").count(), 1);
}

#[test]
fn a_fault_of_our_own_keeps_its_details_to_the_log() {
    let states = all();
    let page = find(&states, "error", "500");
    assert!(!page.contains("/secret/path"));
    assert!(page.contains("Reason code <code>internal</code>"));
}

#[test]
fn who_may_not_change_is_offered_no_change() {
    let states = all();
    let auditor = find(&states, "identity", "auditor");
    assert!(!auditor.contains("/suspend\"") && !auditor.contains("/revoke\""));
    assert!(find(&states, "identity", "many").contains("/suspend\""));
    assert!(!find(&states, "result", "member").contains("/evidence\""));
    assert!(find(&states, "result", "completed").contains("/evidence\""));
    let others = find(&states, "review", "not-mine");
    assert!(!others.contains("class=\"decide\"") && others.contains("decides this"));
}

#[test]
fn the_proof_reads_as_one_line_and_blockers_are_named() {
    let states = all();
    let done = find(&states, "result", "completed");
    assert!(done.contains("<b>4</b> kept · <b>1</b> narrowed · <b>2</b> removed"));
    assert!(done.contains("<dd>0.4 s</dd>") && done.contains("<dd>refused</dd>"));
    let open = find(&states, "result", "verifying");
    assert!(
        open.contains("1 removal is not proved on node-2") && open.contains("Not complete yet")
    );
}
