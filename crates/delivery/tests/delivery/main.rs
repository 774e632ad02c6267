//! The delivery plane over real stores, with a stopped clock and receivers that behave as they are told.

#[cfg(test)]
mod bad_receivers;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod fetch;
#[cfg(test)]
mod lanes;
#[cfg(test)]
mod receiver;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod schedule;
#[cfg(test)]
mod signing;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod trouble;
