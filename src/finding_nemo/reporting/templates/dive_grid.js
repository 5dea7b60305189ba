// The grid holds only the cells near the window: a list of 10,000 is as light as one of 100.
function arrange() {
  const grid = find("grid"), width = grid.clientWidth;
  if (!width) return;
  const least = width < 500 ? 140 : LEAST_CELL_PX + Math.min(60, width / 30);
  const columns = Math.max(2, Math.floor((width + GAP_PX) / (least + GAP_PX)));
  const cellWidth = (width - GAP_PX * (columns - 1)) / columns;
  const picture = Math.round(cellWidth * data.sheet.height / data.sheet.width);
  layout = {columns, cellWidth, picture, step: picture + CAPTION_PX + GAP_PX};
  grid.style.height = Math.ceil(shownFrames.length / columns) * layout.step + "px";
  for (const cell of cells.values()) cell.remove();
  cells.clear();
  draw();
}

function draw() {
  if (!layout) return;
  const grid = find("grid"), top = grid.getBoundingClientRect().top;
  const first = Math.max(0, Math.floor(-top / layout.step) - ROWS_BEYOND) * layout.columns;
  // The first rows are always there, for who comes to them with the keyboard.
  const rows = Math.max(0, Math.ceil((innerHeight - top) / layout.step)) + ROWS_BEYOND;
  const last = Math.min(shownFrames.length, rows * layout.columns);
  for (const [place, cell] of cells) if (place < first || place >= last) { cell.remove(); cells.delete(place); }
  const fresh = document.createDocumentFragment();
  for (let place = first; place < last; place++) {
    if (cells.has(place)) continue;
    const cell = makeCell(place);
    cells.set(place, cell);
    fresh.append(cell);
  }
  grid.append(fresh);
}

function makeCell(place) {
  const frame = shownFrames[place], cell = make("button", "cell");
  cell.type = "button";
  cell.dataset.place = place;
  cell.style.cssText = "left:" + (place % layout.columns) * (layout.cellWidth + GAP_PX) + "px;top:" + Math.floor(place / layout.columns) * layout.step
    + "px;width:" + layout.cellWidth + "px;height:" + (layout.picture + CAPTION_PX) + "px";
  const picture = smallPicture(frame);
  picture.style.height = layout.picture + "px";
  const name = Number.isInteger(state.list) ? state.list : frames.answer[frame];
  const guess = name < 0 ? -1 : probabilityOf(frame, name), caption = make("span", "cap");
  caption.append(make("span", "", name < 0 ? "not read" : data.names[name][0]));
  if (guess >= 0) caption.append(make("span", "p", percent(guess)));
  cell.append(picture, caption);
  cell.setAttribute("aria-label", answerOf(frame) + ", " + frames.id[frame]);
  return cell;
}

function smallPicture(frame) {
  const picture = make("span", "pic");
  if (!frames.shown[frame]) {
    picture.classList.add("none");
    picture.textContent = frames.failure[frame] >= 0 ? data.failures[frames.failure[frame]] : "no picture here";
    return picture;
  }
  const sheet = data.sheet, number = Math.floor(frame / sheet.perSheet), at = frame % sheet.perSheet;
  const rows = Math.ceil(Math.min(sheet.perSheet, total - number * sheet.perSheet) / sheet.columns);
  const column = at % sheet.columns, row = Math.floor(at / sheet.columns);
  picture.style.backgroundImage = 'url("' + fileUrl(sheet.names[number]) + '")';
  picture.style.backgroundSize = sheet.columns * 100 + "% " + rows * 100 + "%";
  picture.style.backgroundPosition = 100 * column / Math.max(1, sheet.columns - 1) + "% " + 100 * row / Math.max(1, rows - 1) + "%";
  return picture;
}
