// Fetches a bundle part by part, and checks the SHA-256 of what came together.

import { Refusal, send } from "./api.js";

const PART = 8 * 1024 * 1024; // bytes; the API gives no more at once (docs/openapi.yaml, download_bundle)
const PATIENCE = 5; // waits in a row for one part
const LONGEST_WAIT = 65; // s
const MOST_HASHED = 1024 * 1024 * 1024; // bytes; crypto.subtle takes only what lies in memory as a whole

/**
 * Fetch a bundle in order.
 *
 * @param {{id: string, bundle: {size: number, sha256: string}}} export_
 * @param {function(Uint8Array): Promise<void>|void} take Gets each part.
 * @param {function(number): void} came Gets how many bytes are there.
 * @param {AbortSignal} signal Stops it.
 * @throws {Refusal} The API refused, or the bundle changed under way.
 */
export async function fetchParts({ id, bundle }, take, came, signal) {
  for (let at = 0; at < bundle.size;) {
    signal.throwIfAborted();
    const answer = await part(id, at, signal);
    const data = new Uint8Array(await answer.arrayBuffer());
    if (answer.headers.get("ETag") !== `"${bundle.sha256}"` || !startsAt(answer, at) || data.length === 0) {
      throw new Refusal(0, { title: "The service gave something else than this bundle.", next_step: "Load the page again, and download it anew." });
    }
    await take(data);
    at += data.length;
    came(at);
  }
}

/** Ask for the part that begins at a byte; where the service is busy, wait as long as it says. */
async function part(id, at, signal) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await send(`exports/${id}/bundle`, undefined, { headers: { Range: `bytes=${at}-${at + PART - 1}` } });
    } catch (refusal) {
      if (![0, 429, 503].includes(refusal.status) || tries === PATIENCE) {
        throw refusal;
      }
      await pause(Math.min(refusal.retryAfter || 2 ** tries, LONGEST_WAIT), signal);
    }
  }
}

function startsAt(answer, at) {
  return answer.headers.get("Content-Range")?.startsWith(`bytes ${at}-`) ?? false;
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}

/** Give the SHA-256 of a file in hex; null where it is too large for the browser to take. */
export async function sha256(blob) {
  if (blob.size > MOST_HASHED) {
    return null;
  }
  const digest = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
