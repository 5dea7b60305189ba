// All keys in one table: what they do, and what the help says of them.
import {find, make} from "./elements.js";

const EVERYWHERE = [
  {keys: ["r"], words: "the next frame to look at", does: "nextFrame"},
  {keys: ["u"], words: "undo your latest review", does: "undo"},
  {keys: ["?"], words: "this help", does: "help"},
];
const IN_FRAME = [
  {keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"], shown: "1 … 9", words: "mark a guess as there, or take the mark away", does: "digit"},
  {keys: ["x"], words: "the guess that has the focus is not there", does: "reject"},
  {keys: ["a"], words: "add another name: type, choose with ↑ ↓, take with Enter", does: "addName"},
  {keys: ["Enter"], words: "save what is marked", does: "save"},
  {keys: ["n"], words: "save that nothing is there", does: "nothing"},
  {keys: ["p"], words: "others not looked for: only what is marked is kept", does: "partial"},
  {keys: ["s"], words: "skip this frame", does: "skip"},
  {keys: ["ArrowDown", "ArrowUp"], shown: "↓ ↑", words: "go through the guesses; the heat map of each lies over the frame", does: "guesses"},
  {keys: ["ArrowLeft"], shown: "←", words: "the frame before", does: "previous"},
  {keys: ["ArrowRight"], shown: "→", words: "the frame after", does: "next"},
  {keys: ["h"], words: "hide or show heat maps", does: "maps"},
  {keys: ["z"], words: "look closer, or at the whole frame again", does: "zoom"},
  {keys: ["Escape"], shown: "Esc", words: "back to all frames", does: "back"},
];
const STORED = "finding-nemo.keys-of-one-letter";

/** Call the action of each key. `isFrame()` says which table holds besides the one for everywhere. */
export function wireKeys(actions, isFrame) {
  fillHelp();
  addEventListener("keydown", (event) => {
    const single = event.key.length === 1;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]") || isTyping(event.target)) return;
    if (single && !find("keys-on").checked) return;
    if (event.repeat && !event.key.startsWith("Arrow")) return;
    const key = single ? event.key.toLowerCase() : event.key;
    const found = [...(isFrame() ? IN_FRAME : []), ...EVERYWHERE].find((one) => one.keys.includes(key));
    if (event.key === "Enter" && isControl(event.target)) return;
    const isName = isFrame() && /^\p{L}$/u.test(event.key) && (!found || event.shiftKey);
    if (!found && !isName) return;
    event.preventDefault();
    if (isName) actions.addName(event.key);
    else actions[found.does](found.does === "digit" ? Number(key) : event);
  });
}

function isTyping(target) {
  return target.matches?.("input:not([type=checkbox]), select, textarea, [contenteditable]") ?? false;
}

// Enter on a button presses it; on a guess it saves, as everywhere else in the frame.
function isControl(target) {
  return target.matches?.("button:not([role=checkbox]), a, summary") ?? false;
}

function fillHelp() {
  const body = find("keys").tBodies[0];
  for (const one of [...EVERYWHERE.slice(0, 1), ...IN_FRAME, ...EVERYWHERE.slice(1)]) {
    const line = make("tr"), key = make("td");
    key.append(make("kbd", "", one.shown || one.keys[0]));
    line.append(key, make("td", "", one.words));
    body.append(line);
  }
  const box = find("keys-on");
  box.checked = localStorage.getItem(STORED) !== "off";
  box.addEventListener("change", () => localStorage.setItem(STORED, box.checked ? "on" : "off"));
}
