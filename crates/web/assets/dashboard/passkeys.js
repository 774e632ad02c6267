// Signing in with a passkey, and adding one: a form asks the server what to ask of the device, and is sent with the
// device's answer in it. Such forms are hidden until it is known here that the browser has passkeys; what says that it
// has none is shown until then.

const known = globalThis.PublicKeyCredential;

/** What `data-passkey` of a form asks of the device. */
const ASK = {
  get: (options) => navigator.credentials.get({ publicKey: known.parseRequestOptionsFromJSON(options) }),
  create: (options) => navigator.credentials.create({ publicKey: known.parseCreationOptionsFromJSON(options) }),
};

/** What the browser's own errors mean to people; the others are shown as they are. */
const MEANING = {
  NotAllowedError: "No passkey was chosen, or it took too long. Try again.",
  InvalidStateError: "This device has a passkey of yours already.",
  SecurityError: "Browsers have no passkeys at this address.",
};

/** An error whose message is for people. */
class Told extends Error {}

/** What to ask of the device. */
async function challenge(form) {
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.dataset.challenge, { method: "POST", body }).catch(() => {
    throw new Told("The server can’t be reached. Try again in a moment.");
  });
  const told = await answer.json().catch(() => ({}));
  if (!told.publicKey) throw new Told(told.problem ?? "This page is too old. Open it anew and try again.");
  return told.publicKey;
}

async function ask(form) {
  const button = form.querySelector("button");
  const problem = form.querySelector("[role=alert]");
  problem.hidden = true;
  button.disabled = true;
  try {
    const credential = await ASK[form.dataset.passkey](await challenge(form));
    form.elements.credential.value = JSON.stringify(credential);
    form.submit();
  } catch (error) {
    problem.textContent = error instanceof Told ? error.message : MEANING[error.name] ?? `That didn’t work: ${error.message}`;
    problem.hidden = false;
    button.disabled = false;
    button.focus();
  }
}

if (known?.parseRequestOptionsFromJSON && known.parseCreationOptionsFromJSON) {
  for (const without of document.querySelectorAll("[data-without-passkeys]")) without.hidden = true;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask(form);
    });
  }
}
