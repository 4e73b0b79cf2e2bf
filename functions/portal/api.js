// Asks the HTTP API. Whoever is not signed in is sent to sign in, and comes back to the same page.

const LATELY = 60_000; // ms; who was sent so short a time ago is asked first, or they might go in circles
const MARK = "tracekeeper.signing-in";

/** What the API refused, in its own words: a problem document (RFC 9457). */
export class Refusal extends Error {
  constructor(status, { title, detail, next_step: nextStep } = {}, way = null) {
    super(title ?? `The service answered ${status}.`);
    this.detail = detail ?? "";
    this.nextStep = nextStep ?? "";
    this.way = way; // where to go on: an address of this host
  }
}

/**
 * Ask the API and give its answer's JSON.
 *
 * @param {string} path Below /api/v1/.
 * @param {object} [body] What to POST; without it the request is a GET.
 * @throws {Refusal} The API refused, or could not be reached (status 0).
 */
export async function ask(path, body) {
  const posted = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  let answer;
  try {
    answer = await fetch(`/api/v1/${path}`, { ...posted, credentials: "same-origin" });
  } catch {
    throw new Refusal(0, { title: "The service could not be reached.", next_step: "Load the page again." });
  }
  if (answer.status === 401) {
    return signIn();
  }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    throw new Refusal(answer.status, told);
  }
  sessionStorage.removeItem(MARK);
  return told;
}

function signIn() {
  const back = encodeURIComponent(location.pathname + location.search);
  const way = `/.auth/login/aad?post_login_redirect_uri=${back}`;
  const now = Date.now();
  if (now - Number(sessionStorage.getItem(MARK)) < LATELY) {
    throw new Refusal(401, { title: "You are not signed in." }, way);
  }
  sessionStorage.setItem(MARK, String(now));
  location.assign(way);
  return new Promise(() => {}); // the page is left
}
