//! One account in one Region: the unit that AWS throttles, denies and opts in by.

/// Account and Region.
pub type AccountRegion = (String, String);
