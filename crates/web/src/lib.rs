//! The HTTP surfaces of Tollgate.
//!
//! A request walks: [`serve`] (the socket) -> `front_door` (request id, known method, envelope, log line) -> the
//! router -> `gate` (rate limit, who, may they, which version) -> a handler (parse, one service call, shape the
//! answer). One table of endpoints feeds the router, the gate, and the OpenAPI document.
//!
//! Two surfaces, never mixed: [`compatible`] at the root, exactly the contract; [`native`] under `/tollgate`, ours. Beside
//! them the [`dashboard`], for people.

mod app;
mod assets;
mod catalogue;
mod compatible;
mod connections;
pub mod dashboard;
mod endpoint;
mod envelope;
mod error;
mod extract;
mod front_door;
mod gate;
mod health;
mod native;
mod openapi;
mod rest_of_body;
mod router;
mod serve;

pub use app::{App, Settings};
pub use catalogue::{CATALOGUE, Entry};
pub use connections::{Express, Head, NoExpress, serve_connections};
pub use endpoint::{Access, Endpoint, Surface};
pub use openapi::document as openapi;
pub use router::endpoints;
pub use serve::serve;
