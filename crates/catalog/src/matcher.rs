//! Which operation a request is: all templates of an API compiled into one tree of segments.
//!
//! The path is decided first and the method after it (OpenAPI: concrete paths before templated
//! ones). Where `/users/me` has no DELETE, `DELETE /users/me` is *unknown*, not the DELETE of
//! `/users/{id}`: an upstream that knows `/users/me` would not serve it as such.

use base::Problem;
use rustc_hash::FxHashMap;

use crate::spelling::with_plain_marks;
use crate::template::{Segment, Template, fits};
use crate::{Method, Operation};

/// Finds operations. Within a segment literal text wins over text with parameters, and that over
/// a parameter alone; of two such texts the one with more fixed characters.
#[derive(Debug, Clone)]
pub struct Matcher {
    /// Nodes by number; the root is the first.
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, Default)]
struct Node {
    literals: FxHashMap<Box<str>, usize>,
    mixed: Vec<(Segment, usize)>,
    parameter: Option<usize>,
    /// Operations whose template ends here: method and index.
    operations: Vec<(Method, usize)>,
}

impl Matcher {
    /// Compiles the templates. Refuses bad templates, and two operations that no request can
    /// tell apart.
    pub fn new(operations: &[Operation]) -> Result<Self, Problem> {
        let mut matcher = Self { nodes: vec![Node::default()] };
        for (index, operation) in operations.iter().enumerate() {
            let place = || format!("operation `{}`", operation.id);
            let template = Template::parse(&operation.path).map_err(|why| {
                let detail = format!("`{}` is not a path template: {why}", operation.path);
                Problem::invalid("bad_path_template", detail).at(place())
            })?;
            if let Some(twin) = matcher.insert(&template, operation.method, index) {
                let twin = operations.get(twin).map_or("?", |twin| twin.id.as_str());
                let detail = format!(
                    "{} {} matches the same requests as operation `{twin}`",
                    operation.method, operation.path
                );
                return Err(Problem::invalid("ambiguous_operation", detail)
                    .at(place())
                    .hint("remove one of the two, or give them different paths"));
            }
        }
        Ok(matcher)
    }

    /// The index of the operation, by a method as sent and a canonical path without query. A
    /// trailing slash does not count, and HEAD counts as GET. A path of which two readings lead to
    /// different templates is none of them.
    pub fn find(&self, method: &str, path: &str) -> Option<usize> {
        let method = if method == "HEAD" { Method::Get } else { method.parse().ok()? };
        let end = self.template_of(path)?;
        if let Some(other) = with_plain_marks(path) {
            self.template_of(&other).filter(|other| std::ptr::eq(*other, end))?;
        }
        end.operations.iter().find(|(known, _)| *known == method).map(|(_, index)| *index)
    }

    /// Where the template that a path fits ends.
    fn template_of(&self, path: &str) -> Option<&Node> {
        let path = path.strip_prefix('/').filter(|path| *path != "/")?;
        let path = path.strip_suffix('/').unwrap_or(path);
        self.walk(self.nodes.first()?, (!path.is_empty()).then_some(path))
    }

    /// The node of the most specific template that matches. Visits no node twice, because each
    /// has one parent, and so ends after at most as many steps as the tree has nodes.
    fn walk<'m>(&'m self, node: &'m Node, rest: Option<&str>) -> Option<&'m Node> {
        let Some(rest) = rest else {
            return (!node.operations.is_empty()).then_some(node);
        };
        let (segment, rest) = match rest.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (rest, None),
        };
        if segment.is_empty() {
            return None;
        }
        let down = |next: usize| self.nodes.get(next).and_then(|next| self.walk(next, rest));
        let mixed = || {
            let fitting = node.mixed.iter().filter(|(pattern, _)| match pattern {
                Segment::Mixed(texts) => fits(texts, segment),
                Segment::Literal(_) | Segment::Parameter => false,
            });
            fitting.map(|(_, next)| *next).find_map(down)
        };
        (node.literals.get(segment).copied().and_then(down))
            .or_else(mixed)
            .or_else(|| node.parameter.and_then(down))
    }

    /// Adds an operation, or gives the index of the one that is already there.
    fn insert(&mut self, template: &Template, method: Method, index: usize) -> Option<usize> {
        let mut at = 0;
        for segment in template.segments() {
            at = self.step(at, segment);
        }
        let operations = &mut self.nodes.get_mut(at)?.operations;
        if let Some((_, twin)) = operations.iter().find(|(known, _)| *known == method) {
            return Some(*twin);
        }
        operations.push((method, index));
        None
    }

    /// The child of node `at` for a segment; made if there is none.
    fn step(&mut self, at: usize, segment: &Segment) -> usize {
        let fresh = self.nodes.len();
        let Some(node) = self.nodes.get_mut(at) else { return at };
        let next = match segment {
            Segment::Literal(text) => *node.literals.entry(text.as_str().into()).or_insert(fresh),
            Segment::Parameter => *node.parameter.get_or_insert(fresh),
            Segment::Mixed(_) => match node.mixed.iter().find(|(known, _)| known == segment) {
                Some((_, next)) => *next,
                None => {
                    node.mixed.push((segment.clone(), fresh));
                    node.mixed.sort_by(|(a, _), (b, _)| {
                        b.weight().cmp(&a.weight()).then_with(|| a.cmp(b))
                    });
                    fresh
                }
            },
        };
        if next == fresh {
            self.nodes.push(Node::default());
        }
        next
    }
}

#[cfg(test)]
mod tests;
