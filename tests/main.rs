//! Journeys across the whole program, as people and programs walk them: the real binary, real stores, real clients.

#[cfg(test)]
mod browser;
#[cfg(test)]
mod client;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod dashboard;
#[cfg(test)]
mod dev;
#[cfg(test)]
mod durability;
#[cfg(test)]
mod explain_signature;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod listen;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod sdk;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod trigger;
#[cfg(test)]
mod users;
#[cfg(test)]
mod webhooks;
