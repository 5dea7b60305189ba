// Elements and words. Text of users goes in as text only, never as markup.
export function find(id) {
  return document.getElementById(id);
}

export function make(tag, name = "", text = null) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== null) element.textContent = readable(text);
  return element;
}

export function makeButton(name, text, act) {
  const button = make("button", name, text);
  button.type = "button";
  if (act) button.addEventListener("click", act);
  return button;
}

// Control characters and those that turn the direction of what follows are left out.
export function readable(text) {
  return String(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "");
}

export function shortened(text, most = 60) {
  const letters = [...readable(text)];
  return letters.length > most ? letters.slice(0, most - 3).join("") + "…" : letters.join("");
}

export function many(number) {
  return number.toLocaleString("en");
}

export function plural(number, word) {
  return many(number) + " " + word + (number === 1 ? "" : "s");
}

export function percent(share) {
  if (share > 0 && share < 0.01) return "< 1 %";
  if (share < 1 && share > 0.99) return "> 99 %";
  return Math.round(100 * share) + " %";
}

export function twoDigits(value) {
  return value.toFixed(2);
}

/** The group of an animal in words; "" where it has none of its own. */
export function groupOf({name, supercategory}) {
  return !supercategory || supercategory === "none" || supercategory === name ? "" : supercategory;
}

export function inWords(names) {
  if (names.length < 2) return names.join("");
  return names.slice(0, -1).join(", ") + " and " + names[names.length - 1];
}
