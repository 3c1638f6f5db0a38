//! One self-contained HTML page: posture by account and Region, findings, and every instance.

pub mod page;
