// Starts each explorable of a page when the reader comes near it: its module, styles and assets are
// files beside this one, fetched only then. `boot` stands before this (see booksite/explorables.py).

const address = (file) => new URL(file, import.meta.url).href;

// Fulfilled when a style sheet holds; each is asked for once.
const styles = new Map();
function styled(file) {
  const load = (done) => {
    const link = document.createElement("link");
    Object.assign(link, { rel: "stylesheet", href: address(file), onload: done, onerror: done });
    document.head.append(link);
  };
  if (!styles.has(file)) styles.set(file, new Promise(load));
  return styles.get(file);
}

const asleep = new Set(document.querySelectorAll("[data-module]"));

async function start(el) {
  if (!asleep.delete(el)) return;
  near.unobserve(el);
  const state = JSON.parse(el.querySelector(":scope > script").textContent);
  for (const [name, file] of Object.entries(state.assets || {})) state.assets[name] = address(file);
  const module = address(el.dataset.module);
  await Promise.all([styled(el.dataset.style), import(module).catch(() => {})]);
  boot(el, state, module);
}

// Near: less than a screen away. Whoever prints the page wants all of them.
const near = new IntersectionObserver(
  (seen) => seen.forEach(({ isIntersecting, target }) => isIntersecting && start(target)),
  { rootMargin: "100% 0px" },
);
asleep.forEach((el) => near.observe(el));
addEventListener("beforeprint", () => asleep.forEach(start));
addEventListener("focusin", ({ target }) => asleep.forEach((el) => el.contains(target) && start(el)));
