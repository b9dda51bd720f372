/** "Clear" empties the form in place, so that the page need not be loaded again. */
(() => {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-clears]");
    const form = link && document.getElementById(link.dataset.clears);
    if (!form) return;
    event.preventDefault();
    for (const field of form.elements) {
      if (field.type === "checkbox") field.checked = false;
      else if (field.name) field.value = "";
    }
    htmx.trigger(form, "filters:cleared");
  });
})();
