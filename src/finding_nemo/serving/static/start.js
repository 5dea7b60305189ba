// The page from its beginning: what the server has, where the person was, and what keys do.
import {answerOf} from "./chips.js";
import {collection, readAnimals, readDives, readModel} from "./collection.js";
import {DropZone} from "./drop_zone.js";
import {find, make, makeButton, many, plural} from "./elements.js";
import {countWords, fillFilters, wireFilters} from "./filters.js";
import {FrameGrid} from "./frame_grid.js";
import {FramePages} from "./frame_pages.js";
import {FrameView} from "./frame_view.js";
import {wireKeys} from "./keys.js";
import {Marking} from "./marking.js";
import {go, place, readPlace} from "./place.js";
import {showProgress} from "./progress.js";
import {ReviewLoop} from "./review_loop.js";
import {Reviewing} from "./reviewing.js";
import {hideFault, say, showFault} from "./said.js";
import {openSession} from "./server.js";
import {fetchAhead} from "./stage.js";

const REVIEWER = "finding-nemo.reviewer";

const grid = new FrameGrid((at, frame) => openFrame(frame.row, at));
const view = new FrameView({
  present: (category) => marking.present(category),
  rejected: (category) => marking.rejected(category),
});
const marking = new Marking(view, (marks) => reviewing.save(marks));
const loop = new ReviewLoop();
const reviewing = new Reviewing(view, marking, {
  reviewer: () => find("reviewer").value.trim() || collection.model.reviewer,
  busy: (yes) => find("frame-view").classList.toggle("busy", yes),
  afterSave: async (row) => place.view === "review" ? nextFrame() : showFrame(row),
  afterUndo: async (row) => {
    if (place.view === "review") go({row}, {replace: true});
    else go({view: "frame", row, at: row === place.row ? place.at : null});
    await showFrame(row);
  },
});
let left = {list: null, y: 0};
let pages = null, coming = null, listed = "", generation = -1, scrollTimer = 0;

// Lists ---------------------------------------------------------------------------------------

async function showList({keepFocus = false} = {}) {
  const cameBack = !find("frame-view").hidden;
  find("frame-view").hidden = true;
  find("list-view").hidden = false;
  document.body.classList.remove("in-frame");
  document.title = "Finding Nemo: " + collection.model.name;
  const fresh = JSON.stringify(place.filters) !== listed || generation !== collection.generation;
  if (fresh) await readList();
  // A grid that was hidden from the beginning has no cells yet.
  grid.arrange();
  if (left.list === listed) scrollTo(0, left.y);
  else grid.scrollTo(place.at ?? 0);
  if (!keepFocus && cameBack && pages.total) grid.focus(Math.min(place.at ?? grid.current, pages.total - 1));
}

async function readList() {
  const isStale = generation !== collection.generation;
  listed = JSON.stringify(place.filters);
  generation = collection.generation;
  coming?.close();
  const fresh = new FramePages(place.filters, () => { if (fresh === pages) listChanged(); }, (error, again) => {
    // The list of before is still shown; it must not pass for the one that was asked for.
    if (fresh !== pages) listed = "";
    showFault(error, fresh === pages ? again : () => showList({keepFocus: true}));
  });
  coming = fresh;
  fillFilters(place.filters);
  showProgress(place.filters.dive);
  // What is shown stays until the new list has something for its place.
  await fresh.get(place.view === "list" ? place.at ?? 0 : 0);
  if (fresh !== coming || fresh.total === null) return;
  pages?.close();
  pages = fresh;
  coming = null;
  grid.show(pages);
  listChanged();
  if (isStale && place.view === "list") refreshCounts();
}

function listChanged() {
  // Said again only where it is another number.
  const counted = countWords(pages.total, place.filters);
  if (find("count").textContent !== counted) find("count").textContent = counted;
  const nothing = find("nothing"), isServe = collection.model.mode === "serve";
  nothing.hidden = pages.total !== 0 || (!collection.nFrames && !find("uploads").hidden);
  nothing.textContent = collection.nFrames ? "No frame fits. Choose other filters, or show all." : isServe ? "No frame yet. Drop some above: each is named as it arrives." : "This predictions file holds no frame.";
  find("filters").hidden = collection.nFrames === 0;
  find("drop").classList.toggle("small", collection.nFrames > 0);
  grid.draw();
}

async function refreshCounts() {
  try {
    // Whether the frames look foreign is known only once some are there.
    if (collection.model.mode === "serve") {
      await readModel();
      showWarning();
    }
    await Promise.all([readDives(), readAnimals()]);
    fillFilters(place.filters);
    showProgress(place.filters.dive);
    find("progress").hidden = collection.nFrames === 0;
    if (pages) listChanged();
  } catch (error) {
    showFault(error, refreshCounts);
  }
}

