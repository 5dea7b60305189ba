// The page begins: what is clicked, typed and scrolled.
function listen() {
  let waiting = false;
  const later = () => { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; draw(); }); } };
  addEventListener("scroll", later, {passive: true});
  addEventListener("resize", () => requestAnimationFrame(arrange));
  find("list").addEventListener("change", (event) => show(/^\d+$/.test(event.target.value) ? Number(event.target.value) : event.target.value, {scroll: false}));
  find("threshold").addEventListener("input", (event) => { state.threshold = Number(event.target.value); update(); });
  find("bin").addEventListener("click", () => show(state.list, {scroll: false}));
  find("dive").addEventListener("change", (event) => chooseDive(Number(event.target.value)));
  find("all-look").addEventListener("click", () => show("look"));
  find("grid").addEventListener("click", (event) => { const cell = event.target.closest(".cell"); if (cell) open(shownFrames, Number(cell.dataset.place)); });
  find("timeline").addEventListener("click", (event) => {
    const {bin, name, dive} = (event.target.closest("[data-bin],[data-name],[data-dive]") || {dataset: {}}).dataset;
    if (bin === undefined && name === undefined && dive === undefined) return;
    if (dive !== undefined) chooseDive(Number(dive));
    show(name === undefined ? "all" : Number(name), {bin: bin === undefined ? null : Number(bin)});
  });
  document.querySelectorAll(".names a").forEach((link) => link.addEventListener("click", (event) => { event.preventDefault(); show(Number(link.dataset.name)); }));
  document.querySelectorAll(".card").forEach((card) => card.addEventListener("click", (event) => { event.preventDefault(); open(data.lookOrder, data.lookOrder.indexOf(Number(card.dataset.frame))); }));
  find("previous").addEventListener("click", () => step(-1));
  find("next").addEventListener("click", () => step(1));
  find("close").addEventListener("click", () => find("viewer").close());
  // Not the dialog's own: a button that is disabled while it has the focus gives it to the page.
  document.addEventListener("keydown", (event) => {
    if (!find("viewer").open) return;
    if (event.key === "ArrowLeft") step(-1);
    else if (event.key === "ArrowRight") step(1);
    else return;
    event.preventDefault();
  });
  find("about").addEventListener("click", (event) => {
    const guess = event.target.closest("[data-guess]");
    if (!guess) return;
    const number = Number(guess.dataset.guess);
    viewer.showsMap = !(viewer.showsMap && viewer.guess === number);
    viewer.guess = number;
    find("about").querySelectorAll("[data-guess]").forEach((row) => row.setAttribute("aria-pressed", String(viewer.showsMap && Number(row.dataset.guess) === number)));
    showMap(viewer.frames[viewer.place]);
  });
}

document.addEventListener("DOMContentLoaded", () => {
  data = window.diveData;
  if (!data) { find("no-data").hidden = false; return; }
  frames = data.frames;
  total = frames.id.length;
  const dives = find("dive");
  if (data.dives.length > 1) {
    const every = make("option", "", "all " + data.dives.length.toLocaleString("en") + " dives");
    every.value = "-1";
    dives.append(every, ...data.dives.map((dive, place) => { const made = make("option", "", diveName(place)); made.value = place; return made; }));
    find("dive-label").hidden = false;
  }
  for (const id of ["time", "frames", "all-look"]) find(id).hidden = false;
  if (!data.lookOrder.length) { state.list = "all"; find("all-look").hidden = true; }
  fillLists();
  drawTimeline();
  update();
  listen();
});
