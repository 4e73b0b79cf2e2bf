// Asks the HTTP API. Whoever is not signed in is sent to sign in, and comes back to the same page.

const LATELY = 60_000; // ms; who was sent so short a time ago is asked first, or they might go in circles
const MARK = "tracekeeper.signing-in";

/** What the API refused, in its own words: a problem document (RFC 9457). */
export class Refusal extends Error {
  constructor(status, told = {}, way = null) {
    super(told.title ?? `The service answered ${status}.`);
    this.status = status; // 0: it could not be reached
    this.type = told.type ?? ""; // such as urn:tracekeeper:problem:not-found
    this.detail = told.detail ?? "";
    this.nextStep = told.next_step ?? "";
    this.evidence = told.evidence ?? [];
    this.correlationId = (told.instance ?? "").replace(/^urn:uuid:/, "");
    this.retryAfter = 0; // s; after how long to ask again, where the API says so
    this.way = way; // where to go on: an address of this host
  }
}

/**
 * Ask the API and give its answer's JSON.
 *
 * @param {string} path Below /api/v1/.
 * @param {object} [body] What to send; without it and without a method the request is a GET.
 * @param {{method?: string, headers?: Object<string, string>}} [how]
 * @throws {Refusal} The API refused, or could not be reached (status 0).
 */
export async function ask(path, body, how) {
  const answer = await send(path, body, how);
  return answer.json().catch(() => null); // an answer without a body
}

/**
 * Ask the API and give its answer as it is, for downloads.
 *
 * @throws {Refusal} As `ask`.
 */
export async function send(path, body, { method, headers } = {}) {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const kind = body === undefined ? {} : { "Content-Type": "application/json" };
  let answer;
  try {
    answer = await fetch(`/api/v1/${path}`, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: { ...kind, ...headers },
      credentials: "same-origin",
      ...sent,
    });
  } catch {
    throw new Refusal(0, { title: "The service could not be reached.", next_step: "Load the page again." });
  }
  if (answer.status === 401) {
    return signIn();
  }
  if (!answer.ok) {
    const refusal = new Refusal(answer.status, (await answer.json().catch(() => null)) ?? {});
    refusal.retryAfter = Number(answer.headers.get("Retry-After")) || 0;
    throw refusal;
  }
  sessionStorage.removeItem(MARK);
  return answer;
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
