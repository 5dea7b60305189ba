// The ranked guesses of a frame: each can be marked as there, or as not there.
import {groupOf, make, makeButton, percent} from "./elements.js";
import {holds} from "./marks.js";

const FIRST = 9;

export class GuessList {
  /** `act` has present(category), rejected(category) and look(category or null) for heat maps. */
  constructor(act) {
    this.act = act;
    this.box = make("ol", "guesses");
    this.box.setAttribute("aria-label", "What could be there");
    this.rows = [];
    this.box.addEventListener("keydown", (event) => this.moved(event));
    this.box.addEventListener("pointerleave", () => act.look(null));
    this.box.addEventListener("focusout", () => act.look(null));
  }

  show(frame, canMark) {
    const byModel = new Map(frame.model_guesses.map((one) => [one.id, one.probability]));
    const asModel = frame.guesses.every((one) => byModel.get(one.id) === one.probability);
    this.rows = frame.guesses.map((guess, at) => this.row(guess, {at, canMark, model: asModel ? null : byModel.get(guess.id) ?? null}));
    this.box.replaceChildren(...this.rows.map((row) => row.item));
    const rest = this.rows.slice(FIRST);
    if (!rest.length) return;
    for (const row of rest) row.item.hidden = true;
    const more = make("li", "more");
    more.append(makeButton("", rest.length + " more guesses", () => {
      for (const row of rest) row.item.hidden = false;
      more.remove();
      rest[0].button.focus();
    }));
    this.box.append(more);
  }

  row(guess, {at, canMark, model}) {
    const item = make("li", "guess"), button = makeButton("there", "", canMark ? () => this.act.present(guess) : null);
    const line = make("span", "line"), track = make("span", "track"), bar = make("i", "bar");
    if (at < FIRST && canMark) line.append(make("kbd", "", at + 1));
    line.append(make("bdi", "name", guess.name));
    if (model !== null && Math.abs(model - guess.probability) >= 0.005) line.append(make("span", "before", "network " + percent(model)));
    line.append(make("span", "p", percent(guess.probability)));
    bar.style.width = 100 * guess.probability + "%";
    track.append(bar);
    if (model !== null) {
      const tick = make("i", "model");
      tick.style.left = 100 * model + "%";
      track.append(tick);
    }
    const quiet = [groupOf(guess), guess.evidence];
    button.append(line, track, make("small", "", quiet.filter(Boolean).join(" · ")));
    button.title = guess.name.length > 40 ? guess.name : "";
    item.append(button);
    const row = {guess, item, button, reject: null};
    for (const kind of ["pointerenter", "focusin"]) item.addEventListener(kind, () => this.act.look(guess.id));
    if (canMark) {
      button.setAttribute("role", "checkbox");
      row.reject = makeButton("reject", "not there", () => this.act.rejected(guess));
      row.reject.setAttribute("aria-label", guess.name + " is not there");
      item.append(row.reject);
    } else {
      // Without reviews a row only shows its heat map.
      button.addEventListener("click", () => this.act.look(guess.id));
    }
    return row;
  }

  showMarks(marks) {
    for (const {guess, item, button, reject} of this.rows) {
      const there = holds(marks.present, guess), absent = holds(marks.rejected, guess);
      item.classList.toggle("is-there", there);
      item.classList.toggle("is-absent", absent);
      if (!reject) continue;
      button.setAttribute("aria-checked", String(there));
      reject.setAttribute("aria-pressed", String(absent));
    }
  }

  /** The guess with a digit's number, or undefined. */
  numbered(number) {
    return number <= FIRST ? this.rows[number - 1]?.guess : undefined;
  }

  /** The guess that has the focus, or null. */
  focused() {
    return this.rows.find((row) => row.item.contains(document.activeElement))?.guess ?? null;
  }

  focusFirst() {
    this.rows[0]?.button.focus();
  }

  moved(event) {
    const by = {ArrowDown: 1, ArrowUp: -1}[event.key];
    const at = this.rows.findIndex((row) => row.item.contains(document.activeElement));
    if (!by || at < 0) return;
    event.preventDefault();
    const to = this.rows[at + by];
    if (to?.item.hidden) this.box.querySelector(".more button").focus();
    else to?.button.focus();
  }
}
