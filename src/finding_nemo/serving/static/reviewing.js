// What a review does: it is saved, the words follow, and the next frame comes.
import {collection, takeChange} from "./collection.js";
import {inWords, shortened} from "./elements.js";
import {bodyOf, keepDraft, marksOfReview} from "./marks.js";
import {progressOf, shortProgress, showProgress} from "./progress.js";
import {place} from "./place.js";
import {say, showFault} from "./said.js";
import {ask} from "./server.js";

const MOST_NAMES = 3;

export class Reviewing {
  /** `shown` has reviewer(), afterSave(row), afterUndo(row) and busy(yes). */
  constructor(view, marking, shown) {
    Object.assign(this, {view, marking, shown});
    this.isBusy = false;
  }

  async save(marks) {
    if (this.isBusy || !this.view.frame || this.view.frame.state === "failed") return;
    const frame = this.view.frame, body = bodyOf(marks, frame.row, this.shown.reviewer());
    await this.one(async () => {
      const answer = await ask("/reviews", {method: "POST", json: body});
      this.marking.drop();
      takeChange(answer);
      showProgress(place.filters.dive);
      const words = "Saved: " + wordsOf(answer.review) + ". " + this.progressWords(answer);
      await this.shown.afterSave(frame.row);
      say(words);
    }, () => this.save(marks));
  }

  async undo() {
    await this.one(async () => {
      const answer = await ask("/reviews/undo", {method: "POST", json: {reviewer: this.shown.reviewer()}});
      if (!answer.undone) return say("There is no review of yours to undo.");
      takeChange(answer);
      showProgress(place.filters.dive);
      // What was said is marked still, for those who only want to change a part of it.
      keepDraft(collection.model.hash + "." + answer.undone.row + "." + answer.undone.id, marksOfReview(answer.undone), "");
      await this.shown.afterUndo(answer.undone.row);
      say("Undone: " + wordsOf(answer.undone) + (answer.now ? ". What was said before holds again: " + wordsOf(answer.now) : "") + ".");
    }, () => this.undo());
  }

  progressWords(answer) {
    const quality = place.filters.dive || !answer.dive ? progressOf(place.filters.dive).quality : answer.dive.quality;
    const words = shortProgress(quality), ofDive = !place.filters.dive && collection.dives.length > 1 && answer.dive?.name;
    return words ? (ofDive ? answer.dive.name + ": " : "") + words + "." : "";
  }

  // One request at a time; what failed can be tried again, and nothing that was marked is gone.
  async one(work, again) {
    if (this.isBusy) return;
    this.isBusy = true;
    this.shown.busy(true);
    try {
      await work();
    } catch (error) {
      showFault(error, again);
    } finally {
      this.isBusy = false;
      this.shown.busy(false);
    }
  }
}

export function wordsOf(review) {
  const names = review.categories.map((one) => shortened(one.name));
  const shown = names.length > MOST_NAMES ? [...names.slice(0, MOST_NAMES), names.length - MOST_NAMES + " more"] : names;
  if (names.length) return inWords(shown);
  return review.complete ? "nothing there" : "not " + inWords(review.rejected.map((one) => shortened(one.name)));
}
