//! The two stores: [`sqlite`], embedded, and [`postgres`], for many nodes. Each writes its own plain SQL; what they
//! share is the queue in front of the writer, the counters' arithmetic, and the contract that both pass.

mod audit;
mod changes;
mod counters;
mod failing;
mod keyset;
mod migrations;
pub mod postgres;
mod queue;
pub mod sqlite;

pub use migrations::LATEST as LATEST_SCHEMA_VERSION;
