//! What the cases stand on: a whole server over a real store, stopped time, seeded chance, and a client that checks
//! each answer against the server's own description of itself.

mod ambient;
mod answer;
mod app;
mod client;
mod described;
mod expected;
mod moody;
mod person;
mod receiver;
mod scene;
mod store;
mod webhooks;
mod workspace;

pub(crate) use ambient::{DAY, HOUR, START, SeededEntropy};
pub(crate) use answer::Answer;
pub(crate) use app::{PLAIN, SURFACES, TestApp, shown_as_told, shown_on};
pub(crate) use client::{Request, exchange, get, patch, post, request};
pub(crate) use described::{at, document, validator};
pub(crate) use expected::{ERRORS, OURS, category};
pub(crate) use moody::{Mood, SECRET};
pub(crate) use person::Person;
pub(crate) use receiver::Receiver;
pub(crate) use scene::{NOWHERE, Scene};
pub(crate) use store::Store;
pub(crate) use webhooks::{RECEIVER, mailer, new_setting, path_of};
pub(crate) use workspace::{Key, Tenant, every_permission_but};
