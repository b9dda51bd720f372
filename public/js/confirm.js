/** A confirmation closes once its answer is there; without scripts the page is loaded anew. */
(() => {
  document.addEventListener("htmx:after:request", (event) => {
    event.target.closest?.("[popover]")?.hidePopover();
  });
})();
