//! Whose use of which limit: what meters are found by, in memory and in the store.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use base::ApiId;
use smallvec::SmallVec;

use super::{Limit, Name, Scope};

/// A key that borrows its parts: looking one up makes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyRef<'k> {
    name: Name,
    api: &'k ApiId,
    subject: Subject<'k>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Subject<'k> {
    Id(&'k str),
    Source(IpAddr),
    /// The API itself.
    All,
    /// All that has no key of its own.
    Rest,
}

/// A key with parts of its own. Its text is what the store finds it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    name: Name,
    /// Shared with the catalogue, and so by all keys of one API: it is in the cache.
    api: ApiId,
    subject: Named,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    /// In place, if it is as long as ids usually are: who looks a key up has it at hand then.
    Id(SmallVec<[u8; 32]>),
    Source(IpAddr),
    All,
    Rest,
}

/// Who sends a request, and what for.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'k> {
    /// Who calls.
    pub identity: &'k str,
    /// With what.
    pub credential: &'k str,
    /// By which grant; `None` where an observed call has none.
    pub grant: Option<&'k str>,
    /// Which operation; `None` where an observed call has none.
    pub operation: Option<&'k str>,
    /// From where.
    pub source: IpAddr,
}

impl<'k> KeyRef<'k> {
    /// The key under which a request counts. What has no grant or no operation (which is let pass
    /// in observe mode alone) counts together.
    pub fn of(limit: Limit, api: &'k ApiId, caller: &Caller<'k>) -> Self {
        let id = |id: Option<&'k str>| id.map_or(Subject::Rest, Subject::Id);
        let subject = match limit.scope() {
            Scope::Identity => Subject::Id(caller.identity),
            Scope::Credential => Subject::Id(caller.credential),
            Scope::Grant => id(caller.grant),
            Scope::Operation => id(caller.operation),
            Scope::Source => Subject::Source(network(caller.source)),
            Scope::Api => Subject::All,
        };
        Self { name: limit.name(), api, subject }
    }

    /// The key of all that finds no room for a key of its own, under the same limit.
    #[must_use]
    pub fn rest(self) -> Self {
        Self { subject: Subject::Rest, ..self }
    }

    /// Whether it is the key of all that has none of its own.
    pub const fn is_rest(&self) -> bool {
        matches!(self.subject, Subject::Rest)
    }

    /// The same with parts of its own.
    pub fn to_key(self) -> Key {
        let subject = match self.subject {
            Subject::Id(id) => Named::Id(SmallVec::from_slice(id.as_bytes())),
            Subject::Source(source) => Named::Source(source),
            Subject::All => Named::All,
            Subject::Rest => Named::Rest,
        };
        Key { name: self.name, api: self.api.clone(), subject }
    }
}

impl Key {
    /// Whether it is this one. What is most likely to differ comes first.
    pub fn is(&self, other: &KeyRef<'_>) -> bool {
        let same_subject = match (&self.subject, &other.subject) {
            (Named::Id(id), Subject::Id(other)) => id.as_slice() == other.as_bytes(),
            (Named::Source(source), Subject::Source(other)) => source == other,
            (Named::All, Subject::All) | (Named::Rest, Subject::Rest) => true,
            _ => false,
        };
        same_subject && self.name == other.name && self.api == *other.api
    }

    /// The key, borrowed.
    pub fn as_ref(&self) -> KeyRef<'_> {
        KeyRef {
            name: self.name,
            api: &self.api,
            subject: match &self.subject {
                // It was text when it was put there.
                Named::Id(id) => Subject::Id(std::str::from_utf8(id).unwrap_or_default()),
                Named::Source(source) => Subject::Source(*source),
                Named::All => Subject::All,
                Named::Rest => Subject::Rest,
            },
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "api {} {} ", self.api, self.name)?;
        match self.as_ref().subject {
            Subject::Id(id) => f.write_str(id),
            Subject::Source(source) => write!(f, "{source}"),
            Subject::All => f.write_str("-"),
            // No id has this character.
            Subject::Rest => f.write_str("*"),
        }
    }
}

