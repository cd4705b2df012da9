// What the buttons around a page do: colours, search, the two sidebars, the way back to the top,
// copying code; and which section the reader is in. It stands in for the theme's own scripts, which
// bring a whole framework along.
{
  const on = (target, event, handler) => target?.addEventListener(event, handler);
  const find = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];

  // Colours: as the system has them, the other ones, the same ones.
  on(colours.dark, "change", () => colours.show(colours.mode));
  for (const button of all(".theme-switch-button")) {
    on(button, "click", () => {
      const order = colours.dark.matches ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
      const mode = order[(order.indexOf(document.documentElement.dataset.mode) + 1) % 3];
      try {
        localStorage.setItem("mode", mode);
      } catch {
        // Storage is closed to us: the colours hold for this page.
      }
      colours.show(mode);
    });
  }

  // A press outside a dialog closes it.
  for (const dialog of all("dialog")) {
    on(dialog, "click", ({ clientX: x, clientY: y }) => {
      const { left, right, top, bottom } = dialog.getBoundingClientRect();
      if (x < left || x > right || y < top || y > bottom) dialog.close();
    });
    // Sphinx's own handler of the key would keep the dialog open.
    on(dialog, "keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      dialog.close();
    });
  }

  // Search: a dialog, where the page has no field of its own.
  const field = find(":not(dialog) > form.bd-search input");
  const dialog = find("#pst-search-dialog");
  const search = () => {
    if (field) field.select();
    else if (dialog.open) dialog.close();
    else dialog.showModal();
  };
  const mac = /^(Mac|iPhone|iPad)/.test(navigator.platform);
  if (mac) all(".kbd-shortcut__modifier").forEach((key) => (key.textContent = "⌘"));
  all(".search-button__button").forEach((button) => on(button, "click", search));
  on(window, "keydown", (event) => {
    const held = mac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
    if (!held || event.shiftKey || event.altKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    search();
  });

  // Sidebars: on a narrow page each is shown as a dialog, into which all that it holds is moved; on
  // a wide one the left one is hidden and shown.
  const move = (from, to) => {
    to.append(...from.childNodes);
    [from.className, to.className] = ["", from.className];
  };
  for (const name of ["primary", "secondary"]) {
    const sidebar = find(`#pst-${name}-sidebar`);
    const shown = find(`#pst-${name}-sidebar-modal`);
    on(sidebar && find(`.${name}-toggle`), "click", () => {
      if (name === "primary" && matchMedia("(min-width: 992px)").matches) {
        sidebar.classList.toggle("pst-sidebar-hidden");
      } else {
        move(sidebar, shown);
        shown.showModal();
      }
    });
    on(shown, "close", () => move(shown, sidebar));
    on(shown, "click", ({ target }) => target.closest("a[href*='#']") && shown.close());
  }

  // The list of pages is scrolled to this one.
  const here = find(".bd-docs-nav .current.active > a");
  const list = find("#pst-primary-sidebar");
  if (here && list && here.offsetTop > list.clientHeight / 2) {
    list.scrollTop = here.offsetTop - list.clientHeight / 4;
  }

  // Back to the top: offered to whoever scrolls up.
  const up = find("#pst-back-to-top");
  let before = 0;
  on(up, "click", () => scrollTo({ top: 0 }));
  on(document, "scroll", () => {
    document.body.classList.toggle("scrolled", scrollY > 0);
    if (up) up.style.display = scrollY < before && scrollY > innerHeight ? "block" : "none";
    before = scrollY;
  });

  // The section that the reader is in: the last one whose beginning is in the page's upper part.
  const links = new Map(
    all(".page-toc a[href^='#']").map((link) => [
      document.getElementById(decodeURIComponent(link.hash.slice(1))),
      link,
    ]),
  );
  const seen = new Set();
  const follow = new IntersectionObserver(
    (changes) => {
      for (const { isIntersecting, target } of changes) {
        if (isIntersecting) seen.add(target);
        else seen.delete(target);
      }
      const current = links.get([...links.keys()].findLast((section) => seen.has(section)));
      for (const link of links.values()) {
        link.classList.toggle("active", link === current);
        for (let item = link.closest("li"); item; item = item.parentElement.closest("li")) {
          item.classList.toggle("active", item.contains(current || null));
        }
      }
    },
    { rootMargin: "0px 0px -60%" },
  );
  for (const section of links.keys()) if (section) follow.observe(section);

  // Code is copied by a button, which comes with the code into sight.
  const { copy, copied } = document.body.dataset;
  const labelled = (button, label) => {
    button.title = label;
    button.setAttribute("aria-label", label);
  };
  const offer = new IntersectionObserver((changes) => {
    for (const { isIntersecting, target } of changes) {
      if (!isIntersecting) continue;
      offer.unobserve(target);
      const button = document.createElement("button");
      button.className = "book-copy";
      labelled(button, copy);
      on(button, "click", async () => {
        await navigator.clipboard.writeText(target.querySelector("pre").textContent.trimEnd());
        labelled(button, copied);
        button.dataset.done = "";
        setTimeout(() => {
          labelled(button, copy);
          delete button.dataset.done;
        }, 2000);
      });
      target.append(button);
    }
  });
  if (navigator.clipboard) {
    all("div.cell_input div.highlight, div.highlight-bash div.highlight").forEach((code) =>
      offer.observe(code),
    );
  }
}
