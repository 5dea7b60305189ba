// The list of frames under the filters, fetched a page at a time and only where someone looks.
import {ask} from "./server.js";

const PAGE = 100, KEPT_PAGES = 60, AT_ONCE = 2;

export function queryOf(filters) {
  const query = new URLSearchParams();
  if (filters.dive) query.set("dive", filters.dive);
  if (filters.animal) query.set("category", filters.animal);
  if (filters.state) query.set("state", filters.state);
  if (filters.unusual) query.set("unusual_from", filters.unusual);
  query.set("order", filters.order || "time");
  return query;
}

export class FramePages {
  /** `changed` is called as pages come; `failed` with what went wrong and what tries again. */
  constructor(filters, changed, failed) {
    this.query = queryOf(filters);
    this.changed = changed;
    this.failed = failed;
    this.total = null;
    this.pages = new Map();
    this.coming = new Set();
    this.wanted = [];
    this.stop = new AbortController();
    this.broken = false;
  }

  /** The frame at a place of the list, or undefined where it has not come yet. */
  at(place) {
    return this.pages.get(Math.floor(place / PAGE))?.[place % PAGE];
  }

  /** Where a frame stands, if it has come; null where nobody knows. */
  placeOf(row) {
    for (const [page, frames] of this.pages) {
      const at = frames.findIndex((one) => one.row === row);
      if (at >= 0) return page * PAGE + at;
    }
    return null;
  }

  /** Ask for places [first, last): what was asked for before and has not begun is forgotten. */
  want(first, last) {
    this.wanted = [];
    if (this.broken) return;
    const end = this.total === null ? 1 : Math.ceil(Math.min(last, this.total) / PAGE);
    for (let page = Math.floor(first / PAGE); page < Math.max(end, 1); page++) {
      if (this.pages.has(page)) this.touch(page);
      else if (!this.coming.has(page)) this.wanted.push(page);
    }
    this.go();
  }

  touch(page) {
    const held = this.pages.get(page);
    this.pages.delete(page);
    this.pages.set(page, held);
  }

  go() {
    while (this.wanted.length && this.coming.size < AT_ONCE) this.fetchPage(this.wanted.shift());
  }

  async fetchPage(page) {
    this.coming.add(page);
    try {
      const query = new URLSearchParams(this.query);
      query.set("offset", page * PAGE);
      query.set("limit", PAGE);
      const found = await ask("/frames?" + query, {signal: this.stop.signal});
      this.total = found.total;
      this.pages.set(page, found.frames);
      if (this.pages.size > KEPT_PAGES) this.pages.delete(this.pages.keys().next().value);
      this.coming.delete(page);
      this.changed();
      this.go();
    } catch (error) {
      this.coming.delete(page);
      if (error.name === "AbortError") return;
      this.broken = true;
      this.failed(error, () => {
        this.broken = false;
        this.changed();
      });
    }
  }

  /** The frame at a place, fetched if need be; null beyond the end. */
  async get(place) {
    const page = Math.floor(place / PAGE);
    if (!this.pages.has(page)) await this.fetchPage(page);
    return this.at(place) ?? null;
  }

  /** Put what is now known of one frame in the place of what was known before. */
  update(row, changes) {
    for (const frames of this.pages.values()) {
      const at = frames.findIndex((one) => one.row === row);
      if (at >= 0) frames[at] = {...frames[at], ...changes};
    }
  }

  close() {
    this.stop.abort();
  }
}
