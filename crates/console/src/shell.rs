//! What surrounds every page: who looks at it, their choices, the clock, the navigation.

use std::fmt;
use std::sync::Arc;

use app::{Actor, Role};
use askama::filters::HtmlSafe;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base::Timestamp;

use crate::failure::Failure;
use crate::words;

base::words! {
    /// Light, dark, or what the system says.
    Theme {
        /// As the system is set.
        Auto = "auto",
        /// Dark on light.
        Light = "light",
        /// Light on dark.
        Dark = "dark",
    }
}

base::words! {
    /// How review items are grouped.
    Grouping {
        /// By API, the habit of owners.
        Api = "api",
        /// By identity, the habit of managers.
        Identity = "identity",
        /// One list.
        Flat = "flat",
    }
}

/// Choices of a person, kept in cookies so that they hold without script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choices {
    /// Colours.
    pub theme: Theme,
    /// Keyboard shortcuts on the review list (WCAG 2.1.4: can be switched off).
    pub shortcuts: bool,
    /// Grouping of review items.
    pub grouping: Grouping,
}

impl Default for Choices {
    fn default() -> Self {
        Self { theme: Theme::Auto, shortcuts: true, grouping: Grouping::Api }
    }
}

/// The signed-in person.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// Who.
    pub actor: Actor,
    /// What every form must carry.
    pub csrf: String,
}

/// A part of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// What waits.
    Today,
    /// Reviews.
    Reviews,
    /// Identities and what they may do.
    Access,
    /// What is protected.
    Apis,
    /// Calls, findings, events.
    Activity,
    /// No part: sign-in, errors, search.
    Elsewhere,
}

/// One link of the navigation.
pub struct NavLink {
    /// Where to.
    pub href: &'static str,
    /// Its word.
    pub label: &'static str,
    /// The page is within it.
    pub current: bool,
}

/// What every page's template has as `shell`.
#[derive(Debug, Clone)]
pub struct Shell {
    /// Nobody on the sign-in page.
    pub viewer: Option<Viewer>,
    /// The person's choices.
    pub choices: Choices,
    /// What relative times are counted from.
    pub now: Timestamp,
    /// Path and query of this page, for forms that come back to it.
    pub here: String,
    /// Where in the navigation it is.
    pub section: Section,
}

impl Shell {
    /// The token for forms; empty when nobody is signed in.
    pub fn csrf(&self) -> &str {
        self.viewer.as_ref().map_or("", |viewer| &viewer.csrf)
    }

    /// The person may read everything; others see what they review and own.
    pub fn reads_all(&self) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.actor.reads_all())
    }

    /// The person may change anything.
    pub fn is_admin(&self) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.actor.is_admin())
    }

    /// The links that this person needs.
    pub fn navigation(&self) -> Vec<NavLink> {
        let all = [
            (Section::Today, "/", "Today"),
            (Section::Reviews, "/reviews", "Reviews"),
            (Section::Access, "/identities", "Access"),
            (Section::Apis, "/apis", "APIs"),
            (Section::Activity, "/calls", "Activity"),
        ];
        let shown = match &self.viewer {
            None => 0,
            Some(viewer) if viewer.actor.role == Role::Member => 2,
            Some(_) => all.len(),
        };
        all.into_iter()
            .take(shown)
            .map(|(section, href, label)| NavLink { href, label, current: section == self.section })
            .collect()
    }

    /// A time, relative, with the absolute one on hover.
    pub fn time(&self, text: &str) -> TimeTag {
        TimeTag { text: text.to_owned(), shown: words::relative(text, self.now) }
    }

    /// Like [`Shell::time`], or the given words when there is none.
    pub fn time_or(&self, text: &Option<String>, none: &str) -> TimeTag {
        match text {
            Some(text) => self.time(text),
            None => TimeTag { text: String::new(), shown: none.to_owned() },
        }
    }

    /// How old something is.
    pub fn age(&self, text: &str) -> String {
        words::age(text, self.now)
    }

    /// A day, with the time on hover.
    pub fn day(&self, text: &str) -> TimeTag {
        TimeTag { text: text.to_owned(), shown: words::date(text) }
    }

    /// A time to the minute.
    pub fn moment(&self, text: &str) -> TimeTag {
        TimeTag { text: text.to_owned(), shown: words::absolute(text) }
    }
}

/// A `<time>` element. Prints escaped HTML.
pub struct TimeTag {
    text: String,
    shown: String,
}

impl HtmlSafe for TimeTag {}

impl fmt::Display for TimeTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escape = |text: &str| askama::filters::escape(text.to_owned(), askama::filters::Html);
        let Ok(shown) = escape(&self.shown);
        // Only what parsed as a time may stand in the machine-readable attribute.
        match Timestamp::parse(&self.text) {
            Ok(moment) => write!(
                f,
                "<time datetime=\"{moment}\" title=\"{}\">{shown}</time>",
                words::absolute(&self.text)
            ),
            Err(_) => write!(f, "{shown}"),
        }
    }
}

/// A request by somebody who is signed in: the extractor that protected pages take. Anonymous
/// visitors are sent to the sign-in page.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The person.
    pub viewer: Viewer,
    pub(crate) request: RequestFacts,
}

/// What the guard knows of every request.
#[derive(Debug, Clone)]
pub(crate) struct RequestFacts {
    pub(crate) viewer: Option<Viewer>,
    pub(crate) choices: Choices,
    pub(crate) now: Timestamp,
    pub(crate) here: String,
}

impl RequestFacts {
    pub(crate) fn shell(&self, section: Section) -> Shell {
        Shell {
            viewer: self.viewer.clone(),
            choices: self.choices,
            now: self.now,
            here: self.here.clone(),
            section,
        }
    }
}

impl Visit {
    /// Who asks.
    pub fn actor(&self) -> &Actor {
        &self.viewer.actor
    }

    /// The surroundings of a page in a section.
    pub fn shell(&self, section: Section) -> Shell {
        self.request.shell(section)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let request = parts.extensions.get::<Arc<RequestFacts>>().ok_or(Failure::SignIn)?;
        let viewer = request.viewer.clone().ok_or(Failure::SignIn)?;
        Ok(Self { viewer, request: request.as_ref().clone() })
    }
}

#[cfg(test)]
mod tests;
