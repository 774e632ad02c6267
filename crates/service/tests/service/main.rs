//! Use-cases over a real store, with stopped time and repeatable chance.

#[cfg(test)]
mod authenticator;
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
mod sign_in;
