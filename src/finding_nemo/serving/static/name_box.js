// Any name by typing: completion over all known names, and new ones.
import {collection} from "./collection.js";
import {find, groupOf, make, readable} from "./elements.js";

const SHOWN = 8;

function folded(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
}

/** The names that fit what was typed: those that begin so, then words within, then anywhere. */
export function matches(typed, categories, count = SHOWN) {
  const wanted = folded(typed);
  if (!wanted) return [];
  const ranked = [];
  for (const one of categories) {
    const name = folded(one.name), at = name.indexOf(wanted);
    if (at < 0) continue;
    const rank = name === wanted ? 0 : at === 0 ? 1 : /[\s(-]/.test(name[at - 1]) ? 2 : 3;
    ranked.push([rank, name, one]);
  }
  ranked.sort((one, other) => one[0] - other[0] || one[1].localeCompare(other[1]));
  return ranked.slice(0, count).map((one) => one[2]);
}

/** What can be chosen: known names, then the typed one as a new name unless it is known. */
export function choices(typed, categories) {
  const found = matches(typed, categories), name = readable(typed).trim().replace(/\s+/g, " ");
  if (name && !found.some((one) => folded(one.name) === folded(name))) found.push({id: null, name, isNew: true});
  return found;
}

export class NameBox {
  /** `chosen(category)` takes a name, `typed()` is told of each letter, `done()` takes the focus back. */
  constructor({chosen, typed, done}) {
    Object.assign(this, {chosen, typed, done});
    this.found = [];
    this.active = 0;
    const box = find("name-box"), label = make("label", "", "Another name ");
    this.input = make("input");
    this.list = make("ul");
    Object.assign(this.input, {type: "text", autocomplete: "off", spellcheck: false, maxLength: 200, placeholder: "type a name"});
    Object.assign(this.list, {id: "names", hidden: true});
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Names");
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", "names"]]) this.input.setAttribute(name, value);
    label.append(make("kbd", "", "a"), this.input);
    box.append(label, this.list);
    this.input.addEventListener("input", () => {
      this.active = 0;
      this.search();
      this.typed();
    });
    this.input.addEventListener("keydown", (event) => this.pressed(event));
    this.input.addEventListener("focus", () => this.search());
    this.input.addEventListener("blur", () => this.close());
    this.list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const at = [...this.list.children].indexOf(event.target.closest("li"));
      if (at >= 0) this.take(this.found[at]);
    });
  }

  get text() {
    return this.input.value;
  }

  set text(value) {
    this.input.value = value;
  }

  focus(letter = "") {
    this.input.focus();
    if (!letter) return;
    this.input.value += letter;
    this.input.dispatchEvent(new Event("input"));
  }

  search() {
    this.found = choices(this.input.value, collection.categories);
    this.active = Math.min(this.active, Math.max(0, this.found.length - 1));
    this.list.replaceChildren(...this.found.map((one, at) => {
      const option = make("li");
      option.id = "name-" + at;
      option.setAttribute("role", "option");
      if (one.isNew) option.append(make("span", "new", "new name: "), make("bdi", "name", "“" + one.name + "”"));
      else option.append(make("bdi", "name", one.name), make("small", "", groupOf(one)));
      return option;
    }));
    this.list.hidden = !this.found.length;
    this.input.setAttribute("aria-expanded", String(!!this.found.length));
    this.point();
  }

  point() {
    [...this.list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === this.active)));
    const option = this.list.children[this.active];
    if (option) {
      this.input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({block: "nearest"});
    } else this.input.removeAttribute("aria-activedescendant");
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  take(category) {
    this.input.value = "";
    this.close();
    this.chosen(category);
    this.done();
  }

  pressed(event) {
    // An input method that is still composing a letter keeps its keys.
    if (event.isComposing) return;
    const by = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (by && this.found.length) {
      this.active = (this.active + by + this.found.length) % this.found.length;
      this.point();
    } else if (event.key === "Enter" && this.found.length && !this.list.hidden) this.take(this.found[this.active]);
    else if (event.key === "Escape" || (event.key === "Enter" && !this.input.value.trim())) this.done();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
