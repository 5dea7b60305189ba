// What the parts of the page share: the frames, and which of them are shown.
const find = (id) => document.getElementById(id);
const make = (tag, className, text) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text.replaceAll(" %", "\u00a0%");
  return made;
};
const CAPTION_PX = 26, GAP_PX = 10, LEAST_CELL_PX = 168, ROWS_BEYOND = 2, TIMELINE_NAMES = 18, HEAD_PX = 190, LABEL_PX = 132;
const state = {dive: -1, list: "look", threshold: 0, bin: null};
let data, frames, total, shownFrames = [], layout = null;
const cells = new Map();
const viewer = {frames: [], place: 0, guess: 0, showsMap: true};
const maps = new Map();

const isIn = (frame) => state.dive < 0 || frames.dive[frame] === state.dive;
const percent = (permille) => permille < 10 ? "under 1\u00a0%" : Math.round(permille / 10) + "\u00a0%";
const plural = (count, word) => count.toLocaleString("en") + " " + word + (count === 1 ? "" : "s");
const diveName = (dive) => data.dives[dive].name || "no dive named";
const guessOf = (frame, name) => {
  const guesses = frames.guesses[frame];
  for (let at = 0; at < guesses.length; at += 2) if (guesses[at] === name) return guesses[at + 1];
  return -1;
};
// Of a name in a frame: as a guess, or as the answer, which may be a group.
const probabilityOf = (frame, name) => {
  const guess = guessOf(frame, name);
  return guess < 0 && frames.answer[frame] === name ? frames.probability[frame] : guess;
};
const answerOf = (frame) => frames.answer[frame] < 0 ? "not read" : data.names[frames.answer[frame]][0];
const fileUrl = (name) => data.folder + "/" + name;

// Which frames are shown, in which order.
function chosen() {
  if (state.list === "look") return data.lookOrder.filter(isIn);
  const found = [];
  const name = Number.isInteger(state.list) ? state.list : null;
  for (let frame = 0; frame < total; frame++) {
    if (!isIn(frame)) continue;
    if (state.bin !== null && frames.bin[frame] !== state.bin) continue;
    if (name !== null) {
      const isAnswer = frames.answer[frame] === name, likely = probabilityOf(frame, name);
      if (state.bin !== null ? isAnswer : likely < 0 ? isAnswer && state.threshold === 0 : likely >= state.threshold * 10) found.push(frame);
    } else if (state.list === "all"
      || (state.list === "failed" && frames.failure[frame] >= 0) || (state.list === "unusual" && frames.unusual[frame] >= 95)) found.push(frame);
  }
  const by = (value) => found.sort((a, b) => value(b) - value(a) || a - b);
  if (name !== null && state.bin === null) return by((frame) => probabilityOf(frame, name));
  if (state.list === "unusual") return by((frame) => frames.unusual[frame]);
  return found;
}

function counted() {
  const counts = {look: 0, all: 0, failed: 0, unusual: 0, names: new Map(), guessed: new Map()};
  for (let frame = 0; frame < total; frame++) {
    if (!isIn(frame)) continue;
    counts.all++;
    counts.look += frames.look[frame] > 0;
    counts.failed += frames.failure[frame] >= 0;
    counts.unusual += frames.unusual[frame] >= 95;
    const answer = frames.answer[frame], guesses = frames.guesses[frame];
    if (answer >= 0) counts.names.set(answer, (counts.names.get(answer) || 0) + 1);
    for (let at = 0; at < guesses.length; at += 2) counts.guessed.set(guesses[at], 1);
  }
  return counts;
}

function fillLists() {
  const counts = counted(), list = find("list");
  const option = (value, text) => { const made = make("option", "", text); made.value = value; return made; };
  const names = [...counts.names].sort((a, b) => b[1] - a[1]);
  const others = [...counts.guessed.keys()].filter((name) => !counts.names.has(name))
    .sort((a, b) => data.names[a][0].localeCompare(data.names[b][0]));
  const general = [option("look", "Look at these first (" + counts.look + ")"), option("all", "All frames (" + counts.all + ")")];
  if (counts.unusual) general.push(option("unusual", "Most unusual (" + counts.unusual + ")"));
  if (counts.failed) general.push(option("failed", "Could not be read (" + counts.failed + ")"));
  const answered = make("optgroup"), guessed = make("optgroup");
  answered.label = "By name, frames whose answer it is";
  names.forEach(([name, count]) => answered.append(option(name, data.names[name][0] + " (" + count + ")")));
  guessed.label = "Only guessed";
  others.forEach((name) => guessed.append(option(name, data.names[name][0])));
  list.replaceChildren(...general, ...(names.length ? [answered] : []), ...(others.length ? [guessed] : []));
  list.value = String(state.list);
  if (list.selectedIndex < 0) { state.list = "all"; list.value = "all"; }
}

function update() {
  shownFrames = chosen();
  const isName = Number.isInteger(state.list);
  find("threshold-label").hidden = !isName || state.bin !== null;
  find("threshold-words").textContent = state.threshold + " %";
  find("count").textContent = plural(shownFrames.length, "frame");
  find("nothing").hidden = shownFrames.length > 0;
  const bin = find("bin");
  bin.hidden = state.bin === null;
  if (state.bin !== null) bin.textContent = "From " + data.dives[Math.max(state.dive, 0)].labels[state.bin] + " only ✕";
  for (const cell of cells.values()) cell.remove();
  cells.clear();
  arrange();
}

function show(list, {bin = null, scroll = true} = {}) {
  state.list = list;
  state.bin = bin;
  state.threshold = 0;
  find("threshold").value = 0;
  find("list").value = String(list);
  update();
  if (scroll) find("frames").scrollIntoView({block: "start"});
}

function chooseDive(dive) {
  state.dive = dive;
  state.bin = null;
  find("dive").value = String(dive);
  fillLists();
  drawTimeline();
  update();
}
