//! docs/reference/access-api.md: the AuthZEN access API, its members from the document that the
//! program serves, and what they mean for the gate.

use std::fmt::Write;

use serde_json::Value;

use super::{cell, head};
use crate::repository::Chore;

const MEANING: &str = "
## What a question means

| member | is |
|--|--|
| `subject.type` | `identity` for any, a kind of identity (`person`, `service_account`, \
`application`, `workload`, `ai_agent`, `ci_pipeline`, `third_party`), or `user` for a person |
| `subject.id` | the identity's id |
| `subject.properties.claims` | the claims of its token, for `claim.…` |
| `resource.type` `api` | `resource.id` is the API's id, `action.name` an operation's id |
| `resource.type` `route` | `resource.id` is the target of a request (`/orders/42?x=1`, \
also with scheme and host), `action.name` its method; API, operation and parameters are found as the \
gate finds them |
| `resource.properties.host` | of a route: the host, where the target has none |
| `resource.properties.path`, `query` | of an API: the parameters, each a text or a list of texts |
| `resource.properties.header` | the header fields |
| `resource.properties.body` | the JSON body; `null` says that there is none |
| `context.ip` | where the request comes from |
| `context.time` | when, RFC 3339; else now |
| `context.credential_class` | `api_key` or `issuer_subject`; else every class that the API takes must do |
| `context.binding` | `mtls` or `dpop` |
| `context.scopes` | scopes that narrow, a list or a text |

What is not told is not known: a condition on it does not hold, and a guardrail that needs it refuses.
Other members are ignored. Of a grant that is being taken back step by step nobody can count on, so it
does not count.

The decision is what enforce mode says, also of an API that observes; then `context.mode` is `observe`.
`context.obligations` are part of a permission: who cannot fulfil them must refuse.

A search finds the identities, APIs (type `api`) or actions for which an evaluation would say yes, by
their ids. Routes cannot be listed. `page.limit` is 100 and at most 1,000; a token belongs to the
question that it came from.

## Who may ask

Administrators and auditors about everybody, with an admin token. A member about itself, the identities
that it owns, and calls to the APIs that it owns; everything else answers `{\"decision\": false}`, as
for what does not exist. Questions leave no call record; `/metrics` counts them.

## Errors

400, 401, 403 and 500 come with a sentence as `text/plain`. A question among several that is none is
`{\"decision\": false, \"context\": {\"error\": {\"status\": 400, …}}}` in its place. `X-Request-ID` comes
back as it was sent. At most 1,000 questions come at once, in at most 1 MiB.
";

pub(super) fn page(openapi: &Value) -> Chore<String> {
    let mut text = head(
        "Access API",
        "The OpenID AuthZEN Authorization API 1.0 on the console's port: what would the gate say? \
         `POST` with JSON and `Authorization: Bearer`; the description at `/.well-known` is for \
         everybody. Why it is there: [Asking the gate](../explanation/access-api.md).",
    );
    text.push_str("\n| path | what it does |\n|--|--|\n");
    let paths = openapi["paths"].as_object().ok_or("the document has no paths")?;
    for (path, item) in paths.iter().filter(|(path, _)| !path.starts_with("/api/")) {
        let operation = item.get("post").or(item.get("get")).unwrap_or(&Value::Null);
        let what = operation["summary"].as_str().unwrap_or_default();
        writeln!(text, "| `{path}` | {} |", cell(what)).map_err(|e| e.to_string())?;
    }
    text.push_str(MEANING);
    text.push_str("\n## What an answer says\n\n| member of `context` | is |\n|--|--|\n");
    let members = &openapi["components"]["schemas"]["DecisionContext"]["properties"];
    for (name, member) in members.as_object().ok_or("the document has no answers")? {
        writeln!(text, "| `{name}` | {} |", cell(described(member))).map_err(|e| e.to_string())?;
    }
    Ok(text)
}

/// What is said of a member; of one that may be absent, of the form that it has then.
fn described(member: &Value) -> &str {
    let forms = member["oneOf"].as_array().into_iter().flatten();
    let mut said = std::iter::once(member).chain(forms).map(|form| &form["description"]);
    said.find_map(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_no_part_of_the_admin_api_is_listed_with_the_members_of_answers() {
        let document = serde_json::json!({
            "paths": {
                "/api/v1/apis": {"get": {"summary": "not here"}},
                "/access/v1/evaluation": {"post": {"summary": "Would it pass?"}},
            },
            "components": {"schemas": {"DecisionContext": {"properties": {
                "reason": {"description": "Why not."},
            }}}},
        });
        let page = super::page(&document).unwrap();
        assert!(page.contains("| `/access/v1/evaluation` | Would it pass? |"));
        assert!(page.ends_with("| `reason` | Why not. |\n"));
        assert!(!page.contains("not here"));
    }
}
