//! What the members of the caller, the API and the context are, for one caller and one operation.

use catalog::{Operation, capture};
use cedar_policy::pst::Var;
use grant::{Place, Source};

use super::encode::{Case, Encoded, Value, outside};
use super::names::Names;
use super::term::Term;
use crate::moment;
use crate::uses::member;

impl Case<'_> {
    /// Whether a member is there, and what it is.
    pub(super) fn member(
        &self,
        var: &Var,
        path: &[&str],
        names: &mut Names,
    ) -> Encoded<(Term, Value)> {
        match (var, path) {
            (Var::Principal, ["attributes", name]) => {
                let values = self.about.attributes.get(*name).map(Vec::as_slice);
                Ok(known_set(names.set(values.unwrap_or_default().iter().map(String::as_str))))
            }
            (Var::Principal, ["related", name]) => {
                let objects = self.subject.objects(&self.identity.id, name);
                Ok(known_set(names.set(objects.iter().map(String::as_str))))
            }
            (Var::Principal, [name]) => Ok(self.of_principal(name, names)),
            (Var::Resource, [name]) => self.of_resource(name, names),
            (Var::Context, ["claims", name]) => Ok(known_set(names.claim(name))),
            (Var::Context, ["brings", key]) => self.brings(key, names),
            (Var::Context, [part, name]) => self.at_place(part, name, names),
            (Var::Context, [name]) => self.fact(name, names),
            _ => outside(format!("`{}`", path.join("."))),
        }
    }

    fn of_principal(&self, name: &str, names: &mut Names) -> (Term, Value) {
        let left = self.identity.left_at.map(moment::split);
        // Beyond what can be written nobody has left.
        let left = left.filter(|(millis, _)| moment::text(*millis).is_some());
        let number = |value: Option<i64>| match value {
            Some(value) => (Term::TRUE, Value::Plain(Term::Int(value.into()))),
            None => (Term::FALSE, Value::Plain(Term::FALSE)),
        };
        match name {
            "status" => {
                let status = names.text(self.subject.status(self.identity));
                (Term::TRUE, Value::Plain(status))
            }
            "left" => number(left.map(|(millis, _)| millis)),
            "left_us" => number(left.map(|(_, beyond)| beyond)),
            name => match self.about.values(&self.identity.id, name).first() {
                Some(text) => (Term::TRUE, Value::Plain(names.text(text))),
                None => (Term::FALSE, Value::Plain(Term::FALSE)),
            },
        }
    }

    fn of_resource(&self, name: &str, names: &mut Names) -> Encoded<(Term, Value)> {
        let text = match name {
            "name" => Some(self.api.name.as_str()),
            "impact" => Some(self.api.impact.as_str()),
            "mode" => Some(self.api.mode.as_str()),
            "environment" => Some(self.api.environment.as_str()),
            "owner" => self.api.owner.as_deref(),
            "accept" => {
                let accepted = names.set(crate::asked::accepted(self.api));
                return Ok((Term::TRUE, Value::Plain(accepted)));
            }
            other => return outside(format!("`resource.{other}`")),
        };
        Ok(match text {
            Some(text) => (Term::TRUE, Value::Plain(names.text(text))),
            None => (Term::FALSE, Value::Plain(Term::FALSE)),
        })
    }

    fn fact(&self, name: &str, names: &mut Names) -> Encoded<(Term, Value)> {
        let var = |name: &str| Value::Plain(Term::var(name));
        Ok(match name {
            "now" | "now_us" | "week_minute" | "draw" | "strength" => (Term::TRUE, var(name)),
            "credential_class" => (Term::TRUE, var("class")),
            "binding" => (Term::var("bound"), var("binding")),
            "source" => (Term::var("from"), Value::Address),
            "scopes" => (Term::var("scoped"), var("scopes")),
            "unreadable" => (Term::TRUE, var("unreadable")),
            "writes_within" => (Term::TRUE, Value::Within),
            "scope_names" => {
                let words = crate::meaning::scope_names(self.api, self.operation);
                let words = names.set(words.iter().map(String::as_str));
                (Term::TRUE, Value::Plain(words))
            }
            other => return outside(format!("`context.{other}`")),
        })
    }

    fn at_place(&self, part: &str, name: &str, names: &mut Names) -> Encoded<(Term, Value)> {
        if part == "path" && !has_parameter(self.operation, name) {
            return Ok(known_set(Term::empty()));
        }
        let is = |place: &&Place| member(place) == Some((part, name));
        match self.subject.uses().places.iter().find(is) {
            Some(place) => Ok(known_set(names.place(place))),
            None => outside(format!("`context.{part}.{name}`")),
        }
    }

    /// What the caller brings from several sources.
    fn brings(&self, key: &str, names: &mut Names) -> Encoded<(Term, Value)> {
        let Some(sources) = self.subject.uses().unions.get(key) else {
            return outside(format!("`context.brings.{key}`"));
        };
        let mut parts = Vec::new();
        for source in sources {
            parts.push(match source {
                Source::Text(text) => names.set([text.as_str()]),
                Source::Claim(name) => names.claim(name),
                Source::Related(name) => {
                    let objects = self.subject.objects(&self.identity.id, name);
                    names.set(objects.iter().map(String::as_str))
                }
                Source::Identity(name) => {
                    let values = self.about.values(&self.identity.id, name);
                    names.set(values.iter().map(String::as_str))
                }
            });
        }
        Ok(known_set(Term::union(parts)))
    }
}

/// Whether the path of what is asked has a parameter of this name.
pub(super) fn has_parameter(operation: Option<&Operation>, name: &str) -> bool {
    operation.is_some_and(|operation| capture::has(&operation.path, name))
}

/// A set that is there unless it is empty.
fn known_set(set: Term) -> (Term, Value) {
    (Term::not(Term::equal(set.clone(), Term::empty())), Value::Plain(set))
}
