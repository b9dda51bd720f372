/** Ticked rows: one box for all of them, and how many they are. */
(() => {
  const all = document.querySelector("[data-tick-all]");
  const form = document.getElementById("bulk");
  if (!all || !form) return;
  const boxes = () => [...form.elements].filter((field) => field.name === "id");
  const said = form.querySelector("[data-ticked]");

  function tell() {
    const ticked = boxes().filter((box) => box.checked).length;
    all.checked = ticked > 0 && ticked === boxes().length;
    all.indeterminate = ticked > 0 && !all.checked;
    if (said) said.textContent = ticked === 0 ? "" : String(ticked);
  }

  all.hidden = boxes().length === 0;
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    tell();
  });
  document.addEventListener("change", (event) => {
    if (event.target.form === form) tell();
  });
  // What the browser remembers of a page that it goes back to.
  addEventListener("pageshow", tell);
})();
