//! The fields of an operation's successful responses.
//!
//! Of each place in a response, all schemas that say something of it are looked at together: what
//! one of them marks is marked there, whatever the others say. Lists are transparent, so the items of
//! a list are at the same place as the list.

use std::collections::{BTreeMap, BTreeSet};

use base::Problem;

use super::Dialect;
use super::node::Node;
use crate::{DataClass, Field, field};

mod say;

/// How deep schemas may nest.
const DEPTH_MAX: usize = 64;
/// How many schemas may be looked at for one operation: references can multiply without end.
const VISITS_MAX: usize = 20_000;

/// The class that a node states in `x-data-class`.
pub(super) fn class(node: &Node<'_>) -> Result<DataClass, Problem> {
    node.scalar().parse().map_err(|why: base::words::UnknownWord| {
        node.problem("unknown_data_class", why.to_string())
            .hint("write one of these words in `x-data-class`")
    })
}

/// Fields of all responses with status 2xx, sorted by path, each with all classes that it has in one
/// of them.
pub(super) fn of(operation: &Node<'_>, dialect: Dialect) -> Result<Vec<Field>, Problem> {
    let mut roots = Vec::new();
    let responses = operation.child("responses");
    for (status, response) in responses.map_or(Ok(Vec::new()), |all| all.members())? {
        if !status.starts_with('2') {
            continue;
        }
        let unmarked =
            |schema| Part { schema, classes: [DataClass::Internal].into(), names: true, depth: 0 };
        roots.extend(schemas(&response.resolve()?, dialect)?.into_iter().map(unmarked));
    }
    let mut walk = Walk::default();
    walk.place("", Child { parts: roots, marks: Classes::new() })?;
    walk.close_circles();
    Ok(walk.fields.into_iter().map(|(path, leaf)| leaf.into_field(path)).collect())
}

fn schemas<'d>(response: &Node<'d>, dialect: Dialect) -> Result<Vec<Node<'d>>, Problem> {
    if dialect == Dialect::Swagger2 {
        return Ok(response.child("schema").into_iter().collect());
    }
    let Some(content) = response.child("content") else { return Ok(Vec::new()) };
    let is_json = |media: &str| {
        let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        media.ends_with("json") || media == "*/*" || media == "application/*"
    };
    let media = content.members()?.into_iter().filter(|(name, _)| is_json(name));
    Ok(media.filter_map(|(_, media)| media.child("schema")).collect())
}

type Classes = BTreeSet<DataClass>;

/// A schema for a place, before anything of it was read.
struct Part<'d> {
    schema: Node<'d>,
    /// What it is of unless it says so itself.
    classes: Classes,
    /// It is known of which names it speaks: else it marks, and describes nothing.
    names: bool,
    depth: usize,
}

/// What is known of a property.
#[derive(Default)]
struct Child<'d> {
    parts: Vec<Part<'d>>,
    /// Classes that it may be of whatever they say.
    marks: Classes,
}

/// A schema that says something of a place.
struct Said<'d> {
    schema: Node<'d>,
    classes: Classes,
    /// It says itself of what class it is.
    is_marked: bool,
    names: bool,
    depth: usize,
}

/// Everything that is said of one place.
#[derive(Default)]
struct Place<'d> {
    said: Vec<Said<'d>>,
    /// Pointers of the schemas that were looked into here, and for what classes.
    known: BTreeSet<(String, Classes)>,
    /// Where schemas began that lead back to themselves here.
    circles: Vec<String>,
    /// The classes of those.
    circling: Classes,
}

/// What is known of a place at which something is described.
#[derive(Default)]
struct Leaf {
    classes: Classes,
    values: bool,
}

impl Leaf {
    fn into_field(mut self, path: String) -> Field {
        let class = self.classes.pop_last().unwrap_or(DataClass::Internal);
        Field { path, class, also: self.classes, values: self.values }
    }
}

#[derive(Default)]
struct Walk {
    fields: BTreeMap<String, Leaf>,
    visits: usize,
    /// Pointers of the schemas that are being looked into, and their places, to notice when one
    /// contains itself.
    open: Vec<(String, String)>,
    /// Places where nothing more is said because it was said at a place around: both.
    circles: Vec<(String, String)>,
}

