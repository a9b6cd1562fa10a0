//! What the API tells that the application does not know: the listeners, the configuration's
//! reviews, and the health and counters of the running parts.

use std::fmt::{Display, Write};
use std::pin::Pin;

use app::view::ReviewDefinition;
use serde::Serialize;

/// A future that a [`Facts`] returns.
pub type Checking<'a> = Pin<Box<dyn Future<Output = Vec<Check>> + Send + 'a>>;

/// Implemented by the binary over the running process, and by tests.
pub trait Facts: Send + Sync + 'static {
    /// Where callers reach the proxy.
    fn proxy_url(&self) -> String;
    /// Where people and automation reach the console's port.
    fn console_url(&self) -> String;
    /// Reviews that the configuration defines, by name.
    fn review_definitions(&self) -> Vec<ReviewDefinition>;
    /// What has to work for the process to be ready.
    fn checks(&self) -> Checking<'_>;
    /// Writes the process's measurements.
    fn measure(&self, metrics: &mut Metrics);
}

/// One condition of readiness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// Why it does not work; `None` when it does.
    pub problem: Option<String>,
}

/// Measurements in the Prometheus text format, version 0.0.4. Labels are objects of the catalogue
/// and closed lists of words, never identities: their number must stay bounded, and a metrics
/// store is no place for personal data.
#[derive(Debug, Default)]
pub struct Metrics {
    text: String,
}

impl Metrics {
    /// Starts a family: its name without the `portreeve_` prefix, its kind and what it is.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing into a String cannot fail.
        let _ = writeln!(self.text, "# HELP portreeve_{name} {help}");
        let _ = writeln!(self.text, "# TYPE portreeve_{name} {kind}");
    }

    /// Adds a sample of the family.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = write!(self.text, "portreeve_{name}");
        for (index, (label, text)) in labels.iter().enumerate() {
            let separator = if index == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{separator}{label}=\"{}\"", escaped(text));
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }

    /// A family of one sample without labels.
    pub fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.text
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_end_its_line() {
        let mut metrics = Metrics::default();
        metrics.family("requests_total", "counter", "Requests.");
        metrics.sample("requests_total", &[("api", "a\"b\\c\nd"), ("outcome", "allowed")], 3);
        assert_eq!(
            metrics.into_text(),
            "# HELP portreeve_requests_total Requests.\n\
             # TYPE portreeve_requests_total counter\n\
             portreeve_requests_total{api=\"a\\\"b\\\\c\\nd\",outcome=\"allowed\"} 3\n"
        );
    }
}
