// Called where it stands, right after the explorable's element, in an output that stands alone. The
// module's address holds as long as the page: a module may start a worker from it at any time.
(boot, id, state, source) => {
  const here = document.currentScript && document.currentScript.parentElement;
  const find = (scope) => scope && scope.querySelector(`[id="${id}"]`);
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  boot(find(here) || find(document), state, address);
};