function filtersChanged(changes) {
  go({filters: {...place.filters, ...changes}, at: null}, {replace: true});
  if (place.view === "list") return showList({keepFocus: true}).catch((error) => showFault(error));
  fillFilters(place.filters);
  showProgress(place.filters.dive);
  if (place.view === "review") return nextFrame();
  go({at: null}, {replace: true});
}

// One frame -----------------------------------------------------------------------------------

function openFrame(row, at) {
  go({at}, {replace: true});
  go({view: "frame", row, at});
  return showFrame(row);
}

async function showFrame(row) {
  const wasHidden = find("frame-view").hidden;
  if (!find("list-view").hidden) left = {list: listed, y: scrollY};
  find("list-view").hidden = true;
  find("frame-view").hidden = false;
  document.body.classList.add("in-frame");
  if (wasHidden || view.frame?.row !== row) scrollTo(0, 0);
  try {
    const frame = await view.load(row);
    if (!frame) return;
    const inLoop = place.view === "review";
    if (inLoop) loop.visit(row);
    else if (place.at === null) go({at: pages?.placeOf(row) ?? null}, {replace: true});
    view.show(frame, {reason: inLoop ? frame.suggested_why || loop.reasons.get(row) : null});
    pages?.update(row, {answer: frame.answer, confidence: frame.confidence, probability: frame.probability, state: frame.state, method: frame.method});
    marking.begin();
    showNeighbours();
    document.title = answerOf(frame) + ", " + frame.id;
    view.focus();
  } catch (error) {
    showFault(error, () => showFrame(row));
  }
}

async function showNeighbours() {
  const inLoop = place.view === "review", at = place.at;
  const hasBefore = inLoop ? loop.beside(-1) !== null : at !== null && at > 0;
  const hasAfter = inLoop ? loop.beside(1) !== null : at !== null && pages?.total !== null && at + 1 < pages?.total;
  find("previous").disabled = !hasBefore;
  find("next").disabled = !hasAfter;
  find("skip").hidden = !inLoop;
  const words = inLoop ? "Suggested" : at !== null && pages?.total ? many(at + 1) + " of " + many(pages.total) : "";
  find("place").textContent = words;
  if (inLoop || !hasAfter) return;
  const after = pages.at(at + 1);
  if (after && after.state !== "failed") fetchAhead(after.row);
}

async function step(by) {
  if (reviewing.isBusy) return;
  if (place.view === "review") {
    const row = loop.beside(by);
    if (row === null) return say(by > 0 ? "This is the newest suggestion: answer it, or press s to skip it." : "This is the first frame that you looked at.");
    loop.at += by;
    go({row}, {replace: true});
    return showFrame(row);
  }
  if (place.at === null || !pages) return say("Go back to all frames to walk through them.");
  try {
    const frame = place.at + by < 0 ? null : await pages.get(place.at + by);
    if (!frame) return say(by > 0 ? "This is the last frame." : "This is the first frame.");
    go({row: frame.row, at: place.at + by}, {replace: true});
    await showFrame(frame.row);
  } catch (error) {
    showFault(error, () => step(by));
  }
}

async function nextFrame() {
  try {
    const row = await loop.next(place.filters.dive);
    if (row === null) return noneLeft();
    go({view: "review", row}, {replace: place.view === "review"});
    await showFrame(row);
  } catch (error) {
    showFault(error, nextFrame);
  }
}

function noneLeft() {
  const nSkipped = loop.skipped.length, box = find("about"), dive = place.filters.dive;
  if (place.view !== "review") {
    if (!nSkipped) return say("No frame is left to look at.");
    loop.forgetSkipped();
    return nextFrame();
  }
  const heading = make("h2", "", "No frame is left to look at");
  heading.tabIndex = -1;
  const parts = [heading, make("p", "", dive ? "All frames of this dive that can be read were looked at or skipped." : "All frames that can be read were looked at or skipped.")];
  if (nSkipped) {
    parts.push(makeButton("", "Look at the " + plural(nSkipped, "skipped frame") + " again", () => {
      loop.forgetSkipped();
      nextFrame();
    }));
  }
  box.replaceChildren(...parts);
  find("stage").replaceChildren();
  find("act").hidden = true;
  heading.focus();
}

async function skip() {
  if (place.view !== "review" || reviewing.isBusy || !view.frame) return;
  loop.skip(view.frame.row);
  await nextFrame();
  say("Skipped. Nothing was saved of it.");
}

