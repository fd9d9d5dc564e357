"use strict";
// Comfort only: without this file the form still works.
const form = document.getElementById("form");
const file = document.getElementById("file");
const text = document.getElementById("text");
const drop = document.getElementById("drop");
const status = document.getElementById("status");

function announce() {
  const verdict = document.getElementById("verdict");
  if (!verdict) return;
  status.textContent = "";
  verdict.focus();
}

async function check() {
  status.textContent = "Checking …";
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const result = page.getElementById("result");
    if (!result) throw new Error(String(answer.status));
    document.getElementById("result").replaceWith(document.adoptNode(result));
    document.title = page.title;
    announce();
  } catch {
    status.textContent = "The validator did not answer; is it still running?";
  }
}

document.documentElement.classList.add("scripted");
form.addEventListener("submit", (event) => { event.preventDefault(); check(); });
file.addEventListener("change", () => { if (file.files.length) text.value = ""; });
text.addEventListener("input", () => { if (text.value) file.value = ""; });
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
document.addEventListener("dragleave", () => drop.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  if (!event.dataTransfer.files.length) return;
  file.files = event.dataTransfer.files;
  text.value = "";
  form.requestSubmit();
});
// A link leads the keyboard along, not only the eye.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  const target = link && document.getElementById(link.getAttribute("href").slice(1));
  if (target) target.focus();
});
announce();
