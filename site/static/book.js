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

// What is wider than the page scrolls in its own box: the keyboard gets there. Boxes are looked at
// when they are laid out, and again when their size changes.
const wide = new ResizeObserver((changes) => {
  for (const { target } of changes) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
document.fonts.ready.then(() => {
  const boxes = "div.math, pre, .cell_output > .output, .pst-scrollable-table-container";
  for (const box of document.querySelectorAll(boxes)) wide.observe(box);
});

// The meaning of a term stands below it, moved to the left where it would leave the page.
const place = ({ target }) => {
  const term = target.closest?.(".book-term");
  if (!term) return;
  const room = document.documentElement.clientWidth - 16;
  const em = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const width = Math.min(20 * em, 0.7 * room);
  const shift = Math.min(0, room - width - term.getBoundingClientRect().left);
  term.style.setProperty("--shift", `${shift}px`);
};
addEventListener("pointerover", place);
addEventListener("focusin", place);

// Explorables that draw on the way move what an address leads to: go there until it stays.
const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
if (target) {
  let times = 0;
  const settle = () => {
    target.scrollIntoView({ behavior: "instant" });
    times += 1;
    if (times < 10) setTimeout(settle, 80);
  };
  addEventListener("load", settle);
  for (const event of ["wheel", "touchstart", "keydown"]) addEventListener(event, () => (times = 10));
}
