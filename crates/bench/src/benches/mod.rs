//! The benchmarks: each makes its two sides, lets them take turns, and reports.

pub(crate) mod authorize;
pub(crate) mod builds;
pub(crate) mod dashboard;
pub(crate) mod deliveries;
pub(crate) mod engine;
pub(crate) mod group_commit;
pub(crate) mod isolation;
pub(crate) mod pages;
pub(crate) mod postgres;
pub(crate) mod revocations;
pub(crate) mod start;
pub(crate) mod verify;
pub(crate) mod waiting;
