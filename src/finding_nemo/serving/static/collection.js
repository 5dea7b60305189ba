// What the server has open: its model, dives, animals and names. One object, read again after changes.
import {ask} from "./server.js";

export const collection = {
  model: null,
  dives: [],
  overall: null,
  nFrames: 0,
  nReviewed: 0,
  nFailed: 0,
  animals: [],
  categories: [],
  // Rows that were reviewed change others: lists read before are old.
  generation: 0,
};

export async function readModel() {
  collection.model = await ask("/model");
  collection.categories = [...collection.model.categories];
}

export async function readDives() {
  const found = await ask("/dives");
  collection.dives = found.dives;
  collection.overall = found.overall;
  collection.nFrames = found.n_frames;
  collection.nReviewed = found.n_reviewed;
  collection.nFailed = found.n_failed;
}

export async function readAnimals() {
  collection.animals = (await ask("/animals")).animals;
  const known = new Set(collection.categories.map((one) => one.id));
  for (const one of collection.animals) if (!known.has(one.id)) collection.categories.push({...one, n_images: 0});
}

/** Take in what the server answered to a review or to its undoing. */
export function takeChange(answer) {
  collection.generation += 1;
  if (answer.dive) {
    const at = collection.dives.findIndex((one) => one.name === answer.dive.name);
    if (at >= 0) {
      collection.nReviewed += answer.dive.n_reviewed - collection.dives[at].n_reviewed;
      collection.dives[at] = answer.dive;
    }
  }
  if (answer.overall !== undefined) collection.overall = answer.overall;
  for (const one of answer.new_categories || []) collection.categories.push({supercategory: null, n_images: 0, ...one});
}

export function diveNamed(name) {
  return collection.dives.find((one) => one.name === name) || null;
}
