// How far the dive is: how well the rest is named, with its range, and how many looks more help.
import {collection, diveNamed} from "./collection.js";
import {find, make, many, plural, twoDigits} from "./elements.js";

/** Two digits; never those of a goal that is not reached yet: "0.89" for 0.897. */
export function valueWords(quality) {
  const next = quality.to_reach.find((one) => quality.value < one.value);
  return twoDigits(next ? Math.min(quality.value, next.value - 0.01) : quality.value);
}

/** The quality of what is looked at: of one dive, or of all. */
export function progressOf(diveName) {
  const dive = diveName ? diveNamed(diveName) : null;
  if (dive) return {quality: dive.quality, nReviewed: dive.n_reviewed, nFrames: dive.n_readable};
  return {quality: collection.overall, nReviewed: collection.nReviewed, nFrames: collection.nFrames - collection.nFailed};
}

/** What more looks bring: "about 5 more frames to 0.95"; "" where nothing is known. */
export function wordsToReach(quality) {
  const next = quality.to_reach.find((one) => one.more_frames > 0);
  if (next) return "about " + plural(next.more_frames, "more frame") + " to " + twoDigits(next.value);
  const reached = quality.to_reach.filter((one) => one.more_frames === 0).pop();
  return reached ? twoDigits(reached.value) + " is reached" : "";
}

/** "0.91, about 5 more frames to 0.95". */
export function shortProgress(quality) {
  return quality ? [valueWords(quality), wordsToReach(quality)].filter(Boolean).join(", ") : "";
}

export function showProgress(diveName) {
  const {quality, nReviewed, nFrames} = progressOf(diveName), box = find("quality"), parts = [];
  const counted = many(nReviewed) + " of " + plural(nFrames, "frame") + " reviewed";
  if (quality) {
    const line = make("p", "quality-words");
    const range = "likely " + twoDigits(quality.low) + "–" + twoDigits(quality.high);
    line.append(make("b", "", valueWords(quality)), " of 1, ", make("span", "range", range + "; "), make("span", "reach", wordsToReach(quality)));
    parts.push(meterOf(quality), textOf(line, restOf(diveName) + " · " + counted));
  } else {
    const words = nFrames ? "Look at a few frames, and it says here how well the rest is named." : "No frame yet.";
    parts.push(textOf(make("p", "quality-words", words), counted));
  }
  box.replaceChildren(...parts);
}

// A quality over several dives says nothing of those where nobody looked yet.
function restOf(diveName) {
  const nDives = collection.dives.length, nBegun = collection.dives.filter((one) => one.n_reviewed > 0).length;
  if (diveName || nBegun === nDives) return "how well the rest is named";
  return "the rest of " + (nBegun === 1 ? "the dive" : "the " + many(nBegun) + " dives") + " that you began; " + plural(nDives - nBegun, "dive") + " to go";
}

function textOf(line, quiet) {
  const text = make("div", "quality-text");
  text.append(line, make("p", "counted", quiet));
  return text;
}

function meterOf(quality) {
  const meter = make("div", "meter"), range = make("i", "range"), value = make("i", "value");
  meter.setAttribute("role", "img");
  meter.setAttribute("aria-label", "Quality of the rest: " + valueWords(quality) + " of 1, between " + twoDigits(quality.low) + " and " + twoDigits(quality.high));
  range.style.left = 100 * quality.low + "%";
  range.style.width = 100 * Math.max(0, quality.high - quality.low) + "%";
  value.style.left = 100 * quality.value + "%";
  meter.append(range);
  for (const goal of quality.to_reach) {
    const tick = make("i", "goal" + (goal.more_frames === 0 ? " reached" : ""));
    tick.style.left = 100 * goal.value + "%";
    meter.append(tick);
  }
  meter.append(value);
  return meter;
}