impl Walk {
    /// Collects what these schemas describe at the place `name`, and below.
    fn place(&mut self, name: &str, child: Child<'_>) -> Result<(), Problem> {
        let mut place = Place::default();
        let marks = child.marks;
        for part in &child.parts {
            let before = place.said.len();
            self.gather(&part.schema, &part.classes, None, part.depth, &mut place)?;
            let said = place.said.iter_mut().skip(before);
            said.for_each(|said| said.names = part.names);
        }
        let children = place.children()?;
        let values = place.values(!children.is_empty());
        if !values.is_empty() {
            self.leaf(name, &values, &marks, true);
        }
        if !place.circles.is_empty() {
            self.leaf(name, &place.circling, &marks, false);
            let circles = place.circles.iter();
            self.circles.extend(circles.map(|around| (name.to_owned(), around.clone())));
        } else if values.is_empty() && children.is_empty() {
            self.leaf(name, &place.classes(), &marks, false);
        }
        let before = self.open.len();
        let open = place.said.iter().map(|said| (said.schema.pointer(), name.to_owned()));
        self.open.extend(open);
        for (segment, mut child) in children {
            child.marks.extend(marks.iter().copied());
            self.place(&field::join(name, &segment), child)?;
        }
        self.open.truncate(before);
        Ok(())
    }

    /// Adds what a schema says of a place, and those that it is made of. `nearer` is the class that
    /// stands beside the reference that led here: OpenAPI 3.1 allows that, and it counts.
    fn gather<'d>(
        &mut self,
        node: &Node<'d>,
        classes: &Classes,
        nearer: Option<DataClass>,
        depth: usize,
        place: &mut Place<'d>,
    ) -> Result<(), Problem> {
        self.visits += 1;
        if self.visits > VISITS_MAX || depth >= DEPTH_MAX {
            return Err(node
                .problem("schema_too_large", "the response schema is too large or too deep")
                .hint("describe the response with fewer or flatter schemas"));
        }
        let own = stated(node)?;
        let marked = nearer.or(own);
        let mut classes = marked.map_or_else(|| classes.clone(), |class| [class].into());
        let reference = node.child("$ref").filter(|reference| reference.text().is_some());
        if let Some(reference) = &reference {
            // Says so if it leads in circles.
            node.resolve()?;
            self.gather(&reference.target()?, &classes, marked, depth + 1, place)?;
            if !say::has_parts(node) {
                return Ok(());
            }
        }
        let pointer = node.pointer();
        if let Some((_, around)) = self.open.iter().find(|(open, _)| *open == pointer) {
            place.circles.push(around.clone());
            place.circling.append(&mut classes);
            return Ok(());
        }
        // All of these hold at once, so what one of them marks is marked for all.
        let together = node.child("allOf").map(|all| all.items()).unwrap_or_default();
        for part in &together {
            classes.extend(stated(part)?.or(stated(&part.resolve()?)?));
        }
        if !place.known.insert((pointer, classes.clone())) {
            return Ok(());
        }
        for part in together.into_iter().chain(say::same_place(node)) {
            self.gather(&part, &classes, None, depth + 1, place)?;
        }
        let is_marked = marked.is_some();
        place.said.push(Said { schema: node.clone(), classes, is_marked, names: true, depth });
        Ok(())
    }

    fn leaf(&mut self, name: &str, classes: &Classes, marks: &Classes, values: bool) {
        if name.is_empty() {
            return;
        }
        let leaf = self.fields.entry(name.to_owned()).or_default();
        leaf.classes.extend(classes);
        leaf.classes.extend(marks);
        leaf.values |= values;
    }

    /// Where a schema contains itself, there can be whatever is in it.
    fn close_circles(&mut self) {
        loop {
            let mut grown = false;
            let mut inside: BTreeMap<&str, Classes> = BTreeMap::new();
            for (_, around) in &self.circles {
                inside.entry(around).or_insert_with(|| {
                    let fields =
                        self.fields.iter().filter(|(path, _)| field::is_within(path, around));
                    fields.flat_map(|(_, leaf)| leaf.classes.iter().copied()).collect()
                });
            }
            for (name, around) in &self.circles {
                let Some(leaf) = self.fields.get_mut(name) else { continue };
                let before = leaf.classes.len();
                leaf.classes.extend(inside.get(around.as_str()).into_iter().flatten());
                grown |= leaf.classes.len() > before;
            }
            if !grown {
                return;
            }
        }
    }
}

fn stated(node: &Node<'_>) -> Result<Option<DataClass>, Problem> {
    node.child("x-data-class").map(|word| class(&word)).transpose()
}

#[cfg(test)]
mod tests;
