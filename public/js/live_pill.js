/**
 * The pill says how fresh the page is: Live, Reconnecting, or Stale since when. It believes only
 * what it hears: the stream pings every five seconds.
 */
(() => {
  const SILENT_MS = 12_000;
  const STALE_MS = 4_000;
  const RETRY_MS = 2_000;
  const pill = document.getElementById("live-pill");
  if (!pill) return;
  const text = pill.querySelector("[data-live-text]");
  let heardAt = Date.now();
  let connected = false;

  function show(state, words) {
    if (pill.dataset.live !== state) pill.dataset.live = state;
    if (text.textContent !== words) text.textContent = words;
  }

  function update() {
    const silent = Date.now() - heardAt;
    if (connected && silent < SILENT_MS) return show("live", "Live");
    if (silent < STALE_MS) return show("reconnecting", "Reconnecting");
    show("stale", `Stale since ${window.signalbox.time(window.signalbox.now() - silent)}`);
    // A connection that looks open and says nothing, such as after sleep, is cut and made anew.
    if (connected) {
      connected = false;
      stream()?._htmx?.sse?.reader?.cancel();
    }
  }

  const stream = () => document.querySelector("[data-live-stream]");
  const isStream = (event) => event.target?.matches?.("[data-live-stream]");

  function heard(event) {
    if (!isStream(event)) return;
    connected = true;
    heardAt = Date.now();
    update();
  }

  function lost(event) {
    if (!isStream(event)) return;
    connected = false;
    update();
  }

  document.addEventListener("hello", (event) => {
    if (!isStream(event)) return;
    window.signalbox.setServerTime(JSON.parse(event.detail.data).now);
    heard(event);
  });
  document.addEventListener("ping", heard);
  document.addEventListener("htmx:sse:after:message", heard);
  document.addEventListener("htmx:sse:error", lost);
  document.addEventListener("htmx:sse:close", lost);
  document.addEventListener("htmx:sse:before:connection", (event) => {
    if (event.detail.connection.attempt > 0) lost(event);
  });
  // htmx opens the first connection once; where that fails, ask it again.
  document.addEventListener("htmx:finally:request", (event) => {
    const element = event.target;
    if (!element?.matches?.("[data-live-stream], [data-log-stream]") || element._htmx?.sse) return;
    lost(event);
    setTimeout(() => element.isConnected && htmx.trigger(element, "live:retry"), RETRY_MS);
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) heardAt = Math.max(heardAt, Date.now() - STALE_MS + 1500);
  });
  show("reconnecting", "Connecting");
  setInterval(update, 1000);
})();
