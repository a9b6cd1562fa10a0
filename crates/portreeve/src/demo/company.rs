//! The demo's company as tables: who there is, what they may do and what they did. Twelve grants
//! wait in the review; three of them need a look.

/// An API of the sample upstream.
pub(super) struct SampleApi {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    pub(super) document: &'static str,
}

/// The APIs, the first in every hint first.
pub(super) const APIS: [SampleApi; 3] = [
    SampleApi { name: "orders", path: "/orders", document: include_str!("orders.yaml") },
    SampleApi { name: "invoices", path: "/invoices", document: include_str!("invoices.yaml") },
    SampleApi { name: "customers", path: "/customers", document: include_str!("customers.yaml") },
];

/// Something that calls.
pub(super) struct Caller {
    pub(super) id: &'static str,
    pub(super) kind: &'static str,
    pub(super) purpose: &'static str,
    pub(super) source: [u8; 4],
    pub(super) grants: &'static [Holding],
}

/// A grant, and how often each of its operations was called in 90 days.
pub(super) struct Holding {
    pub(super) api: &'static str,
    pub(super) operations: &'static [(&'static str, u32)],
}

const fn on(api: &'static str, operations: &'static [(&'static str, u32)]) -> Holding {
    Holding { api, operations }
}

/// Six services and two agents. Robin owns them all.
pub(super) const CALLERS: [Caller; 8] = [
    Caller {
        id: "svc-invoice-export",
        kind: "service_account",
        purpose: "Exports invoices to accounting every night",
        source: [10, 1, 0, 11],
        grants: &[
            // Needs a look: the refund came with a template and was never called.
            on("orders", &[("listOrders", 92), ("getOrder", 320), ("refundOrder", 0)]),
            on("invoices", &[("listInvoices", 90), ("getInvoice", 270)]),
        ],
    },
    Caller {
        id: "svc-checkout",
        kind: "service_account",
        purpose: "Takes orders in the shop",
        source: [10, 1, 0, 12],
        grants: &[
            on("orders", &[("createOrder", 300), ("getOrder", 240), ("updateOrder", 110)]),
            on("customers", &[("getCustomer", 280)]),
        ],
    },
    Caller {
        id: "svc-fulfilment",
        kind: "service_account",
        purpose: "Packs and ships",
        source: [10, 1, 0, 13],
        grants: &[on(
            "orders",
            &[("listOrders", 180), ("listOrderLines", 260), ("updateOrder", 130)],
        )],
    },
    Caller {
        id: "svc-mailer",
        kind: "service_account",
        purpose: "Sends order mail",
        source: [10, 1, 0, 14],
        grants: &[on("customers", &[("getCustomer", 210)]), on("orders", &[("getOrder", 230)])],
    },
    Caller {
        id: "svc-reports",
        kind: "service_account",
        purpose: "Builds the monthly figures",
        source: [10, 1, 0, 15],
        grants: &[on("orders", &[("listOrders", 120)]), on("invoices", &[("listInvoices", 120)])],
    },
    Caller {
        id: "svc-crm-sync",
        kind: "service_account",
        purpose: "Copied customers to the old CRM",
        source: [10, 1, 0, 16],
        // Needs a look: the old CRM is gone.
        grants: &[on("customers", &[("listCustomers", 0), ("getCustomer", 0)])],
    },
    Caller {
        id: "agent-support",
        kind: "ai_agent",
        purpose: "Answers customers' questions",
        source: [10, 1, 0, 21],
        // Needs a look: it answers, and has never cancelled anything.
        grants: &[on("orders", &[("getOrder", 340), ("listOrderLines", 90), ("cancelOrder", 0)])],
    },
    Caller {
        id: "agent-pricing",
        kind: "ai_agent",
        purpose: "Suggests prices from what was sold",
        source: [10, 1, 0, 22],
        grants: &[on("orders", &[("listOrders", 150)])],
    },
];

/// Refused attempts: who, which operation, how often.
pub(super) const REFUSED: [(&str, &str, &str, u32); 2] = [
    ("agent-support", "orders", "refundOrder", 9),
    ("agent-pricing", "customers", "listCustomers", 5),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_grants_are_reviewed_and_the_invoice_export_read_412_orders() {
        let grants: Vec<&Holding> = CALLERS.iter().flat_map(|caller| caller.grants).collect();
        assert_eq!(grants.len(), 12);
        let calls: u32 = grants[0].operations.iter().map(|(_, calls)| calls).sum();
        assert_eq!(calls, 412);
    }
}
