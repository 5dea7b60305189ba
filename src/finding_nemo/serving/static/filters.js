// Which frames are shown: by dive, animal, state and how unusual; and in which order.
import {collection, diveNamed} from "./collection.js";
import {find, make, many, plural, shortened} from "./elements.js";

const CHOICES = ["animal", "state", "unusual", "order", "dive"];

export function wireFilters(changed) {
  for (const name of CHOICES) find(name).addEventListener("change", () => changed({[name]: find(name).value}));
  find("clear-filters").addEventListener("click", () => changed({animal: "", state: "", unusual: ""}));
}

export function fillFilters(filters) {
  fill("dive", [["", collection.dives.length > 1 ? "all " + many(collection.dives.length) + " dives" : "all frames"],
    ...collection.dives.filter((one) => one.name !== null).map((one) => [one.name, one.name + " (" + doneOf(one) + ")"])], filters.dive);
  fill("animal", [["", "any animal"],
    ...collection.animals.map((one) => [String(one.id), one.name + " (" + many(one.n_frames) + ")"])], filters.animal);
  for (const name of ["state", "unusual"]) choose(name, filters[name] || "");
  choose("order", filters.order || "time");
  find("clear-filters").hidden = !(filters.animal || filters.state || filters.unusual);
}

function doneOf(dive) {
  return many(dive.n_reviewed) + " of " + many(dive.n_frames);
}

function fill(id, choices, chosen = "") {
  if (chosen && !choices.some(([value]) => value === chosen)) choices.push([chosen, id === "animal" ? nameOf(chosen) : chosen]);
  const select = find(id);
  select.replaceChildren(...choices.map(([value, text]) => {
    const option = make("option", "", shortened(text));
    option.value = value;
    return option;
  }));
  select.value = chosen;
}

function nameOf(id) {
  return collection.categories.find((one) => String(one.id) === id)?.name ?? "animal " + id;
}

function choose(id, value) {
  const select = find(id);
  select.value = value;
  if (select.value !== value) select.selectedIndex = 0;
}

/** How many frames are listed, in words. */
export function countWords(total, filters) {
  if (total === null) return "";
  const dive = filters.dive ? diveNamed(filters.dive) : null, all = dive ? dive.n_frames : collection.nFrames;
  return total === all ? plural(total, "frame") : many(total) + " of " + plural(all, "frame");
}
