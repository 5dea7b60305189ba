// Where a person is on the page, kept in the address: a reload or a link comes back to it.
const FILTERS = ["dive", "animal", "state", "unusual", "order"];

/** Read an address such as "#/frame/5?dive=V1&at=7". */
export function placeOf(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [view, row] = path.split("/");
  const given = new URLSearchParams(query), place = {view: "list", row: null, at: null, filters: {}};
  if ((view === "frame" || view === "review") && /^\d{1,12}$/.test(row || "")) {
    place.view = view;
    place.row = Number(row);
  } else if (view === "review") place.view = "review";
  if (/^\d{1,12}$/.test(given.get("at") || "")) place.at = Number(given.get("at"));
  for (const name of FILTERS) if (given.get(name)) place.filters[name] = given.get(name);
  return place;
}

export function hashOf(place) {
  const query = new URLSearchParams();
  for (const name of FILTERS) if (place.filters[name]) query.set(name, place.filters[name]);
  if (place.at) query.set("at", place.at);
  const path = place.view === "list" ? "" : place.view + (place.row === null ? "" : "/" + place.row);
  return "#/" + path + (query.size ? "?" + query : "");
}

export const place = placeOf("");

/** Go elsewhere; `replace` leaves no step for the browser's back button. */
export function go(changes, {replace = false} = {}) {
  Object.assign(place, changes);
  const hash = hashOf(place);
  if (hash === location.hash) return;
  history[replace ? "replaceState" : "pushState"](null, "", hash);
}

export function readPlace() {
  Object.assign(place, placeOf(location.hash));
}
