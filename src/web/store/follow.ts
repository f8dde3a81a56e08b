import { API_PATHS } from "../../protocol/coordinator-port.ts";
import { open, Refusal } from "./ask.ts";
import { EventReader } from "./event-reader.ts";

/** The coordinator says every 15 s that it is there. */
const SILENT_MS = 20_000;
const RETRY_MS = 2000;
const RETRY_MAX_MS = 15_000;

interface Follower {
  /** A stream stands; what follows is now. */
  readonly live: () => void;
  readonly lost: (why: Refusal) => void;
  readonly take: (data: string) => void;
}

/** Reads the stream of events until the signal ends or a token is asked for, from where it broke off. */
export async function follow({ live, lost, take }: Follower, signal: AbortSignal): Promise<void> {
  let lastId = "";
  let waitMs = RETRY_MS;
  while (!signal.aborted) {
    try {
      await readOnce(lastId, signal, {
        live: () => {
          waitMs = RETRY_MS;
          live();
        },
        take: (data, id) => {
          lastId = id;
          take(data);
        },
      });
    } catch (thrown) {
      if (signal.aborted) return;
      const why = thrown instanceof Refusal ? thrown : brokenOff();
      lost(why);
      if (why.status === 401) return;
      await pause(waitMs, signal);
      waitMs = Math.min(RETRY_MAX_MS, waitMs * 1.5);
    }
  }
}

interface Stream {
  readonly live: () => void;
  readonly take: (data: string, id: string) => void;
}

/** @throws when the stream ends, for whatever reason */
async function readOnce(lastId: string, signal: AbortSignal, { live, take }: Stream): Promise<never> {
  const silence = new AbortController();
  const either = AbortSignal.any([signal, silence.signal]);
  const watch = (): ReturnType<typeof setTimeout> => setTimeout(() => silence.abort(), SILENT_MS);
  let timer = watch();
  try {
    const headers = lastId === "" ? {} : { "last-event-id": lastId };
    const response = await open(API_PATHS.events, { signal: either }, headers);
    const pieces = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const events = new EventReader();
    for (let isFirst = true; ; isFirst = false) {
      const piece = await pieces?.read();
      if (piece?.value === undefined) throw brokenOff();
      clearTimeout(timer);
      timer = watch();
      if (isFirst) live();
      for (const { id, data } of events.read(piece.value)) take(data, id);
    }
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

function brokenOff(): Refusal {
  return new Refusal(0, "unreachable", "The connection to the coordinator broke off.");
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
