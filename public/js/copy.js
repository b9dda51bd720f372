/** Copies what `data-copy` holds, else the text before it, also over plain HTTP, where browsers give no clipboard. */
(() => {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const done = await copy(button.dataset.copy || button.previousElementSibling.textContent);
    const label = button.querySelector("span") ?? button;
    const before = label.textContent;
    label.textContent = done ? "Copied" : "Press Ctrl+C";
    setTimeout(() => {
      label.textContent = before;
    }, 1500);
  });

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "sr-only";
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  }
})();
