//! The verifier from outside, as whoever depends on it uses it.

mod refusals;
mod support;
