/** `/` goes to the search, `j` and `k` walk the rows, Escape leaves. Never while somebody types. */
(() => {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key === "Escape" && (typing || event.target.closest?.("table"))) {
      event.target.blur();
      return;
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") {
      const field = document.querySelector('[data-key="/"]');
      if (!field) return;
      event.preventDefault();
      field.focus();
      field.select?.();
    }
    if (event.key === "j" || event.key === "k") walk(event.key === "j" ? 1 : -1);
  });

  function walk(step) {
    const links = [...document.querySelectorAll("tr.job th a")];
    const at = links.indexOf(document.activeElement);
    const next = links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + step))];
    next?.focus();
  }
})();
