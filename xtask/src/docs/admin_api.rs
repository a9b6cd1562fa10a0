//! docs/reference/admin-api.md: the operations of the admin API, from its own document.

use std::fmt::Write;

use serde_json::Value;

use super::{cell, head};
use crate::repository::Chore;

const METHODS: &[&str] = &["get", "post", "put", "patch", "delete"];

pub(super) fn page(openapi: &Value) -> Chore<String> {
    let mut text = head(
        "Admin API",
        "Operations under the console's port. The whole document, with bodies and answers, is \
         [openapi.json](openapi.json); a running server serves it at `/api/openapi.json`. A caller \
         sends `Authorization: Bearer` with an administrator's token. Errors are \
         `application/problem+json`.",
    );
    text.push_str("\n| method | path | what it does |\n|--|--|--|\n");
    let paths = openapi["paths"].as_object().ok_or("the document has no paths")?;
    for (path, item) in paths.iter().filter(|(path, _)| path.starts_with("/api/")) {
        for method in METHODS {
            let operation = &item[*method];
            if operation.is_object() {
                let says = |name: &str| operation[name].as_str();
                let what = says("summary").or(says("description")).unwrap_or_default();
                let first = what.lines().next().unwrap_or_default();
                let upper = method.to_uppercase();
                writeln!(text, "| {upper} | `{path}` | {} |", cell(first))
                    .map_err(|e| e.to_string())?;
            }
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #[test]
    fn operations_are_listed_by_path_and_method() {
        let document = serde_json::json!({"paths": {
            "/api/v1/apis": {"post": {"summary": "Add|an API"}, "get": {"description": "All\nof them"}},
        }});
        let page = super::page(&document).unwrap();
        let rows: Vec<&str> = page.lines().rev().take(2).collect();
        assert_eq!(rows[1], "| GET | `/api/v1/apis` | All |");
        assert_eq!(rows[0], "| POST | `/api/v1/apis` | Add\\|an API |");
    }
}
