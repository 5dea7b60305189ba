// Requests to the server that the page came from, and what it says when it refuses.
export class ServerError extends Error {
  constructor({what, act = "", status = 0, waitSeconds = 0}) {
    super(what);
    this.act = act;
    this.status = status;
    this.waitSeconds = waitSeconds;
  }
}

const NO_ANSWER = {
  what: "The server does not answer.",
  act: "Look whether it still runs. What you marked is kept here; then try again.",
};

export async function ask(path, {method = "GET", json, form, signal} = {}) {
  const headers = {"X-Finding-Nemo": "1", Accept: "application/json"};
  if (json !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {method, headers, signal, body: json === undefined ? form : JSON.stringify(json)});
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError(NO_ANSWER);
  }
  if (!answer.ok) throw await refusal(answer);
  if (answer.status === 204) return null;
  try {
    return await answer.json();
  } catch {
    throw new ServerError({what: "The answer of the server ended too early.", act: "Try again.", status: answer.status});
  }
}

async function refusal(answer) {
  let said = null;
  try {
    said = (await answer.json()).error;
  } catch {
    // A proxy in between answers in other forms; the status is all there is.
  }
  return new ServerError({
    what: said?.what || "The server refused this (status " + answer.status + ").",
    act: said?.do || (answer.status === 401 ? "Open the address with #token=... that the server printed." : ""),
    status: answer.status,
    waitSeconds: Number(answer.headers.get("Retry-After")) || (answer.status === 429 ? 2 : 0),
  });
}

// A page opened as /#token=... hands the token over once; the cookie it gets for it serves images, too.
export async function openSession() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return;
  await ask("/session", {method: "POST", json: {token}});
  history.replaceState(null, "", location.pathname);
}

// Browsers keep pictures for a while, but a server started anew may have other frames at the same
// address: each page that is loaded asks for its own.
const OF_THIS_PAGE = "?page=" + Date.now().toString(36);

export function imageUrl(row) {
  return "/frames/" + row + "/image" + OF_THIS_PAGE;
}

export function thumbnailUrl(row) {
  return "/frames/" + row + "/thumbnail" + OF_THIS_PAGE;
}

export function mapUrl(row, category) {
  return "/frames/" + row + "/map/" + category + OF_THIS_PAGE;
}
