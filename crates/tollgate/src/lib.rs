//! The program `tollgate`: the command line, the configuration, and the composition of a server.
//!
//! [`config`] says what to run with, [`compose`] opens a store and serves over it, `commands` are what a person types.
//! Only here are all the floors known, and only [`compose`] names a backend.

mod commands;
pub mod compose;
pub mod config;
mod logging;
mod output;
mod signals;

pub use commands::main;
