// Before anything is drawn: the reader's colours, and that scripts of this site will follow. A page
// opened as a file has none: a browser loads no module from there.
const colours = {
  dark: matchMedia("(prefers-color-scheme: dark)"),
  get mode() {
    try {
      const kept = localStorage.getItem("mode");
      return ["light", "dark"].includes(kept) ? kept : "auto";
    } catch {
      return document.documentElement.dataset.mode || "auto"; // no storage, no memory
    }
  },
  show(mode) {
    const system = this.dark.matches ? "dark" : "light";
    Object.assign(document.documentElement.dataset, { mode, theme: mode === "auto" ? system : mode });
  },
};
colours.show(colours.mode);
if (location.protocol !== "file:") document.documentElement.dataset.live = "";
