// The grid holds only the cells near the window: 100,000 frames are as light as 100.
import {answerOf, lineOf, confidenceBadge, marksOf} from "./chips.js";
import {find, make, percent} from "./elements.js";
import {thumbnailUrl} from "./server.js";

const GAP = 10, CAPTION = 34, ROWS_BEYOND = 2, SETTLED_MS = 70;

export class FrameGrid {
  /** `pages` gives the frames; `open(place, frame)` is called for the one that a person chose. */
  constructor(open) {
    this.open = open;
    this.box = find("grid");
    this.pages = null;
    this.cells = new Map();
    this.spare = [];
    this.ratio = 16 / 9;
    this.layout = null;
    this.drawing = false;
    this.settle = 0;
    this.current = 0;
    addEventListener("scroll", () => this.soon(), {passive: true});
    new ResizeObserver(() => this.arrange()).observe(this.box);
    this.box.addEventListener("click", (event) => this.chosen(event));
    this.box.addEventListener("keydown", (event) => this.moved(event));
    this.box.addEventListener("focusin", (event) => { this.current = placeOfCell(event.target) ?? this.current; });
  }

  show(pages) {
    this.pages = pages;
    for (const cell of this.cells.values()) cell.setAttribute("aria-setsize", pages.total);
    this.arrange();
  }

  arrange() {
    const width = this.box.clientWidth;
    if (!width || !this.pages) return;
    const least = width < 560 ? 150 : 190 + Math.min(70, width / 40);
    const columns = Math.max(2, Math.floor((width + GAP) / (least + GAP)));
    const cell = (width - GAP * (columns - 1)) / columns, picture = Math.round(cell / this.ratio);
    const before = this.layout;
    if (before && before.cell === cell && before.picture === picture) return this.draw();
    this.layout = {columns, cell, picture, step: picture + CAPTION + GAP};
    // Cells are moved, not made anew: a click that has begun on one still ends on it.
    for (const [place, cell] of this.cells) this.put(cell, place);
    this.draw();
  }

