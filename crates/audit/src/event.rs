//! The closed list of administrative events. A code is written into ledgers that outlive every
//! release: it is never renamed and never given another meaning.

use base::words;

words! {
    /// What happened.
    Event {
        /// The ledger came to be: its first entry.
        LedgerStarted = "ledger.started",

        /// An API entered the catalogue.
        ApiAdded = "api.added",
        /// Its owner, upstream, mode or limits changed.
        ApiChanged = "api.changed",
        /// Its operations were read from a document.
        ApiOperationsImported = "api.operations_imported",
        /// What its messages are checked against, or what becomes of those that break it, changed.
        ApiChecksChanged = "api.checks_changed",
        /// It left the catalogue.
        ApiRemoved = "api.removed",

        /// An identity was registered.
        IdentityAdded = "identity.added",
        /// Its attributes changed.
        IdentityChanged = "identity.changed",
        /// Somebody else answers for it.
        IdentityOwnerSet = "identity.owner_set",
        /// It may not act for now.
        IdentitySuspended = "identity.suspended",
        /// It may act again.
        IdentityResumed = "identity.resumed",
        /// The members of a group changed.
        GroupChanged = "group.changed",
        /// What is known of an identity was set.
        IdentityAttributesSet = "identity.attributes_set",
        /// A role was made, changed or removed.
        RoleChanged = "role.changed",
        /// The objects that a subject has a relation to were set.
        RelationChanged = "relation.changed",
        /// Guardrails were published, or an earlier version of them again.
        GuardrailsPublished = "guardrails.published",
        /// A change of policy began to be put in force step by step.
        RolloutStarted = "rollout.started",
        /// It governs a larger share of callers.
        RolloutAdvanced = "rollout.advanced",
        /// It governs everybody: it was published.
        RolloutCompleted = "rollout.completed",
        /// It was taken back before it governed everybody.
        RolloutReturned = "rollout.returned",
        /// The terms of a grant were changed to ask more or to show less.
        GrantTermsChanged = "grant.terms_changed",
        /// A grant is being taken back step by step, or no longer is.
        GrantWithdrawalChanged = "grant.withdrawal_changed",

        /// A credential was issued.
        CredentialIssued = "credential.issued",
        /// A credential is refused for good.
        CredentialRevoked = "credential.revoked",

        /// A grant came to be.
        GrantGiven = "grant.given",
        /// It covers less than before.
        GrantNarrowed = "grant.narrowed",
        /// It allows nothing any more.
        GrantRevoked = "grant.revoked",
        /// A review kept it.
        GrantCertified = "grant.certified",

        /// A token for the admin API was issued.
        AdminTokenIssued = "admin_token.issued",
        /// A token for the admin API is refused for good.
        AdminTokenRevoked = "admin_token.revoked",
        /// A one-time sign-in link was made.
        SignInLinkIssued = "sign_in_link.issued",
        /// A person signed in.
        SessionStarted = "session.started",
        /// A person signed out.
        SessionEnded = "session.ended",

        /// A campaign started on a sealed population.
        ReviewStarted = "review.started",
        /// A campaign could not start: grants without a reviewer, or nothing to review.
        ReviewLaunchFailed = "review.launch_failed",
        /// Reviewers got more time.
        ReviewExtended = "review.extended",
        /// A reviewer signed their decisions.
        ReviewSigned = "review.signed",
        /// Every item of a campaign has its outcome.
        ReviewDecided = "review.decided",
        /// Items left the review because their grant changed or went.
        ReviewItemsSuperseded = "review.items_superseded",
        /// Removals and narrowings were carried out.
        ReviewRemediated = "review.remediated",
        /// They were proved at the gate.
        ReviewVerified = "review.verified",
        /// One of them could not be carried out or proved.
        ReviewRemediationFailed = "review.remediation_failed",
        /// Every item has its outcome and every removal its proof.
        ReviewCompleted = "review.completed",
        /// A campaign was given up.
        ReviewCancelled = "review.cancelled",

        /// A problem was found.
        FindingOpened = "finding.opened",
        /// A problem is gone.
        FindingResolved = "finding.resolved",

        /// Data of another system was carried over.
        ImportApplied = "import.applied",
        /// The configuration file was applied.
        ConfigurationApplied = "configuration.applied",

        /// A sealed segment of call records was bound to the ledger.
        CallRecordsAnchored = "call_records.anchored",
        /// Call records were deleted by the retention rule.
        CallRecordsExpired = "call_records.expired",
    }
}
