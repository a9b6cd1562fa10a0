//! Who acts on the administrative side, and through which door.

use base::{IdentityId, words};
pub use store::Channel;

words! {
    /// What an actor may do beyond their own reviews and the objects they own.
    Role {
        /// Everything.
        Admin = "admin",
        /// Reads everything, changes nothing.
        Auditor = "auditor",
        /// Decides their own review items, sees what they own.
        Member = "member",
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person, or `system:<part>`.
    pub id: IdentityId,
    /// Display name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Through which door.
    pub channel: Channel,
}

impl Actor {
    /// portreeve acting for itself.
    pub fn system(id: IdentityId) -> Self {
        Self { name: id.to_string(), id, role: Role::Admin, channel: Channel::System }
    }

    /// May change anything.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }

    /// May read anything.
    pub fn reads_all(&self) -> bool {
        matches!(self.role, Role::Admin | Role::Auditor)
    }
}
