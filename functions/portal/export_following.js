// Follows an export until it is over. Each look is an entry of the ledger and counts against the person's limit of
// requests, so it is looked at less and less often, and not at all while the page can't be seen.

import { ask } from "./api.js";
import { isOver } from "./export_words.js";

const PACE = { // ms: the first wait and the longest
  awaiting_approval: [30_000, 300_000],
  queued: [1_000, 30_000],
  running: [1_000, 30_000],
};
const GROWTH = 1.5;

/**
 * Follow an export.
 *
 * @param {object} export_ As it is now.
 * @param {function(object): void} moved Gets it each time it was looked at.
 * @param {function(Refusal): void} failed Gets why it could not be; it is tried again.
 * @returns {{restart: function(object): void}} Goes on from what an action has made of it.
 */
export function follow(export_, moved, failed) {
  let last = export_;
  let wait = 0;
  let timer = null;
  let round = 0; // an answer to a question of an earlier round says nothing any more

  function plan() {
    clearTimeout(timer);
    timer = isOver(last) || document.hidden ? null : setTimeout(look, wait);
  }

  async function look() {
    const asked = round;
    const [first, longest] = PACE[last.state];
    try {
      const now = await ask(`exports/${last.id}`);
      if (asked !== round) {
        return;
      }
      wait = now.state === last.state && now.progress?.done === last.progress?.done ? Math.min(wait * GROWTH, longest) : first;
      last = now;
      moved(now);
    } catch (refusal) {
      if (asked !== round) {
        return;
      }
      wait = Math.max(longest, 1000 * (refusal.retryAfter ?? 0));
      failed(refusal);
    }
    plan();
  }

  function restart(now) {
    round += 1;
    last = now;
    [wait] = PACE[now.state] ?? [0];
    plan();
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden && !isOver(last)) {
      look();
    }
  });
  restart(export_);
  return { restart };
}
