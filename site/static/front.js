// The book's front door, which leads to one of its languages.

// Whoever has chosen a language before goes straight there; #choose shows this page again.
const links = [...document.querySelectorAll("a[data-edition]")];
const find = (edition) => links.find((link) => link.dataset.edition === edition);
let chosen = null;
try {
  chosen = localStorage.getItem("book-edition");
} catch {
  // No storage, no memory: the page asks each time.
}
if (find(chosen) && location.hash !== "#choose") location.replace(find(chosen).href);

// The browser's language only says which choice is likely: one press of Enter takes it.
const editions = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase());
const likely = find(editions.find(find)) || links[0];
likely.classList.add("likely");
likely.focus();

for (const link of links) {
  link.addEventListener("click", () => {
    try {
      localStorage.setItem("book-edition", link.dataset.edition);
    } catch {
      // The choice holds for this visit.
    }
  });
}
