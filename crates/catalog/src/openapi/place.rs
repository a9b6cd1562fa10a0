//! Where in the text a value stands, found again only when a problem has to name it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::parse::yaml_with;

/// Line and column, from 1, of the member or item that a path of names leads to. Reads the text
/// as YAML, of which JSON is nearly a part; `None` where that does not work out.
pub(super) fn find(text: &str, path: &[String]) -> Option<(u64, u64)> {
    yaml_with(text, Walk(path)).ok().flatten()
}

/// Descends along the rest of the path. Yields the position of the last name that was found.
struct Walk<'p>(&'p [String]);

type Position = Option<(u64, u64)>;

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = Position;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Position, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = Position;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Position, A::Error> {
        let mut found = None;
        while let Some(name) = members.next_key::<Spanned<String>>()? {
            match self.0.split_first() {
                Some((wanted, rest)) if *wanted == name.value => {
                    let at = (name.referenced.line(), name.referenced.column());
                    found = members.next_value_seed(Walk(rest))?.or(Some(at));
                }
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Position, A::Error> {
        let wanted = self.0.split_first().map(|(first, rest)| (first.parse::<usize>().ok(), rest));
        let mut found = None;
        for index in 0.. {
            let more = match wanted {
                Some((Some(wanted), rest)) if wanted == index => {
                    let item = items.next_element_seed(Walk(rest))?;
                    found = item.flatten();
                    item.is_some()
                }
                _ => items.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                break;
            }
        }
        Ok(found)
    }

    fn visit_str<E>(self, _: &str) -> Result<Position, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Position, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Position, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Position, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Position, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Position, E> {
        Ok(None)
    }

    fn visit_none<E>(self) -> Result<Position, E> {
        Ok(None)
    }
}
