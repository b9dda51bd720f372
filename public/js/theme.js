/** Cycles the theme: system, light, dark. A cookie, so that the server prints the next page right. */
(() => {
  const THEMES = ["system", "light", "dark"];
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    const root = document.documentElement;
    const next = THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length];
    root.dataset.theme = next;
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API needs HTTPS and a newer browser.
    document.cookie = `signalbox_theme=${next}; path=/; max-age=31536000; samesite=lax`;
    for (const name of document.querySelectorAll("[data-theme-name]")) name.textContent = next;
  });
})();
