/**
 * Times in the reader's own zone, and spans that count on. The server prints UTC and the span so far, so a page without
 * scripts is right too. `window.signalbox.now()` is the server's clock.
 */
(() => {
  let offset = 0;
  const now = () => Date.now() + offset;

  /** Same words as `duration` in src/web/format.ts; a test compares both. */
  function duration(ms) {
    const t = Math.max(0, ms);
    if (t < 1) return t === 0 ? "0 ms" : "<1 ms";
    if (t < 1e3) return `${Math.floor(t)} ms`;
    if (t < 1e4) return `${(Math.floor(t / 100) / 10).toFixed(1)} s`;
    if (t < 6e4) return `${Math.floor(t / 1e3)} s`;
    if (t < 36e5) return pair(t, 6e4, "m", 1e3, "s");
    if (t < 864e5) return pair(t, 36e5, "h", 6e4, "m");
    return pair(t, 864e5, "d", 36e5, "h");
  }

  function pair(t, large, largeUnit, small, smallUnit) {
    const rest = Math.floor((t % large) / small);
    const head = `${Math.floor(t / large).toLocaleString("en-US")} ${largeUnit}`;
    return rest === 0 ? head : `${head} ${rest} ${smallUnit}`;
  }

  /** Counting spans skip milliseconds: nobody reads a digit that changes each time. */
  function tick() {
    for (const element of document.querySelectorAll("[data-since]")) {
      const ms = now() - Number(element.dataset.since);
      const text = ms < 1e4 ? `${Math.max(0, Math.floor(ms / 1e3))} s` : duration(ms);
      if (element.textContent !== text) element.textContent = text;
    }
  }

  const time = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hour12: false });
  const precise = new Intl.DateTimeFormat(undefined, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    hour12: false,
  });
  const full = new Intl.DateTimeFormat(undefined, {
    dateStyle: "medium",
    timeStyle: "long",
    hour12: false,
  });
  const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

  function localize(root) {
    for (const element of root.querySelectorAll("time[data-clock]:not([data-local])")) {
      const at = new Date(element.dateTime);
      const today = new Date(now()).toDateString() === at.toDateString();
      const text = (element.dataset.clock === "ms" ? precise : time).format(at);
      element.textContent = today ? text : `${day.format(at)} ${text}`;
      element.title = `${full.format(at)} (${element.dateTime})`;
      element.dataset.local = "";
    }
    for (const element of root.querySelectorAll("[data-host]")) {
      element.textContent = location.host;
    }
    // A proxy may hide from the server how it is called.
    for (const element of root.querySelectorAll("[data-origin]")) {
      element.textContent = location.origin + new URL(element.textContent).pathname;
    }
  }

  window.signalbox = {
    now,
    duration,
    time: (ms) => time.format(new Date(ms)),
    setServerTime: (ms) => {
      offset = ms - Date.now();
    },
  };
  const printed = Number(document.documentElement.dataset.now);
  // The page took a moment to arrive, so this is a little late; the stream's greeting mends it.
  if (printed > 0) window.signalbox.setServerTime(printed);
  localize(document);
  document.addEventListener("htmx:after:swap", () => {
    localize(document);
    tick();
  });
  setInterval(tick, 1000);
})();
