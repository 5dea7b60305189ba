// What a person marked in a frame and has not saved yet. Pure, but for the drafts at the end.
import {inWords, shortened} from "./elements.js";

export function noMarks() {
  return {present: [], rejected: [], partial: false};
}

export function marksOfReview(review) {
  return {present: [...review.categories], rejected: [...review.rejected], partial: !review.complete};
}

function isSame(one, other) {
  if (one.id !== null && other.id !== null) return one.id === other.id;
  return one.name === other.name;
}

export function holds(list, category) {
  return list.some((one) => isSame(one, category));
}

function toggled(list, category) {
  return holds(list, category) ? list.filter((one) => !isSame(one, category)) : [...list, {id: category.id, name: category.name}];
}

function without(list, category) {
  return list.filter((one) => !isSame(one, category));
}

export function withPresent(marks, category) {
  return {...marks, present: toggled(marks.present, category), rejected: without(marks.rejected, category)};
}

/** Mark what is not there. With nothing else marked, this alone says nothing of the other animals. */
export function withRejected(marks, category) {
  const rejected = toggled(marks.rejected, category), present = without(marks.present, category);
  const partial = marks.partial ? rejected.length + present.length > 0 : rejected.length > 0 && present.length === 0;
  return {present, rejected, partial};
}

export function withPartial(marks) {
  return {...marks, partial: !marks.partial};
}

export function isEmpty(marks) {
  return !marks.present.length && !marks.rejected.length;
}

/** Why these marks cannot be saved, or null. */
export function problemOf(marks) {
  if (marks.partial && isEmpty(marks)) return "Mark what is there or what is not: with “others not looked for”, an empty answer says nothing.";
  if (isEmpty(marks)) return "Nothing is marked. Press n if nothing is there, or mark a name first.";
  if (!marks.partial && !marks.present.length) return "Only “not there” is marked. Press p if others were not looked for, or n if nothing is there.";
  return null;
}

/** What saving would say, as a sentence. */
export function sentenceOf(marks) {
  const names = (list) => inWords(list.map((one) => shortened(one.name)));
  if (isEmpty(marks)) return "";
  const parts = [];
  if (marks.present.length) parts.push(names(marks.present));
  if (marks.partial && marks.rejected.length) parts.push("not there: " + names(marks.rejected));
  return parts.join("; ") + (marks.partial ? ". Others were not looked for." : ". Nothing else is there.");
}

/** The body of POST /reviews. A complete review says of all others that they are not there. */
export function bodyOf(marks, row, reviewer) {
  const sent = (list) => list.map((one) => one.id ?? one.name);
  return {row, categories: sent(marks.present), rejected: marks.partial ? sent(marks.rejected) : [], complete: !marks.partial, reviewer};
}

const PREFIX = "finding-nemo.draft.";

export function readDraft(key) {
  try {
    const found = JSON.parse(sessionStorage.getItem(PREFIX + key));
    return found && Array.isArray(found.present) && Array.isArray(found.rejected) ? found : null;
  } catch {
    return null;
  }
}

/** Keep what is marked and typed, for a reload or a frame that a person comes back to. */
export function keepDraft(key, marks, typed) {
  const draft = {...marks, typed};
  if (isEmpty(marks) && !marks.partial && !typed) sessionStorage.removeItem(PREFIX + key);
  else sessionStorage.setItem(PREFIX + key, JSON.stringify(draft));
}

export function dropDraft(key) {
  sessionStorage.removeItem(PREFIX + key);
}
