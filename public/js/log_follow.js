/** Keeps a live log at its end while "Follow" is on, and bounds what the page holds of it. */
(() => {
  const CHARACTERS_MAX = 2_000_000;
  const NEAR = 40;

  const follow = () => document.querySelector("[data-log-follow]");

  function toEnd(log) {
    log.scrollTop = log.scrollHeight;
  }

  function trim(log) {
    while (log.textContent.length > CHARACTERS_MAX && log.children.length > 1) {
      log.firstElementChild.remove();
    }
  }

  document.addEventListener("htmx:after:swap", (event) => {
    const log = event.target.closest?.("[data-log-stream]") ?? document.getElementById("log-lines");
    if (!log) return;
    trim(log);
    if (follow()?.checked) toEnd(log);
  });
  // Scrolling back is a wish to read; scrolling to the end, to go on.
  document.addEventListener(
    "wheel",
    (event) => {
      const log = event.target.closest?.("[data-log-stream]");
      const box = follow();
      if (!log || !box) return;
      if (event.deltaY < 0) box.checked = false;
      else if (log.scrollHeight - log.scrollTop - log.clientHeight < NEAR) box.checked = true;
    },
    { passive: true },
  );
  document.addEventListener("change", (event) => {
    const log = document.getElementById("log-lines");
    if (event.target.matches("[data-log-follow]") && event.target.checked && log) toEnd(log);
  });
  // The attempt is over: there is nothing to follow any more.
  document.addEventListener("htmx:sse:close", (event) => {
    if (!event.target.matches?.("[data-log-stream]") || event.detail.reason !== "message") return;
    follow()?.closest("label").remove();
    event.target.removeAttribute("data-log-stream");
  });
  const log = document.getElementById("log-lines");
  if (log && follow()) toEnd(log);
})();
