// Rows are names; columns are spans of time, or of frames in their order, or whole dives.
function timelineShown() {
  if (state.dive >= 0 || data.dives.length === 1) return data.dives[Math.max(state.dive, 0)];
  const counts = data.dives.map(() => 0), sums = new Map();
  for (let frame = 0; frame < total; frame++) {
    const dive = frames.dive[frame], name = frames.answer[frame];
    if (name < 0) continue;
    counts[dive]++;
    const key = dive * data.names.length + name;
    sums.set(key, (sums.get(key) || 0) + 1);
  }
  const cells = [...sums].map(([key, count]) => [Math.floor(key / data.names.length), key % data.names.length, count]);
  return {labels: data.dives.map((_, dive) => diveName(dive)), counts, cells, isOfDives: true};
}

// A date is written once, and seconds only where they are not all 0.
function shortLabel(label, before) {
  const hasDate = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(label);
  if (!hasDate) return label;
  const time = label.endsWith(":00") ? label.slice(11, 16) : label.slice(11);
  return before && before.slice(0, 10) === label.slice(0, 10) ? time : label.slice(0, 11) + time;
}

function drawTimeline() {
  const line = timelineShown(), bins = line.labels.length;
  const byName = new Map();
  for (const [bin, name, count] of line.cells) {
    if (!byName.has(name)) byName.set(name, {sum: 0, counts: new Map()});
    const row = byName.get(name);
    row.sum += count;
    row.counts.set(bin, count);
  }
  const rows = [...byName].sort((a, b) => b[1].sum - a[1].sum), most = Math.max(1, ...line.cells.map((cell) => cell[2]));
  const least = bins < 10 ? 76 : line.isOfDives ? 13 : 9, table = make("table"), body = make("tbody"), foot = make("tfoot"), marks = make("tr");
  const cellsOf = (row, counts, high, name) => {
    for (let bin = 0; bin < bins; bin++) {
      const count = counts(bin) || 0, cell = make("td", count ? "has" : "");
      if (count) {
        cell.style.setProperty("--v", Math.round(22 + 78 * Math.sqrt(count / high)));
        cell.title = (name === null ? "" : data.names[name][0] + ": ") + plural(count, "frame") + (line.isOfDives ? ", " : ", from ") + line.labels[bin];
        cell.dataset[line.isOfDives ? "dive" : "bin"] = bin;
        if (name !== null) cell.dataset.name = name;
      }
      row.append(cell);
    }
  };
  table.style.minWidth = HEAD_PX + bins * least + "px";
  for (const [name, {counts}] of rows.slice(0, TIMELINE_NAMES)) {
    const row = make("tr"), head = make("th"), button = make("button", "", data.names[name][0]);
    button.type = "button";
    button.dataset.name = name;
    button.title = data.names[name][0];
    head.append(button);
    row.append(head);
    cellsOf(row, (bin) => counts.get(bin), most, name);
    body.append(row);
  }
  const all = make("tr", "all"), highest = Math.max(1, ...line.counts);
  all.append(make("th", "quiet", "frames read"));
  cellsOf(all, (bin) => line.counts[bin], highest, null);
  body.append(all);
  marks.append(make("th", "", ""));
  const width = Math.max(find("timeline").clientWidth, parseInt(table.style.minWidth, 10)) - HEAD_PX;
  const every = Math.max(1, Math.ceil(bins * LABEL_PX / width));
  for (let bin = 0; bin < bins; bin += every) {
    const mark = make("td", "", shortLabel(line.labels[bin], line.labels[bin - every]));
    mark.colSpan = Math.min(every, bins - bin);
    marks.append(mark);
  }
  foot.append(marks);
  table.append(body, foot);
  find("timeline").replaceChildren(table);
  const more = rows.length - TIMELINE_NAMES;
  find("time-words").textContent = "Each column is " + (line.isOfDives ? "a dive; choose one to see it over time" : line.step)
    + ". The darker, the more frames." + (more > 0 ? " " + plural(more, "rarer name") + " not shown." : "") + " Click a field to see its frames.";
}
