//! A device with passkeys, and the browser in front of it: real keys and signatures, and any mistake that is asked for.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const HAS_CREDENTIAL: u8 = 1 << 6;

/// A device with one passkey, if any.
pub(crate) struct Device {
    key: EcdsaKeyPair,
    credential: [u8; 32],
    user: String,
    /// Counts its signatures.
    pub(crate) counter: u32,
    /// Whether it asks for a PIN.
    pub(crate) verifies: bool,
    /// Where its browser is.
    pub(crate) origin: &'static str,
}

impl Device {
    /// Two with another number have another credential.
    pub(crate) fn new(number: u8, origin: &'static str) -> Self {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        Self {
            key: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, made.as_ref(), &random).unwrap(),
            credential: [number; 32],
            user: String::new(),
            counter: 0,
            verifies: true,
            origin,
        }
    }

    /// Makes a passkey as the options ask, and answers.
    pub(crate) fn create(&mut self, options: &str) -> String {
        let options = public_key(options);
        text(&options["user"]["id"]).clone_into(&mut self.user);
        let mut data = self.head(text(&options["rp"]["id"]), HAS_CREDENTIAL);
        data.extend([0; 16]); // no maker's name
        data.extend([0, 32]);
        data.extend(self.credential);
        // COSE: an ECDSA key on P-256, for SHA-256.
        let point = self.key.public_key().as_ref();
        data.extend([0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 32]);
        data.extend(&point[33..]);
        let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        attestation.push(u8::try_from(data.len()).unwrap());
        attestation.extend(data);
        let client_data = self.client_data("webauthn.create", &options);
        self.answer(&json!({
            "clientDataJSON": encoded(client_data.as_bytes()),
            "attestationObject": encoded(&attestation),
            "transports": ["internal"],
        }))
    }

    /// Signs as the options ask, and answers.
    pub(crate) fn get(&mut self, options: &str) -> String {
        let options = public_key(options);
        self.counter += 1;
        let data = self.head(text(&options["rpId"]), 0);
        let client_data = self.client_data("webauthn.get", &options);
        let mut signed = data.clone();
        signed.extend(Sha256::digest(&client_data));
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        self.answer(&json!({
            "clientDataJSON": encoded(client_data.as_bytes()),
            "authenticatorData": encoded(&data),
            "signature": encoded(signature.as_ref()),
            "userHandle": self.user,
        }))
    }

    /// The same passkey, as somebody who isn't its person would present it.
    pub(crate) fn claiming_to_be(&mut self, other: &Self) {
        self.user.clone_from(&other.user);
    }

    /// The same credential id, with another key.
    pub(crate) fn forged(&self) -> Self {
        let mut forged = Self::new(self.credential[0], self.origin);
        forged.user.clone_from(&self.user);
        forged.counter = self.counter;
        forged
    }

    fn head(&self, party: &str, flags: u8) -> Vec<u8> {
        let verified = if self.verifies { USER_VERIFIED } else { 0 };
        let mut head = Sha256::digest(party).to_vec();
        head.push(USER_PRESENT | verified | flags);
        head.extend(self.counter.to_be_bytes());
        head
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        let challenge = text(&options["challenge"]);
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false }).to_string()
    }

    fn answer(&self, response: &Value) -> String {
        let id = encoded(&self.credential);
        let answer = json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "response": response,
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
        });
        answer.to_string()
    }
}

fn public_key(options: &str) -> Value {
    serde_json::from_str(options).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
