// Files from a person: dropped, chosen, or a whole folder; shown as they arrive.
import {find, make, makeButton, many, plural} from "./elements.js";
import {say} from "./said.js";
import {UploadQueue} from "./upload_queue.js";

const SHOWN_FAILURES = 50;
// What systems put beside files of people.
const NOT_MEANT = /^(\.|Thumbs\.db$|desktop\.ini$)/i;

export class DropZone {
  constructor({limits, arrived}) {
    this.queue = new UploadQueue({limits, arrived, changed: () => this.show()});
    this.nPassedOver = 0;
    find("drop").hidden = false;
    find("choose-files").addEventListener("click", () => find("files").click());
    find("choose-folder").addEventListener("click", () => find("folder").click());
    for (const id of ["files", "folder"]) {
      find(id).addEventListener("change", (event) => {
        this.take([...event.target.files]);
        event.target.value = "";
      });
    }
    this.wireDrops();
    addEventListener("beforeunload", (event) => {
      if (this.queue.isBusy) event.preventDefault();
    });
  }

  wireDrops() {
    const over = find("drop-over"), hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    let depth = 0;
    addEventListener("dragenter", (event) => {
      if (!hasFiles(event)) return;
      depth += 1;
      over.hidden = false;
    });
    addEventListener("dragleave", (event) => {
      if (!hasFiles(event)) return;
      depth -= 1;
      if (depth <= 0) over.hidden = true;
    });
    addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
    addEventListener("drop", async (event) => {
      depth = 0;
      over.hidden = true;
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.take(await filesOf(event.dataTransfer));
    });
  }

  take(files) {
    const meant = files.filter((file) => !NOT_MEANT.test(file.name));
    this.nPassedOver += files.length - meant.length;
    meant.sort((one, other) => pathOf(one).localeCompare(pathOf(other), "en", {numeric: true}));
    if (meant.length) this.queue.add(meant);
    else if (files.length) say("No file was taken: " + plural(files.length, "hidden file") + ".");
  }

  show() {
    const {queue} = this, box = find("uploads"), parts = [], total = queue.nGiven;
    box.hidden = total === 0;
    if (!total) return;
    const bar = make("progress");
    Object.assign(bar, {max: total, value: queue.nDone});
    bar.setAttribute("aria-label", "Files predicted");
    const words = [many(queue.nDone) + " of " + plural(total, "file") + (queue.isBusy ? " so far" : "")];
    if (queue.failures.length) words.push(plural(queue.failures.length, "file") + " could not be read");
    if (this.nPassedOver) words.push(plural(this.nPassedOver, "hidden file") + " passed over");
    if (queue.pausedUntil > Date.now()) words.push("the server is busy; this page waits and goes on");
    parts.push(bar, make("p", "upload-words", words.join(", ") + "."));
    if (queue.unsent.length && !queue.isBusy) parts.push(this.unsentWords());
    if (queue.failures.length) parts.push(failureList(queue.failures));
    if (!queue.isBusy && !queue.unsent.length) parts.push(makeButton("close", "Close", () => { box.hidden = true; }));
    box.replaceChildren(...parts);
    if (!queue.isBusy && !queue.unsent.length) say(words.join(", ") + ".");
  }

  unsentWords() {
    const {queue} = this, line = make("p", "unsent");
    line.append(make("b", "", plural(queue.unsent.length, "file") + " not sent. "), queue.problem.message + " " + queue.problem.act + " ", makeButton("", "Send again", () => queue.again()));
    return line;
  }
}

function failureList(failures) {
  const list = make("ul", "failures");
  for (const one of failures.slice(0, SHOWN_FAILURES)) {
    const item = make("li");
    item.append(make("bdi", "file", one.name), " ", make("span", "", one.words));
    list.append(item);
  }
  if (failures.length > SHOWN_FAILURES) list.append(make("li", "", "and " + plural(failures.length - SHOWN_FAILURES, "more file") + "; show “could not be read” to see all."));
  return list;
}

function pathOf(file) {
  return file.webkitRelativePath || file.path || file.name;
}

// Folders that are dropped are entries, which must be asked for before the event is over.
async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  const files = [];
  for (const entry of entries) await collect(entry, files);
  return files;
}

async function collect(entry, files) {
  if (entry.isFile) {
    const file = await new Promise((done, failed) => entry.file(done, failed)).catch(() => null);
    if (!file) return say("“" + entry.name + "” could not be opened.");
    file.path = entry.fullPath.replace(/^\//, "");
    files.push(file);
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A reader hands out a hundred entries at a time.
    const some = await new Promise((done, failed) => reader.readEntries(done, failed)).catch(() => []);
    if (!some.length) return;
    for (const one of some) await collect(one, files);
  }
}
