// What a person marks in the frame that is shown, until it is saved.
import {collection} from "./collection.js";
import {find, make, makeButton} from "./elements.js";
import {dropDraft, holds, keepDraft, marksOfReview, noMarks, problemOf, readDraft, sentenceOf, withPartial, withPresent, withRejected} from "./marks.js";
import {NameBox} from "./name_box.js";
import {say} from "./said.js";

export class Marking {
  /** `view` shows the frame; `save(marks)` is called with what is to be kept. */
  constructor(view, save) {
    this.view = view;
    this.save = save;
    this.marks = noMarks();
    this.names = new NameBox({
      chosen: (category) => this.add(category),
      typed: () => this.keep(),
      done: () => view.focus(),
    });
    find("save").addEventListener("click", () => this.accept());
    find("none").addEventListener("click", () => this.nothing());
    find("partial").addEventListener("click", () => this.partial());
  }

  get key() {
    return collection.model.hash + "." + this.view.frame.row + "." + this.view.frame.id;
  }

  /** Begin with the draft of this frame, or with its review. */
  begin() {
    const frame = this.view.frame, draft = frame.state === "failed" ? null : readDraft(this.key);
    this.marks = draft ? {present: draft.present, rejected: draft.rejected, partial: !!draft.partial} : frame.review ? marksOfReview(frame.review) : noMarks();
    this.names.text = draft?.typed || "";
    this.show();
  }

  set(marks) {
    this.marks = marks;
    this.keep();
    this.show();
  }

  keep() {
    const frame = this.view.frame, isReview = frame.review && JSON.stringify(this.marks) === JSON.stringify(marksOfReview(frame.review));
    keepDraft(this.key, isReview ? noMarks() : this.marks, this.names.text);
  }

  drop() {
    dropDraft(this.key);
    this.names.text = "";
  }

  present(category) {
    this.set(withPresent(this.marks, category));
    say(category.name + (holds(this.marks.present, category) ? ": there." : ": no longer marked."));
  }

  add(category) {
    if (holds(this.marks.present, category)) return say(category.name + " is marked already.");
    this.present(category);
  }

  rejected(category) {
    const before = this.marks.partial;
    this.set(withRejected(this.marks, category));
    const words = category.name + (holds(this.marks.rejected, category) ? ": not there." : ": no longer marked.");
    say(words + (this.marks.partial && !before ? " Nothing is said of the others." : ""));
  }

  partial() {
    this.set(withPartial(this.marks));
    say(this.marks.partial ? "Only what is marked is kept." : "All that is not marked counts as not there.");
  }

  /** Save what is marked, or say why that cannot be. */
  accept() {
    const problem = this.names.text.trim() ? "“" + this.names.text.trim() + "” is typed but not added: press a and then Enter, or empty the box." : problemOf(this.marks);
    if (problem) return say(problem);
    this.save(this.marks);
  }

  nothing() {
    this.save(noMarks());
  }

  show() {
    const {marks} = this, guesses = this.view.frame.guesses;
    this.view.guesses.showMarks(marks);
    const will = find("will"), sentence = sentenceOf(marks);
    will.replaceChildren(make("span", "", sentence ? "Enter saves: " : "Nothing is marked yet."), make("bdi", "", sentence));
    for (const one of marks.present) {
      if (holds(guesses, one)) continue;
      const chip = makeButton("added", one.name + " ×", () => this.present(one));
      chip.setAttribute("aria-label", "Take " + one.name + " away");
      will.append(chip);
    }
    find("partial").setAttribute("aria-pressed", String(marks.partial));
  }
}
