// The small words beside a frame: how sure, unusual, reviewed, failed.
import {make, percent} from "./elements.js";

const SHADES = {sure: "w0", likely: "w1", guess: "w2"};
export const UNUSUAL_FROM = 0.95;

/** What a frame is called: the answer, or why there is none. */
export function answerOf(frame) {
  if (frame.state === "failed") return "not read";
  return frame.answer || (frame.state === "reviewed" ? "nothing there" : "no answer");
}

export function confidenceBadge(frame) {
  return frame.confidence ? make("span", "badge " + (SHADES[frame.confidence] || "w2"), frame.confidence) : null;
}

/** The marks that lie on a thumbnail, the most important first. */
export function marksOf(frame) {
  const marks = [];
  if (frame.state === "reviewed") marks.push(make("span", "mark done", "✓ reviewed"));
  if (frame.unusual !== null && frame.unusual >= UNUSUAL_FROM) marks.push(make("span", "mark odd", "unusual"));
  if (frame.method === "propagated" && frame.state !== "reviewed") marks.push(make("span", "mark quiet", "from reviews"));
  return marks;
}

/** One frame in one line, for those who hear the page. */
export function lineOf(frame) {
  if (frame.state === "failed") return "Not read: " + frame.id + " " + (frame.failure || "could not be read");
  const parts = [answerOf(frame)];
  if (frame.state === "reviewed") parts.push("reviewed");
  else {
    if (frame.confidence) parts.push(frame.confidence);
    if (frame.probability !== null) parts.push(percent(frame.probability));
    if (frame.method === "propagated") parts.push("from reviews");
  }
  if (frame.unusual !== null && frame.unusual >= UNUSUAL_FROM) parts.push("unusual");
  parts.push(frame.id);
  return parts.join(", ");
}