  soon() {
    if (this.drawing || !this.box.clientWidth) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      this.draw();
    });
  }

  draw() {
    if (!this.layout || !this.pages) return;
    const {columns, step} = this.layout, total = this.pages.total ?? 0;
    this.box.style.height = Math.max(0, Math.ceil(total / columns) * step - GAP) + "px";
    const top = this.box.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / step) - ROWS_BEYOND) * columns;
    const rows = Math.max(0, Math.ceil((innerHeight - top) / step)) + ROWS_BEYOND;
    const last = Math.min(total, rows * columns);
    for (const [place, cell] of this.cells) {
      if ((place >= first && place < last) || (cell.contains(document.activeElement) && place < total)) continue;
      this.release(cell);
      this.cells.delete(place);
    }
    this.pages.want(first, Math.max(last, 1));
    const fresh = document.createDocumentFragment();
    for (let place = first; place < last; place++) this.fill(place, fresh);
    this.box.append(fresh);
    clearTimeout(this.settle);
    this.settle = setTimeout(() => this.loadPictures(), SETTLED_MS);
  }

  fill(place, fresh) {
    let cell = this.cells.get(place);
    const frame = this.pages.at(place);
    if (!cell) {
      cell = this.spare.pop() || makeCell();
      this.cells.set(place, cell);
      this.put(cell, place);
      fresh.append(cell);
    }
    if (cell.frame !== frame) this.describe(cell, frame);
  }

  put(cell, place) {
    const {columns, step, picture} = this.layout, button = cell.firstChild;
    const width = this.layout.cell;
    cell.style.transform = "translate(" + (place % columns) * (width + GAP) + "px," + Math.floor(place / columns) * step + "px)";
    cell.style.width = width + "px";
    cell.style.height = picture + CAPTION + "px";
    button.firstChild.style.height = picture + "px";
    button.dataset.place = place;
    button.tabIndex = place === this.current ? 0 : -1;
    cell.setAttribute("aria-setsize", this.pages.total);
    cell.setAttribute("aria-posinset", place + 1);
  }

  describe(cell, frame) {
    cell.frame = frame;
    const button = cell.firstChild, [picture, caption] = button.children;
    const image = picture.firstChild;
    if (image.dataset.row !== String(frame?.row)) {
      image.removeAttribute("src");
      image.hidden = true;
    }
    image.dataset.row = String(frame?.row);
    cell.classList.toggle("waits", !frame);
    cell.classList.toggle("failed", frame?.state === "failed");
    picture.lastChild.replaceChildren(...(frame ? marksOf(frame) : []));
    if (!frame) {
      caption.replaceChildren();
      button.setAttribute("aria-label", "Frame " + (Number(button.dataset.place) + 1) + ", still coming");
      return;
    }
    if (frame.state === "failed") {
      picture.lastChild.replaceChildren(make("span", "fault-words", frame.failure || "could not be read"));
      caption.replaceChildren(make("bdi", "name", answerOf(frame)), make("bdi", "file", frame.id));
    } else {
      const badge = frame.state === "reviewed" ? null : confidenceBadge(frame);
      const sure = frame.probability === null || frame.state === "reviewed" ? "" : percent(frame.probability);
      caption.replaceChildren(make("bdi", "name", answerOf(frame)), ...(badge ? [badge] : []), make("span", "p", sure));
    }
    button.setAttribute("aria-label", lineOf(frame));
  }

  // Pictures are asked for when the scrolling has come to rest, so that none is fetched for nothing.
  loadPictures() {
    for (const cell of this.cells.values()) {
      const frame = cell.frame, image = cell.firstChild.firstChild.firstChild;
      if (!frame || frame.state === "failed" || image.hasAttribute("src")) continue;
      image.onload = () => {
        image.hidden = false;
        this.learnRatio(image);
      };
      image.onerror = () => { image.hidden = true; };
      image.src = thumbnailUrl(frame.row);
    }
  }

  learnRatio(image) {
    if (this.knowsRatio) return;
    this.knowsRatio = true;
    const ratio = Math.min(2, Math.max(1, image.naturalWidth / image.naturalHeight));
    if (Math.abs(ratio - this.ratio) < 0.02) return;
    this.ratio = ratio;
    this.arrange();
  }

  release(cell) {
    const image = cell.firstChild.firstChild.firstChild;
    image.onload = image.onerror = null;
    image.removeAttribute("src");
    image.hidden = true;
    cell.frame = null;
    cell.remove();
    if (this.spare.length < 100) this.spare.push(cell);
  }

  chosen(event) {
    const place = placeOfCell(event.target), frame = place === null ? null : this.pages.at(place);
    if (frame) this.open(place, frame);
  }

  moved(event) {
    const by = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.layout.columns, ArrowUp: -this.layout.columns}[event.key];
    let to = by === undefined ? null : this.current + by;
    if (event.key === "Home") to = 0;
    if (event.key === "End") to = this.pages.total - 1;
    if (to === null || event.ctrlKey || event.metaKey || event.altKey || placeOfCell(event.target) === null) return;
    event.preventDefault();
    if (to >= 0 && to < this.pages.total) this.focus(to);
  }

  /** Bring a place into the window and put the focus there. */
  focus(place) {
    if (!this.layout) return;
    const {columns, step, picture} = this.layout;
    const old = this.cells.get(this.current);
    if (old) old.firstChild.tabIndex = -1;
    this.current = place;
    const y = this.box.getBoundingClientRect().top + Math.floor(place / columns) * step, sticky = stickyHeight();
    if (y < sticky + GAP) scrollBy(0, y - sticky - GAP);
    else if (y + picture + CAPTION > innerHeight - GAP) scrollBy(0, y + picture + CAPTION - innerHeight + GAP);
    this.draw();
    const button = this.cells.get(place)?.firstChild;
    if (button) {
      button.tabIndex = 0;
      button.focus({preventScroll: true});
    }
  }

  /** The place of the first whole row in the window. */
  topPlace() {
    if (!this.layout) return 0;
    const beyond = stickyHeight() - this.box.getBoundingClientRect().top;
    return Math.max(0, Math.ceil(beyond / this.layout.step)) * this.layout.columns;
  }

  scrollTo(place) {
    if (!this.layout) return;
    const y = Math.floor(place / this.layout.columns) * this.layout.step;
    scrollTo(0, y ? scrollY + this.box.getBoundingClientRect().top + y - stickyHeight() - GAP : 0);
  }
}

function stickyHeight() {
  const strip = find("progress");
  return getComputedStyle(strip).position === "sticky" ? strip.offsetHeight : 0;
}

function placeOfCell(target) {
  const button = target.closest?.(".cell > button");
  return button ? Number(button.dataset.place) : null;
}

function makeCell() {
  const cell = make("div", "cell"), button = make("button"), picture = make("span", "pic"), image = make("img");
  cell.setAttribute("role", "listitem");
  button.type = "button";
  image.alt = "";
  image.decoding = "async";
  image.hidden = true;
  picture.append(image, make("span", "marks"));
  button.append(picture, make("span", "cap"));
  cell.append(button);
  return cell;
}
