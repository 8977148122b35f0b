// Small conveniences. Every page works without this file.
"use strict";

// Buttons that print exist only where printing works.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// Buttons that copy exist only where a page may write to the clipboard.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.lastElementChild.textContent = button.dataset.done;
  });
}

// The stop code: groups of four as it is typed, and the code that a QR carries
// in the fragment, which no server ever sees.
const stop = document.querySelector("input[data-stop-code]");
if (stop) {
  const grouped = (typed) => {
    // A scanner types the whole address of the QR: what counts follows the #,
    // and until it comes there is no code to group.
    const text = typed.slice(typed.lastIndexOf("#") + 1);
    if (/[:/]/.test(text)) return text;
    const clean = text.toUpperCase().replace(/[^0-9A-Z*~$=]/g, "").slice(0, 17);
    return clean.replace(/(.{4})(?=.)/g, "$1-");
  };
  stop.addEventListener("input", () => {
    if (stop.selectionStart === stop.value.length) stop.value = grouped(stop.value);
  });
  const carried = decodeURIComponent(window.location.hash.slice(1));
  if (carried) {
    stop.value = grouped(carried);
    history.replaceState(null, "", window.location.pathname);
  }
}

// Waiting after wrong codes: the notice goes when the wait is over.
const waiting = document.querySelector("[data-wait]");
if (waiting) {
  setTimeout(() => { waiting.hidden = true; }, 1000 * Number(waiting.dataset.wait));
}

// The suggestions of services follow the démarche.
for (const choice of document.querySelectorAll("select[data-services]")) {
  choice.addEventListener("change", () => {
    const field = document.getElementById(choice.dataset.services);
    field.setAttribute("list", choice.value ? "services-" + choice.value : "services");
  });
}
