// What the page says: quietly, for readers of screens too; and loudly where something failed.
import {find, make, makeButton} from "./elements.js";

let timer = 0;

export function say(words) {
  const line = find("said");
  clearTimeout(timer);
  // The same words twice are said twice only where they were gone in between.
  line.textContent = "";
  requestAnimationFrame(() => { line.textContent = words; });
  timer = setTimeout(() => { line.textContent = ""; }, 9000);
}

export function showFault(error, again = null) {
  const box = find("fault"), text = make("div", "fault-text");
  text.append(make("b", "", error.message || "Something failed."));
  if (error.act) text.append(make("span", "", " " + error.act));
  box.replaceChildren(text);
  if (again) {
    box.append(makeButton("main", "Try again", () => {
      hideFault();
      again();
    }));
  }
  box.append(makeButton("", "Close", hideFault));
  box.hidden = false;
  if (!error.status && !error.act) console.error(error);
}

export function hideFault() {
  find("fault").hidden = true;
}
