/**
 * `hx-swap="rows"`: a keyed, ordered table body that changes calmly.
 *
 * A row that is there is morphed in place; a new one goes where its `data-sort` says (largest
 * first); `data-gone` takes one away. `rows whole:true` means that the message holds every row.
 *
 * While a pointer is over the table, or focus in it, nothing moves under it: rows change in place,
 * newcomers wait behind "+3 new", and those that go stay, dimmed. All is caught up on leaving.
 */
(() => {
  const LEAVE_MS = 350;
  let api;
  /** Element id → what to do once the table is free: a row to place, or null to take away. */
  const held = new Map();

  function isBusy(body) {
    const table = body.closest("table");
    const pointed = matchMedia("(hover: hover)").matches && table.matches(":hover");
    return pointed || (table.contains(document.activeElement) && document.hasFocus());
  }

  function swap(style, body, fragment, spec) {
    if (style !== "rows") return false;
    const rows = [...fragment.children];
    const busy = isBusy(body);
    for (const row of rows) {
      if (row.hasAttribute("data-gone")) leave(row.id, busy);
      else arrive(body, row, busy);
    }
    if (spec.whole) {
      const kept = new Set(rows.map((row) => row.id));
      for (const row of [...body.children]) if (!kept.has(row.id)) leave(row.id, busy);
    }
    announce();
    return [];
  }

  function arrive(body, row, busy) {
    const present = document.getElementById(row.id);
    held.delete(row.id);
    if (!present) {
      if (busy) held.set(row.id, { body: body.id, row });
      else place(body, row, true);
      return;
    }
    const moves = present.parentNode !== body || present.dataset.sort !== row.dataset.sort;
    const part = document.createDocumentFragment();
    part.append(row.cloneNode(true));
    api.morph(present, part, false);
    present.classList.remove("leave");
    if (!moves) return;
    if (busy) held.set(row.id, { body: body.id, row: present });
    else place(body, present, false);
  }

  function place(body, row, isNew) {
    const sort = row.dataset.sort;
    let before = null;
    for (const other of body.children) {
      if (other !== row && other.dataset.sort < sort) {
        before = other;
        break;
      }
    }
    body.insertBefore(row, before);
    if (!isNew) return;
    row.classList.add("enter");
    setTimeout(() => row.classList.remove("enter"), 1200);
  }

  function leave(id, busy) {
    const row = document.getElementById(id);
    held.delete(id);
    if (!row) return;
    row.classList.add("leave");
    if (busy) held.set(id, { body: null, row: null });
    else setTimeout(() => row.classList.contains("leave") && row.remove(), LEAVE_MS);
  }

  function release() {
    for (const [id, { body, row }] of held) {
      const target = body && document.getElementById(body);
      if (row && target) place(target, row, !row.isConnected);
      else document.getElementById(id)?.remove();
    }
    held.clear();
    announce();
  }

  function announce() {
    for (const button of document.querySelectorAll("[data-news]")) {
      const waiting = [...held.values()].filter(
        (item) => item.body === button.dataset.news && !item.row.isConnected,
      ).length;
      button.hidden = waiting === 0;
      button.textContent = waiting === 0 ? "" : `+${waiting} new`;
    }
  }

  htmx.registerExtension("rows", {
    init: (internal) => {
      api = internal;
    },
    handle_swap: swap,
  });

  const releaseIfFree = () => {
    const body = document.querySelector("[data-rows]");
    if (held.size > 0 && body && !isBusy(body)) release();
  };
  document.addEventListener("pointerout", () => setTimeout(releaseIfFree, 150));
  document.addEventListener("focusout", () => setTimeout(releaseIfFree, 150));
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-news]")) release();
  });
})();
