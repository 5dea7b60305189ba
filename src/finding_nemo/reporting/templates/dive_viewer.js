// One frame, large.
function open(list, place) {
  viewer.frames = list;
  viewer.place = place;
  viewer.guess = 0;
  const dialog = find("viewer");
  if (!dialog.open) dialog.showModal();
  showFrame();
}

function step(by) {
  const place = viewer.place + by;
  if (place < 0 || place >= viewer.frames.length) return;
  viewer.place = place;
  viewer.guess = 0;
  showFrame();
}

function showFrame() {
  const frame = viewer.frames[viewer.place];
  find("place").textContent = (viewer.place + 1).toLocaleString("en") + " of " + viewer.frames.length.toLocaleString("en");
  find("previous").disabled = viewer.place === 0;
  find("next").disabled = viewer.place === viewer.frames.length - 1;
  showPicture(frame);
  describe(frame);
  showMap(frame);
}

function showPicture(frame) {
  const stage = find("stage"), small = smallPicture(frame);
  small.classList.add("large");
  stage.style.setProperty("--r", data.sheet.width / data.sheet.height);
  const canvas = make("canvas");
  canvas.hidden = true;
  stage.replaceChildren(small, canvas);
  if (!frames.link[frame]) return;
  const picture = new Image();
  picture.alt = answerOf(frame);
  picture.onload = () => {
    if (!stage.contains(small) || viewer.frames[viewer.place] !== frame) return;
    stage.style.setProperty("--r", picture.naturalWidth / picture.naturalHeight);
    small.replaceWith(picture);
  };
  picture.src = data.linkPrefix + frames.link[frame];
  const next = viewer.frames[viewer.place + 1];
  if (next !== undefined && frames.link[next]) new Image().src = data.linkPrefix + frames.link[next];
}

function describe(frame) {
  const about = find("about"), parts = [], word = frames.word[frame];
  const heading = make("h2", "", answerOf(frame));
  if (word >= 0) heading.append(make("span", "badge w" + Math.min(word, 2), data.words[word]));
  parts.push(heading);
  if (frames.failure[frame] >= 0) parts.push(make("p", "failed", "This frame could not be read; the reason: “" + data.failures[frames.failure[frame]] + "”."));
  if (frames.why[frame] >= 0) parts.push(make("p", "", data.whys[frames.why[frame]]));
  const reasons = data.reasons[frame];
  if (reasons) {
    const list = make("ul");
    reasons.forEach((reason) => list.append(make("li", "", reason)));
    parts.push(make("h3", "", "Why to look at it first"), list);
  }
  if (frames.guesses[frame].length) parts.push(make("h3", "", "Best guesses"), ...guessRows(frame));
  if (frames.failure[frame] < 0) parts.push(make("h3", "", "How unusual"), make("p", "", frames.unusual[frame] < 0 ? data.noveltyUnknown : data.novelty[frames.unusual[frame]]));
  parts.push(make("h3", "", "Frame"), make("p", "", [diveName(frames.dive[frame]), frames.time[frame]].filter(Boolean).join(", ")));
  const file = make("p", "file", frames.id[frame]);
  if (frames.link[frame]) {
    const link = make("a", "", "open the image file");
    link.href = data.linkPrefix + frames.link[frame];
    link.target = "_blank";
    file.append(make("br"), link);
  }
  parts.push(file);
  about.replaceChildren(...parts);
}

// The rank or the taxon that holds a name, unless the name itself begins with it.
const rankBeside = (text, place) => {
  const rank = place.split(", ")[0];
  return text.toLowerCase().startsWith(rank + ": ") ? "" : rank;
};

function guessRows(frame) {
  const guesses = frames.guesses[frame], rows = [];
  for (let at = 0; at < guesses.length; at += 2) {
    const [text, group, images, dives, place = ""] = data.names[guesses[at]], number = at / 2;
    const row = make(data.maps ? "button" : "div", "guess"), line = make("span", "row"), track = make("span", "track"), bar = make("i");
    const called = make("span", "", text);
    called.title = place;
    line.append(called, make("span", "", percent(guesses[at + 1])));
    bar.style.width = guesses[at + 1] / 10 + "%";
    track.append(bar);
    const evidence = images === null ? "" : images ? plural(images, "training frame") + " of " + plural(dives || 0, "dive") : "never seen in training";
    row.append(line, track, make("small", "", [text.endsWith(group) ? "" : group, rankBeside(text, place), evidence].filter(Boolean).join(" · ")));
    if (data.maps) {
      row.type = "button";
      row.dataset.guess = number;
      row.setAttribute("aria-pressed", String(viewer.showsMap && number === viewer.guess));
    }
    rows.push(row);
  }
  if (data.maps) rows.push(make("p", "quiet", "Click a guess to see where the network looks for it; again to hide it."));
  return rows;
}

// Heat maps lie in files of their own, read when the first frame of one is looked at.
function mapsFile(number) {
  if (!maps.has(number)) {
    maps.set(number, null);
    const script = make("script");
    script.src = fileUrl("maps-" + String(number).padStart(4, "0") + ".js");
    document.head.append(script);
  }
  return maps.get(number);
}

function showMap(frame) {
  const canvas = find("stage").querySelector("canvas");
  canvas.hidden = true;
  if (!data.maps || !viewer.showsMap) return;
  const {rows, columns, guesses, perFile} = data.maps;
  const file = mapsFile(Math.floor(frame / perFile)), coded = file && file[frame % perFile];
  if (!coded || viewer.guess >= guesses) return;
  const bytes = Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0)).subarray(viewer.guess * rows * columns, (viewer.guess + 1) * rows * columns);
  const high = Math.max(64, ...bytes), context = canvas.getContext("2d", {willReadFrequently: true});
  canvas.width = columns;
  canvas.height = rows;
  const image = context.createImageData(columns, rows);
  bytes.forEach((value, at) => {
    const heat = value / high;
    image.data.set([255, Math.round(235 - 130 * heat), Math.round(90 - 60 * heat), Math.round(165 * heat * heat)], at * 4);
  });
  context.putImageData(image, 0, 0);
  canvas.hidden = false;
}

window.diveMaps = (number, found) => {
  maps.set(number, found);
  if (find("viewer").open) showMap(viewer.frames[viewer.place]);
};
