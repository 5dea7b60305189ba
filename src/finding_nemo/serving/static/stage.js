// The frame, large, with the heat map of one guess over it, and a closer look where the pointer is.
import {find, make} from "./elements.js";
import {imageUrl, mapUrl, thumbnailUrl} from "./server.js";

const ZOOM = 3;

export class Stage {
  constructor() {
    this.box = find("stage");
    this.frame = null;
    this.zoomed = false;
    this.figure = null;
    this.box.addEventListener("click", (event) => this.zoom(event));
    this.box.addEventListener("pointermove", (event) => this.look(event));
  }

  show(frame) {
    this.frame = frame;
    this.zoomed = false;
    this.figure = make("figure", "figure");
    if (frame.state === "failed") {
      const words = make("div", "no-picture");
      words.append(make("b", "", "No picture: "), make("span", "", "this frame " + (frame.failure || "could not be read") + "."));
      this.box.replaceChildren(words);
      return;
    }
    const small = picture(thumbnailUrl(frame.row), "small"), large = picture(imageUrl(frame.row), "large");
    const map = picture("", "map");
    if (frame.width && frame.height) this.setRatio(frame.width / frame.height);
    large.alt = "Frame " + frame.id;
    large.addEventListener("load", () => {
      this.setRatio(large.naturalWidth / large.naturalHeight);
      small.remove();
    });
    large.addEventListener("error", () => {
      if (this.frame !== frame) return;
      this.box.append(make("p", "no-image", "The image could not be loaded. What was said of it stands beside."));
    });
    map.hidden = true;
    map.addEventListener("load", () => { map.hidden = false; });
    map.addEventListener("error", () => { map.hidden = true; });
    this.figure.append(small, large, map);
    this.box.replaceChildren(this.figure);
  }

  setRatio(ratio) {
    this.figure.style.setProperty("--r", ratio);
  }

  /** Lay the heat map of a category over the frame; null takes it away. */
  showMap(category) {
    const map = this.figure?.querySelector(".map");
    if (!map) return;
    const url = category !== null && this.frame.maps.includes(category) ? mapUrl(this.frame.row, category) : "";
    if (map.dataset.url === url) return;
    map.dataset.url = url;
    map.hidden = true;
    if (url) map.src = url;
    else map.removeAttribute("src");
  }

  /** Look closer, at the pointer or at the middle; again to see the whole frame. */
  zoom(event = null) {
    if (!this.figure?.isConnected) return;
    this.zoomed = !this.zoomed;
    this.box.classList.toggle("zoomed", this.zoomed);
    this.figure.style.transformOrigin = "50% 50%";
    this.figure.style.transform = this.zoomed ? "scale(" + ZOOM + ")" : "";
    if (event?.clientX) this.look(event);
  }

  look(event) {
    if (!this.zoomed) return;
    const {left, top, width, height} = this.box.getBoundingClientRect();
    const share = (at, from, size) => Math.min(100, Math.max(0, 100 * (at - from) / size));
    this.figure.style.transformOrigin = share(event.clientX, left, width) + "% " + share(event.clientY, top, height) + "%";
  }
}

function picture(url, name) {
  const image = make("img", name);
  image.alt = "";
  if (url) image.src = url;
  return image;
}

/** Have the browser fetch a frame that will be looked at next. */
export function fetchAhead(row) {
  new Image().src = imageUrl(row);
}
