/**
 * A confirmation closes once its answer is there, and good news goes by itself: the page below shows what became of it.
 * Without scripts the page is loaded anew.
 */
(() => {
  const NEWS_MS = 6_000;
  document.addEventListener("htmx:after:request", (event) => {
    event.target.closest?.("[popover]")?.hidePopover();
  });
  document.addEventListener("htmx:after:swap", () => {
    const news = document.querySelector("#flash > .good");
    if (news) setTimeout(() => news.remove(), NEWS_MS);
  });
})();
