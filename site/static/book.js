// The book's own few lines of script, on every page.

// Following a link to the other language is a choice: the book's front door remembers it.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-edition]");
  if (!link) return;
  try {
    localStorage.setItem("book-edition", link.dataset.edition);
  } catch {
    // Storage is closed to us: the choice holds for this visit.
  }
});

// A formula or table that is wider than the page scrolls in its own box: the keyboard gets there.
const boxes = document.querySelectorAll("div.math, .pst-scrollable-table-container");
const reach = () => {
  for (const box of boxes) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
addEventListener("resize", reach);
document.fonts.ready.then(reach);
