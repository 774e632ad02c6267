//! The delivery plane over real stores, with a stopped clock and receivers that behave as they are told.

mod bad_receivers;
mod receiver;
mod schedule;
mod stage;
