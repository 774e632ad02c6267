//! The verifier from outside, as whoever depends on it uses it.

mod limits;
mod model;
mod refusals;
mod support;
mod threads;
mod usage;
