/**
 * Completion of a text field (`data-complete`: where to ask), as an ARIA 1.2 combobox with a list. The server says what
 * fits at the caret and what the text becomes; focus stays in the field, so that the keyboard alone is enough:
 * arrows choose, Enter takes, Escape closes, Tab goes on. Without scripts it is a plain field.
 */
(() => {
  const WAIT_MS = 120;

  function enhance(field) {
    const list = document.getElementById(`${field.id}-options`);
    const said = document.getElementById(`${field.id}-said`);
    if (!list) return;
    let timer = 0;
    let asking = null;
    let active = -1;
    const options = () => [...list.children];

    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-haspopup", "listbox");
    field.setAttribute("aria-controls", list.id);
    field.setAttribute("aria-expanded", "false");

    function choose(at) {
      active = at;
      for (const [i, option] of options().entries()) {
        option.setAttribute("aria-selected", String(i === at));
        if (i === at) option.scrollIntoView({ block: "nearest" });
      }
      if (at < 0) field.removeAttribute("aria-activedescendant");
      else field.setAttribute("aria-activedescendant", options()[at].id);
    }

    function close() {
      clearTimeout(timer);
      asking?.abort();
      list.hidden = true;
      field.setAttribute("aria-expanded", "false");
      choose(-1);
    }

    function show(html) {
      const found = new DOMParser().parseFromString(html, "text/html").querySelector("ul");
      list.replaceChildren(...(found?.children ?? []));
      const n = list.children.length;
      list.hidden = n === 0;
      field.setAttribute("aria-expanded", String(n > 0));
      choose(-1);
      const text = n === 0 ? "" : `${n} ${n === 1 ? "completion" : "completions"}`;
      if (said && said.textContent !== text) said.textContent = text;
    }

    async function ask() {
      asking?.abort();
      asking = new AbortController();
      const query = new URLSearchParams({ q: field.value, at: String(field.selectionStart ?? 0) });
      try {
        const answer = await fetch(`${field.dataset.complete}?${query}`, { signal: asking.signal });
        if (!answer.ok || answer.redirected) return close();
        const html = await answer.text();
        if (document.activeElement === field) show(html);
      } catch (error) {
        // Without an answer it is a plain field; one that was outrun is nobody's loss.
        if (error.name !== "AbortError") close();
      }
    }

    function soon() {
      clearTimeout(timer);
      timer = setTimeout(ask, WAIT_MS);
    }

    function take(option) {
      field.value = option.dataset.text;
      const caret = Number(option.dataset.caret);
      field.setSelectionRange(caret, caret);
      close();
      ask();
    }

    field.addEventListener("input", soon);
    field.addEventListener("click", soon);
    field.addEventListener("blur", close);
    field.addEventListener("keydown", (event) => {
      const n = options().length;
      const isOpen = !list.hidden;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (!isOpen) return ask();
        const step = event.key === "ArrowDown" ? 1 : -1;
        choose(active < 0 ? (step > 0 ? 0 : n - 1) : (active + step + n) % n);
      } else if (event.key === "Enter" && isOpen && active >= 0) {
        event.preventDefault();
        take(options()[active]);
      } else if (event.key === "Escape" && isOpen) {
        event.preventDefault();
        event.stopPropagation();
        close();
      } else if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key) && isOpen) soon();
    });
    // The field must not lose the focus to what is clicked.
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const option = event.target.closest('[role="option"]');
      if (option) take(option);
    });
  }

  for (const field of document.querySelectorAll("[data-complete]")) enhance(field);
})();
