/**
 * What may be done with what is ticked: a button is open where it fits every ticked row. Rows that are
 * printed anew keep their ticks; without scripts all buttons are open, and the server says what does not fit.
 */
(() => {
  const form = document.querySelector("form[data-selection]");
  if (!form) return;
  const said = form.querySelector("[data-ticked]");
  const fits = (needs, rows) => needs === "any" || rows.every((row) => row.dataset.is === needs);

  function tell() {
    const ticked = [...form.elements].filter((field) => field.name === "item" && field.checked);
    for (const button of form.querySelectorAll("[data-needs]")) {
      button.disabled = ticked.length === 0 || !fits(button.dataset.needs, ticked);
    }
    const text = ticked.length === 0 ? "" : `${ticked.length} ticked`;
    if (said && said.textContent !== text) said.textContent = text;
  }

  document.addEventListener("change", (event) => {
    if (event.target.form === form) tell();
  });
  document.addEventListener("htmx:after:swap", tell);
  // What the browser remembers of a page that it goes back to.
  addEventListener("pageshow", tell);
  tell();
})();