function back() {
  if (place.view === "list") return;
  go({view: "list", row: null}, {replace: false});
  return showList().catch((error) => showFault(error));
}

// The beginning -------------------------------------------------------------------------------

function route() {
  hideFault();
  if (place.view === "list") return showList();
  if (place.row === null) return nextFrame();
  return showFrame(place.row);
}

function showModel() {
  const {model} = collection;
  const made = [model.recipe === model.name ? null : model.recipe, model.created?.slice(0, 10), model.n_train_dives ? plural(model.n_train_dives, "training dive") : null];
  find("model").replaceChildren(make("bdi", "model-name", model.name), make("span", "made", made.filter(Boolean).join(" · ")));
  find("model").title = "bundle " + model.hash;
  find("version").textContent = "Finding Nemo " + model.version + ", bundle " + model.hash;
  showWarning();
  find("reviewer").value = localStorage.getItem(REVIEWER) || model.reviewer || "";
}

function showWarning() {
  const {model} = collection, box = find("notices"), notices = model.notices || [];
  find("warning").hidden = !model.domain_warning;
  if (find("warning").textContent !== (model.domain_warning || "")) find("warning").textContent = model.domain_warning || "";
  box.hidden = !notices.length;
  box.firstElementChild.textContent = plural(notices.length, "notice");
  box.lastElementChild.replaceChildren(...notices.map((one) => make("li", "", one)));
}

function wire() {
  wireFilters(filtersChanged);
  find("next-frame").addEventListener("click", nextFrame);
  find("back").addEventListener("click", back);
  find("previous").addEventListener("click", () => step(-1));
  find("next").addEventListener("click", () => step(1));
  find("skip").addEventListener("click", skip);
  find("undo").addEventListener("click", () => reviewing.undo());
  find("reviewer").addEventListener("change", () => localStorage.setItem(REVIEWER, find("reviewer").value.trim()));
  find("help-open").addEventListener("click", () => find("help").showModal());
  find("help-close").addEventListener("click", () => find("help").close());
  document.addEventListener("click", (event) => {
    const menu = find("exports");
    if (menu.open && !menu.contains(event.target)) menu.open = false;
  });
  addEventListener("popstate", () => {
    readPlace();
    Promise.resolve(route()).catch((error) => showFault(error));
  });
  addEventListener("scroll", () => {
    if (place.view !== "list" || find("list-view").hidden) return;
    clearTimeout(scrollTimer);
    scrollTimer = setTimeout(() => { if (place.view === "list") go({at: grid.topPlace() || null}, {replace: true}); }, 250);
  }, {passive: true});
  wireKeys({
    nextFrame,
    skip,
    back,
    undo: () => reviewing.undo(),
    help: () => find("help").showModal(),
    previous: () => step(-1),
    next: () => step(1),
    digit: (number) => { const guess = view.guesses.numbered(number); if (canMark() && guess) marking.present(guess); },
    reject: () => {
      const guess = view.guesses.focused();
      if (!canMark()) return;
      if (guess) marking.rejected(guess);
      else say("Go to a guess with ↓ first; x then says that it is not there.");
    },
    addName: (letter) => { if (canMark()) marking.names.focus(typeof letter === "string" ? letter : ""); },
    save: () => { if (canMark()) marking.accept(); },
    nothing: () => { if (canMark()) marking.nothing(); },
    partial: () => { if (canMark()) marking.partial(); },
    guesses: (event) => { if (event.key === "ArrowDown") view.guesses.focusFirst(); },
    maps: () => view.toggleMaps(),
    zoom: () => view.stage.zoom(),
  }, () => place.view !== "list");
}

function canMark() {
  return !reviewing.isBusy && !find("act").hidden;
}

function openDropZone() {
  let timer = 0;
  new DropZone({
    limits: collection.model.limits || {},
    arrived: () => {
      collection.generation += 1;
      // Many small answers come one after the other; the list is read again at most once a second.
      timer ||= setTimeout(async () => {
        timer = 0;
        await refreshCounts();
        if (place.view === "list") await readList().catch((error) => showFault(error));
      }, collection.nFrames ? 1000 : 0);
    },
  });
}

async function start() {
  try {
    await openSession();
    readPlace();
    await Promise.all([readModel(), readDives(), readAnimals()]);
    showModel();
    wire();
    if (collection.model.can_predict && collection.model.mode === "serve") openDropZone();
    generation = collection.generation;
    find("progress").hidden = collection.nFrames === 0;
    find("loading").hidden = true;
    if (place.view !== "list") await readList();
    await route();
  } catch (error) {
    find("loading").hidden = true;
    showFault(error, () => location.reload());
  }
}

start();
