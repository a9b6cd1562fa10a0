//! Sources of relations.

use base::Span;
use toml::Spanned;

use super::Reader;
use crate::config::diagnostic::place;
use crate::config::raw::RawRelationSource;
use crate::config::settings::RelationSetting;

/// A request waits for a source, and nobody waits longer than that.
const TIMEOUT_MAX: Span = Span::from_secs(5);
/// The longest that an answer may hold: what a source takes back is refused after that.
const CACHE_FOR_MAX: Span = Span::from_secs(3_600);
/// Some 500 bytes each.
const CACHE_ENTRIES_MAX: usize = 1 << 24;

impl Reader<'_> {
    pub(super) fn relation_sources(&mut self, raw: Vec<RawRelationSource>) -> Vec<RelationSetting> {
        self.check_unique("relation-source", raw.iter().map(|source| &source.name));
        self.check_relations(&raw);
        raw.into_iter().filter_map(|source| self.relation_source(source)).collect()
    }

    fn relation_source(&mut self, raw: RawRelationSource) -> Option<RelationSetting> {
        if let Err(why) = traffic::UpstreamUrl::parse(raw.url.get_ref()) {
            let hint = "write it like \"https://pdp.internal/access/v1/evaluation\"";
            self.wrong(format!("`url` is no address: {why}"), raw.url.span(), hint);
        }
        self.check_encrypted("url", &raw.url);
        let timeout = self.within(raw.timeout, Span::from_millis(250), TIMEOUT_MAX, false);
        let cache_for = self.within(raw.cache_for, Span::from_secs(30), CACHE_FOR_MAX, true);
        let cache_entries = raw.cache_entries.map_or(65_536, |given| {
            let entries = usize::try_from(*given.get_ref()).unwrap_or(usize::MAX);
            if !(2..=CACHE_ENTRIES_MAX).contains(&entries) {
                let hint = format!(
                    "at least 2, at most {CACHE_ENTRIES_MAX}; cache-for = \"0s\" keeps none"
                );
                self.wrong("`cache-entries` is out of range", given.span(), hint);
            }
            entries
        });
        Some(RelationSetting {
            name: raw.name.into_inner(),
            relations: raw.relations.into_inner().into_iter().map(Spanned::into_inner).collect(),
            url: raw.url.into_inner(),
            token: raw.token.map(|token| token.beside(&self.folder)),
            timeout: timeout?,
            cache_for: cache_for?,
            cache_entries,
        })
    }

    /// Each relation is one that a tie can name, and has one source.
    fn check_relations(&mut self, sources: &[RawRelationSource]) {
        let mut seen: Vec<&Spanned<String>> = Vec::new();
        for source in sources {
            if source.relations.get_ref().is_empty() {
                let what = format!("`{}` answers for no relation", source.name.get_ref());
                self.wrong(what, source.relations.span(), "write relations = [\"owner\"]");
            }
            for relation in source.relations.get_ref() {
                let name = relation.get_ref();
                if !grant::tie::is_name(name) || name.len() > 64 {
                    let what = format!("\"{name}\" is not a name of a relation");
                    self.wrong(what, relation.span(), "use letters, digits, _ and -");
                }
                if let Some(first) = seen.iter().find(|first| first.get_ref() == name) {
                    let (line, _) = place(self.text, first.span().start);
                    let what = format!("the relation \"{name}\" has two sources");
                    self.wrong(what, relation.span(), format!("the first is in line {line}"));
                }
                seen.push(relation);
            }
        }
    }

    fn within(
        &mut self,
        given: Option<Spanned<String>>,
        usual: Span,
        max: Span,
        may_be_zero: bool,
    ) -> Option<Span> {
        let Some(given) = given else { return Some(usual) };
        // The shape was checked: this is a duration.
        let span = Span::parse(given.get_ref()).ok()?;
        if span > max || (span.as_micros() == 0 && !may_be_zero) {
            let least = if may_be_zero { "at least 0s" } else { "more than 0s" };
            self.wrong(
                format!("{span} is out of range"),
                given.span(),
                format!("{least}, at most {max}"),
            );
        }
        Some(span)
    }
}
