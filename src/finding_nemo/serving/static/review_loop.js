// The frames that the server suggests, one after the other: looked at, skipped, gone back to.
import {collection} from "./collection.js";
import {ask} from "./server.js";
import {fetchAhead} from "./stage.js";

export class ReviewLoop {
  constructor() {
    this.seen = [];
    this.at = -1;
    this.reasons = new Map();
  }

  get skipKey() {
    return "finding-nemo.skipped." + collection.model.hash;
  }

  get skipped() {
    try {
      const found = JSON.parse(sessionStorage.getItem(this.skipKey) || "[]");
      return Array.isArray(found) ? found.filter((row) => Number.isInteger(row) && row >= 0 && row < collection.nFrames) : [];
    } catch {
      return [];
    }
  }

  skip(row) {
    sessionStorage.setItem(this.skipKey, JSON.stringify([...new Set([...this.skipped, row])]));
  }

  forgetSkipped() {
    sessionStorage.removeItem(this.skipKey);
  }

  /** The next frame to look at, or null where there is none left. */
  async next(dive) {
    const body = {dive: dive || null, count: 2, skip: this.skipped};
    const {suggestions} = await ask("/suggest", {method: "POST", json: body});
    for (const one of suggestions) this.reasons.set(one.row, one.why);
    if (!suggestions.length) return null;
    // Most often the second is what comes next: its image is there by then.
    if (suggestions[1]) fetchAhead(suggestions[1].row);
    return suggestions[0].row;
  }

  /** Note that a frame is shown. Going back and forth does not change the order. */
  visit(row) {
    if (this.seen[this.at] === row) return;
    const known = this.seen.lastIndexOf(row);
    if (known >= 0) this.at = known;
    else {
      this.seen.push(row);
      this.at = this.seen.length - 1;
    }
  }

  /** The row looked at before or after, or null. */
  beside(by) {
    return this.seen[this.at + by] ?? null;
  }
}
