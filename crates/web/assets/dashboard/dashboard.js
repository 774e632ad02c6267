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
      await navigator.clipboard.writeText(button.dataset.copy);
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

/** Asks for the page again and takes over the parts that are marked, unless somebody is at work in them. */
async function look() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`);
    if (!other || part.contains(document.activeElement) || hasSelection(part)) continue;
    prepare(other);
    if (!part.isEqualNode(other)) part.replaceWith(document.adoptNode(other));
  }
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
      await look().catch(() => {});
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
