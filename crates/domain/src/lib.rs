//! The pure types and rules of Tollgate.
//!
//! Everything here is a value or a function of values: no IO, no async, no clock, no randomness of its own. Time,
//! chance and identity come in as arguments ([`ambient`]), so that a test can stop, repeat and replay them.
#![warn(missing_docs)]

pub mod ambient;
pub mod api_key;
pub mod base62;
pub mod client_token;
pub mod environment;
pub mod event;
pub mod id;
pub mod identity;
pub mod network;
pub mod notification;
pub mod notification_setting;
pub mod one_time_link;
pub mod origin;
pub mod passkey;
pub mod permission;
pub mod restriction;
pub mod retry_schedule;
pub mod role;
pub mod session;
pub mod signature;
pub mod simulation;
pub mod simulation_payload;
pub mod text;
pub mod throttle;
pub mod time;
pub mod usage;
pub mod user;
pub mod verdict;
pub mod workspace;
