// Before anything is drawn: the reader's colours, and that scripts of this site will follow. A page
// opened as a file has none: a browser loads no module from there.
(() => {
  const root = document.documentElement;
  let mode = null;
  try {
    mode = localStorage.getItem("mode");
  } catch {
    // No storage, no memory.
  }
  root.dataset.mode = mode || "auto";
  const dark = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  root.dataset.theme = ["light", "dark"].includes(mode) ? mode : dark;
  if (location.protocol !== "file:") root.dataset.live = "";
})();
