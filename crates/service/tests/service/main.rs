//! Use-cases over a real store, with stopped time and repeatable chance.

#[cfg(test)]
mod api_keys;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod authenticator;
#[cfg(test)]
mod deliveries;
#[cfg(test)]
mod openid;
#[cfg(test)]
mod passkeys;
#[cfg(test)]
mod people;
#[cfg(test)]
mod place;
#[cfg(test)]
mod provider;
#[cfg(test)]
mod replays;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod token_search;
#[cfg(test)]
mod workspaces;
