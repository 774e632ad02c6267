//! Client tokens by their number: what a verifier is filled with, and what clients then present.

use tollgate_domain::ambient::Entropy;
use tollgate_domain::client_token::TokenText;
use tollgate_domain::environment::Environment;
use tollgate_domain::id::{ClientTokenId, WorkspaceId};
use tollgate_domain::verdict::TokenFacts;

use crate::rounds::Dice;
use crate::seed::id;

/// Among how many workspaces the tokens are shared out.
const WORKSPACES: u64 = 100;
/// How many different requests clients have: more than the processor's caches hold of the index.
const REQUESTS: u64 = 20_000;

/// The chance that a number has.
struct Numbered(u64);

impl Entropy for Numbered {
    fn fill(&self, buffer: &mut [u8]) {
        let mut dice = Dice::new(self.0 ^ 0x746f_6c6c_6761_7465);
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&dice.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

/// The token with this number.
fn token(number: u64) -> TokenText {
    TokenText::generate(Environment::Sandbox, &Numbered(number))
}

/// Tokens without restrictions, the first so many.
pub(crate) fn facts(count: u64) -> anyhow::Result<impl Iterator<Item = TokenFacts>> {
    let workspaces = (0..WORKSPACES)
        .map(|number| WorkspaceId::parse(&id("wsp_", number)))
        .collect::<Result<Vec<_>, _>>()?;
    let ids = (0..count).map(|number| ClientTokenId::parse(&id("ctkn_", number)).expect("as the server makes them"));
    Ok(ids.zip(0..).map(move |(id, number)| TokenFacts {
        workspace: workspaces[usize::try_from(number % WORKSPACES).expect("below a hundred")],
        id,
        token: token(number),
        revoked: false,
        revoke_at: None,
        restrictions: None,
        version: 1,
    }))
}

/// What is presented to a verifier with so many tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Presented {
    /// Tokens that it knows.
    Hits,
    /// Tokens that were never issued, with the right checksum.
    Misses,
    /// Known tokens with a wrong end.
    BadChecksums,
}

impl Presented {
    pub(crate) const ALL: [Self; 3] = [Self::Hits, Self::Misses, Self::BadChecksums];

    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Hits => "known tokens",
            Self::Misses => "unknown tokens",
            Self::BadChecksums => "bad checksums",
        }
    }

    /// Texts drawn from all over the store.
    pub(crate) fn texts(self, count: u64, mut dice: Dice) -> Vec<String> {
        (0..REQUESTS)
            .map(|_| {
                let number = dice.next() % count;
                match self {
                    Self::Hits => token(number).as_str().to_owned(),
                    Self::Misses => token(count + number).as_str().to_owned(),
                    Self::BadChecksums => {
                        let text = token(number);
                        let (kept, last) = text.as_str().split_at(31);
                        format!("{kept}{}", if last == "0" { '1' } else { '0' })
                    }
                }
            })
            .collect()
    }
}
