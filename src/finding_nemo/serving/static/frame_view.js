// One frame, large, beside what is said of it.
import {answerOf, confidenceBadge} from "./chips.js";
import {find, make, makeButton, percent} from "./elements.js";
import {GuessList} from "./guess_list.js";
import {hashOf, place} from "./place.js";
import {ask, imageUrl} from "./server.js";
import {Stage} from "./stage.js";

export class FrameView {
  /** `act` is what the guesses do: present and rejected, as in GuessList. */
  constructor(act) {
    this.stage = new Stage();
    this.showsMaps = true;
    this.guesses = new GuessList({...act, look: (category) => this.stage.showMap(this.showsMaps ? category : null)});
    this.frame = null;
    this.loading = 0;
  }

  /** Fetch a frame; null where another was asked for in the meantime. */
  async load(row) {
    const mine = ++this.loading, about = find("about");
    about.setAttribute("aria-busy", "true");
    try {
      const frame = await ask("/frames/" + row);
      return mine === this.loading ? frame : null;
    } catch (error) {
      if (mine === this.loading) throw error;
      return null;
    } finally {
      if (mine === this.loading) about.removeAttribute("aria-busy");
    }
  }

  show(frame, {reason = null} = {}) {
    const isNew = this.frame?.row !== frame.row;
    this.frame = frame;
    if (isNew) this.stage.show(frame);
    else this.stage.frame = frame;
    const canMark = frame.state !== "failed", parts = [this.heading(frame), ...reviewWords(frame)];
    if (frame.state === "failed") parts.push(make("p", "failed", "This frame " + (frame.failure || "could not be read") + "."));
    else if (frame.state !== "reviewed") parts.push(...networkWords(frame));
    if (reason) parts.push(paragraph("reason", "Why this frame", reason));
    if (frame.guesses.length) {
      parts.push(make("h3", "", frame.state === "reviewed" ? "What the guesses were" : "What could be there"), this.guesses.box);
    }
    this.guesses.show(frame, canMark);
    parts.push(...this.restWords(frame));
    find("about").replaceChildren(...parts);
    find("about").scrollTop = 0;
    find("act").hidden = !canMark;
  }

  heading(frame) {
    const heading = make("h2");
    heading.tabIndex = -1;
    heading.append(make("bdi", "name", answerOf(frame)));
    const badge = frame.state === "reviewed" ? make("span", "badge done", "✓ reviewed") : confidenceBadge(frame);
    if (badge) heading.append(badge);
    return heading;
  }

  restWords(frame) {
    const parts = frame.state === "unreviewed" ? answerWords(frame) : [];
    if (frame.maps.length) {
      const toggle = makeButton("", this.showsMaps ? "Hide heat maps" : "Show heat maps", () => this.toggleMaps(toggle));
      toggle.append(" ", make("kbd", "", "h"));
      toggle.id = "maps";
      parts.push(toggle);
    }
    if (frame.unusual_words) parts.push(make("h3", "", "How unusual"), make("p", "", sentence(frame.unusual_words)));
    const where = [frame.dive, frame.captured?.replace("T", " "), frame.time_s === null ? null : atTime(frame.time_s)].filter(Boolean);
    parts.push(make("h3", "", "Frame"));
    if (where.length) parts.push(make("p", "", where.join(", ")));
    const file = make("p", "file");
    file.append(make("bdi", "", frame.id));
    if (frame.state !== "failed") {
      const link = make("a", "", "open the image");
      Object.assign(link, {href: imageUrl(frame.row), target: "_blank", rel: "noopener"});
      file.append(" · ", link);
    }
    parts.push(file);
    return parts;
  }

  toggleMaps(button = find("maps")) {
    this.showsMaps = !this.showsMaps;
    this.stage.showMap(null);
    if (button) button.firstChild.data = this.showsMaps ? "Hide heat maps" : "Show heat maps";
  }

  focus() {
    find("about").querySelector("h2")?.focus({preventScroll: true});
  }
}

function paragraph(name, head, text) {
  const line = make("p", name);
  line.append(make("b", "", head + ": "), make("span", "", sentence(text)));
  return line;
}

function reviewWords(frame) {
  const review = frame.review;
  if (!review) return [];
  const words = ["by ", make("bdi", "", review.reviewer), ", " + review.time.replace("T", " ").replace("Z", " UTC")];
  if (review.rejected.length) words.push("; not there: ", make("bdi", "", review.rejected.map((one) => one.name).join(", ")));
  if (!review.complete) words.push("; others were not looked for");
  const line = make("p", "by");
  line.append(...words);
  const first = frame.model_guesses[0];
  return first ? [line, modelWords(first)] : [line];
}

function modelWords(first) {
  const line = make("p", "by");
  line.append("The network alone said: ", make("bdi", "", first.name), ", " + percent(first.probability));
  return line;
}

function networkWords(frame) {
  const first = frame.model_guesses[0];
  return first && (frame.method === "propagated" || frame.guesses[0]?.id !== first.id) ? [modelWords(first)] : [];
}

function answerWords(frame) {
  const parts = [];
  if (frame.why || frame.propagated_from) parts.push(make("h3", "", "Why this answer"));
  if (frame.why) parts.push(make("p", "", sentence(frame.why)));
  if (frame.propagated_from) {
    const line = make("p", "from"), link = make("a");
    link.href = hashOf({...place, view: "frame", row: frame.propagated_from.row, at: null});
    link.append(make("bdi", "", frame.propagated_from.id));
    line.append("Named mostly from frame ", link, ", which a person looked at.");
    parts.push(line);
  }
  return parts;
}

function sentence(words) {
  return words[0].toUpperCase() + words.slice(1) + (words.endsWith(".") ? "" : ".");
}

function atTime(seconds) {
  const whole = Math.floor(seconds);
  const two = (number) => String(number).padStart(2, "0");
  return "at " + Math.floor(whole / 3600) + ":" + two(Math.floor(whole / 60) % 60) + ":" + two(whole % 60);
}
