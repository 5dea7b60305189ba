// Files on their way to the server: a few at a time, waiting where it is busy, each with its end.
import {ask} from "./server.js";

const FILES_A_REQUEST = 4, BYTES_A_REQUEST = 24 * 2 ** 20, AT_ONCE = 2, MOST_WAITS = 20;

export class UploadQueue {
  /** `arrived(frames)` is told of frames as they are predicted, `changed()` of every step. */
  constructor({limits, arrived, changed}) {
    Object.assign(this, {limits, arrived, changed});
    this.waiting = [];
    this.nRunning = 0;
    this.nGiven = 0;
    this.nDone = 0;
    this.failures = [];
    this.unsent = [];
    this.pausedUntil = 0;
  }

  get isBusy() {
    return this.waiting.length > 0 || this.nRunning > 0;
  }

  add(files) {
    if (!this.isBusy && !this.unsent.length) {
      this.nGiven = this.nDone = 0;
      this.failures = [];
    }
    this.nGiven += files.length;
    for (const file of files) {
      if (file.size === 0) this.fail(file.name, "is empty");
      else if (this.limits.bytes && !isVideo(file) && file.size > this.limits.bytes) this.fail(file.name, "has " + megabytes(file.size) + "; the server takes " + megabytes(this.limits.bytes) + " a file");
      else this.waiting.push(file);
    }
    this.changed();
    this.go();
  }

  fail(name, words) {
    this.nDone += 1;
    this.failures.push({name, words});
  }

  /** Send again what the server did not take because it did not answer. */
  again() {
    this.waiting.push(...this.unsent.splice(0));
    this.changed();
    this.go();
  }

  go() {
    while (this.waiting.length && this.nRunning < AT_ONCE) this.send(this.nextFiles());
  }

  nextFiles() {
    const taken = [], most = Math.min(FILES_A_REQUEST, this.limits.files || FILES_A_REQUEST);
    let bytes = 0;
    while (this.waiting.length && taken.length < most && (!taken.length || bytes + this.waiting[0].size <= BYTES_A_REQUEST)) {
      bytes += this.waiting[0].size;
      taken.push(this.waiting.shift());
    }
    return taken;
  }

  async send(files) {
    this.nRunning += 1;
    try {
      const {frames} = await this.patiently(files);
      this.nDone += files.length;
      frames.forEach((one, at) => {
        const name = frames.length === files.length ? files[at].name : one.id;
        if (one.state === "failed") this.failures.push({name, words: one.failure || "could not be read"});
      });
      this.arrived(frames);
    } catch (error) {
      this.refused(files, error);
    } finally {
      this.nRunning -= 1;
      this.changed();
      this.go();
    }
  }

  refused(files, error) {
    const isOfFiles = error.status >= 400 && error.status < 500 && error.status !== 401 && error.status !== 429;
    // Of several files one is at fault: each is tried alone.
    if (isOfFiles && files.length > 1) {
      for (const file of files) this.send([file]);
    } else if (isOfFiles) this.fail(files[0].name, "was refused: " + [error.message, error.act].filter(Boolean).join(" "));
    else {
      this.unsent.push(...files, ...this.waiting.splice(0));
      this.problem = error;
    }
  }

  // A busy server says when to come back.
  async patiently(files) {
    for (let n = 0; ; n++) {
      const pause = this.pausedUntil - Date.now();
      if (pause > 0) await new Promise((done) => setTimeout(done, pause));
      const form = new FormData();
      for (const file of files) form.append("files", file, file.webkitRelativePath || file.path || file.name);
      try {
        return await ask("/frames", {method: "POST", form});
      } catch (error) {
        if (error.status !== 429 || n >= MOST_WAITS) throw error;
        this.pausedUntil = Date.now() + 1000 * Math.max(1, error.waitSeconds);
      }
    }
  }
}

// Of videos frames are taken: they may be larger, and the server says how large.
function isVideo(file) {
  return file.type.startsWith("video/") || /\.(mp4|mov|mkv|avi|m4v|webm|mts|mpe?g|ts|wmv)$/i.test(file.name);
}

function megabytes(bytes) {
  return (bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0) + " MB";
}
