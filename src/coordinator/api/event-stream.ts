import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { BoundedQueue } from "../../lib/memory/bounded-queue.ts";
import type { ApiPage, Visit } from "../access/api-page.ts";
import type { Answer } from "../port/routes.ts";
import type { EventFeed } from "./event-feed.ts";

const READERS_MAX = 64;
/** Proxies and browsers give a silent connection up. */
const HEARTBEAT_MS = 15_000;
/** After how long a browser comes back, in milliseconds. */
const RETRY = "retry: 2000\n\n";
const HEARTBEAT = ": here\n\n";
/** Stands for all that the feed has for a reader. */
const NEWS = "";

/** The events of the coordinator as they happen, one stream for each reader. */
export function eventPage(feed: EventFeed, clock: Clock): ApiPage {
  return { right: "read-unless-open", answer: (visit) => streamOf(visit, feed, clock) };
}

function streamOf(visit: Visit, feed: EventFeed, clock: Clock): Answer {
  if (feed.readers >= READERS_MAX)
    throw new FanfoldError(
      "too-many",
      `cannot send the events: ${READERS_MAX} others read them, and there can be no more; close one of them`,
    );
  visit.request.authenticated();
  return { status: 200, type: "text/event-stream", body: read(visit, feed, clock) };
}

/** Everything is set up when the first piece is asked for: a client that wants the headers alone asks for none. */
async function* read({ request, isStillGranted }: Visit, feed: EventFeed, clock: Clock): AsyncGenerator<string> {
  const { headers, signal } = request;
  // A mark more would say nothing new: each wake takes all that there is.
  const wakes = new BoundedQueue<string>({ limit: 2, sizeOf: () => 1 });
  let isOver = signal.aborted;
  const end = (): void => {
    isOver = true;
    wakes.clear();
  };
  const lastId = headers["last-event-id"];
  using reader = feed.follow(typeof lastId === "string" ? lastId : undefined, () => wakes.push(NEWS));
  using _heartbeat = clock.every(HEARTBEAT_MS, () => (isStillGranted() ? wakes.push(HEARTBEAT) : end()));
  signal.addEventListener("abort", end, { once: true });
  if (isOver) return;
  yield RETRY;
  wakes.push(NEWS);
  for await (const wake of wakes) {
    if (wake !== NEWS) yield wake;
    for (let piece = reader.take(); piece !== "" && !isOver; piece = reader.take()) yield piece;
  }
}
