// What pages can't do by themselves: copy, close menus, and look again when something happened. Without this script,
// every page and form works the same, and reloading shows what is new.

/** Shows the buttons that need scripts, also in parts of the page that came later. */
function prepare(root) {
  for (const button of root.querySelectorAll("button.copy")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button.copy");
  if (button) {
    const before = button.textContent;
    try {
      const { copy, copyFrom } = button.dataset;
      await navigator.clipboard.writeText(copy ?? document.getElementById(copyFrom).textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => { button.textContent = before; }, 1500);
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

/**
 * Asks for the page again and takes over the parts that are marked, unless somebody is at work in them; what is open in them
 * stays open. Says whether there is anything more to wait for.
 */
async function look() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok || answer.redirected) return true;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  let missed = false;
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`);
    if (!other) continue;
    if (part.contains(document.activeElement) || hasSelection(part)) {
      missed = true;
      continue;
    }
    prepare(other);
    for (const { id } of part.querySelectorAll("details[open][id]")) {
      other.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
    }
    if (!part.isEqualNode(other)) part.replaceWith(document.adoptNode(other));
  }
  return missed || fresh.body.dataset.liveBeat !== undefined;
}

function hasSelection(part) {
  const selection = getSelection();
  return !selection.isCollapsed && selection.containsNode(part, true);
}

/** One look at a time, and one more when something happened meanwhile. */
function follow(beat) {
  let looking = false;
  let again = false;
  const changed = async () => {
    if (document.hidden || looking) { again = true; return; }
    looking = true;
    do {
      again = false;
      if (!await look().catch(() => true)) { source.close(); return; }
    } while (again && !document.hidden);
    looking = false;
  };
  let source;
  const open = () => {
    source = new EventSource(`/dashboard/live?beat=${beat}`);
    source.addEventListener("changed", changed);
    source.addEventListener("error", () => {
      // Closed by an answer that isn't a stream: try again later; browsers do the rest by themselves.
      if (source.readyState === EventSource.CLOSED) setTimeout(open, 5000);
    });
  };
  open();
  document.addEventListener("visibilitychange", () => { if (!document.hidden && again) changed(); });
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => { if (event.persisted) { open(); changed(); } });
}

prepare(document);
if (document.body.dataset.liveBeat !== undefined) follow(document.body.dataset.liveBeat);
