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