/// A text that is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the key of a limit")]
pub struct BadKey(pub String);

impl FromStr for Key {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let bad = || BadKey(text.to_owned());
        let mut parts = text.split(' ');
        let mut next = || parts.next().filter(|part| !part.is_empty()).ok_or_else(bad);
        let api = match (next()?, next()?) {
            ("api", id) => ApiId::parse(id).map_err(|_| bad())?,
            _ => return Err(bad()),
        };
        let name = Name::find(next()?).ok_or_else(bad)?;
        let subject = match (name.scope(), next()?) {
            (_, "*") => Named::Rest,
            (Scope::Api, "-") => Named::All,
            (Scope::Source, source) => Named::Source(source.parse().map_err(|_| bad())?),
            (Scope::Api, _) => return Err(bad()),
            (_, id) => Named::Id(SmallVec::from_slice(id.as_bytes())),
        };
        match parts.next() {
            None => Ok(Self { name, api, subject }),
            Some(_) => Err(bad()),
        }
    }
}

/// One household, one source: an IPv6 caller commands a /64.
pub fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(address) => {
            let upper = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(upper))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLER: Caller<'static> = Caller {
        identity: "svc-billing",
        credential: "cred_1",
        grant: Some("g_1"),
        operation: Some("getOrder"),
        source: IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 1, 2, 3, 4)),
    };

    fn orders() -> ApiId {
        ApiId::parse("orders").unwrap()
    }

    fn key(limit: &str, api: &ApiId, caller: &Caller<'_>) -> Key {
        KeyRef::of(limit.parse().unwrap(), api, caller).to_key()
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in [
            "",
            "api orders per-identity",
            "api orders per-planet x",
            "app orders per-identity x",
            "grant g_1 per-identity x",
            "api orders per-identity x y",
            "api  per-identity x",
            "api orders per-source x",
            "api orders per-api x",
        ] {
            assert_eq!(text.parse::<Key>(), Err(BadKey(text.to_owned())));
        }
    }

    #[test]
    fn a_key_is_found_by_what_it_was_made_of_and_by_its_text() {
        for (limit, text) in [
            ("5/s per identity", "api orders per-identity svc-billing"),
            ("5/h per credential", "api orders per-credential-hour cred_1"),
            ("5/day per grant", "api orders per-grant-day g_1"),
            ("5/month per operation", "api orders per-operation-month getOrder"),
            ("5/min per source", "api orders per-source-minute 2001:db8::"),
            ("5 concurrent per api", "api orders per-api-concurrent -"),
        ] {
            let (api, limit) = (orders(), limit.parse().unwrap());
            let wanted = KeyRef::of(limit, &api, &CALLER);
            let key = wanted.to_key();
            assert_eq!(key.to_string(), text);
            assert_eq!(text.parse::<Key>().unwrap(), key);
            assert_eq!(key.as_ref(), wanted);
            assert!(key.is(&wanted) && !key.is(&wanted.rest()));
            let rest = key.as_ref().rest().to_key();
            assert!(rest.to_string().ends_with(" *"));
            assert_eq!(rest.to_string().parse::<Key>().unwrap(), rest);
        }
        let other = ApiId::parse("bills").unwrap();
        let of_other = key("5/s per identity", &other, &CALLER);
        assert!(!of_other.is(&key("5/s per identity", &orders(), &CALLER).as_ref()));
    }

    #[test]
    fn calls_without_grant_or_operation_count_together() {
        let observed = Caller { grant: None, operation: None, ..CALLER };
        for limit in ["5/s per grant", "5/s per operation"] {
            let key = key(limit, &orders(), &observed);
            assert_eq!(key.as_ref(), key.as_ref().rest());
        }
    }
}
