import { expect } from "vitest";
import { FanfoldError } from "../../src/lib/errors.ts";
import type { Subscription, Transport, TransportMessage, TransportStatus } from "../../src/transport/transport.ts";
import { awaited } from "../helpers/open-waits.ts";

export const MIB = 1024 * 1024;
/** A signal that never aborts by itself: the test's own time limit is the limit. */
export const NEVER = new AbortController().signal;
export const WIDE = { signal: NEVER, queueBytes: 64 * MIB };

let subjects = 0;

/** A prefix of subjects that no other test uses. */
export function freshPrefix(): string {
  subjects += 1;
  return `fanfold.contract${process.pid}n${subjects}`;
}

/** Reads messages of a subscription in portions: a subscription can be iterated only once. */
export interface Reader {
  take(count: number): Promise<TransportMessage[]>;
  /** Everything until the iteration ends. */
  rest(): Promise<TransportMessage[]>;
}

export function readerOf(subscription: Subscription): Reader {
  const iterator = subscription[Symbol.asyncIterator]();
  const take = async (count: number): Promise<TransportMessage[]> => {
    const taken: TransportMessage[] = [];
    while (taken.length < count) {
      const next = await awaited(
        () => `message ${taken.length + 1} of ${count} on ${subscription.subject}`,
        iterator.next(),
      );
      if (next.done === true) break;
      taken.push(next.value);
    }
    return taken;
  };
  return { take, rest: () => take(Number.POSITIVE_INFINITY) };
}

/** Collects what a transport says about its link, from now on. */
export interface StatusLog {
  readonly seen: readonly TransportStatus[];
  /** Messages said to be lost so far. */
  lost(): number;
  /** Resolves when the check holds; it is tried after every status. Rejects when the transport closes before. */
  until(check: () => boolean): Promise<void>;
}

export function watchStatus(transport: Transport): StatusLog {
  const seen: TransportStatus[] = [];
  const waits = new Set<{ check: () => boolean; resolve: () => void; reject: (reason: Error) => void }>();
  let ended = false;
  const settle = (): void => {
    for (const wait of waits) {
      if (wait.check()) wait.resolve();
      else if (ended) wait.reject(new Error(`The status ended before the check held: ${JSON.stringify(seen)}`));
      else continue;
      waits.delete(wait);
    }
  };
  const statuses = transport.status();
  void (async () => {
    for await (const status of statuses) {
      seen.push(status);
      settle();
    }
    ended = true;
    settle();
  })();
  return {
    seen,
    lost: () => seen.reduce((sum, status) => sum + (status.type === "lost" ? status.messages : 0), 0),
    until: (check) => {
      const wait = new Promise<void>((resolve, reject) => {
        waits.add({ check, resolve, reject });
        settle();
      });
      return awaited(() => `a link that said ${JSON.stringify(seen)}, until ${check}`, wait);
    },
  };
}

/** A payload whose bytes tell its number, so that a swapped or torn one shows. */
export function numbered(index: number, bytes = 8): Uint8Array {
  const payload = Buffer.alloc(bytes, index % 251);
  payload.writeUInt32BE(index, 0);
  return payload;
}

export function numberOf(message: TransportMessage): number {
  return Buffer.from(message.payload.buffer, message.payload.byteOffset, message.payload.byteLength).readUInt32BE(0);
}

/** Whether the payload is byte for byte what `numbered` made. */
export function isWhole(message: TransportMessage): boolean {
  return Buffer.compare(numbered(numberOf(message), message.payload.length), message.payload) === 0;
}

export function text(message: TransportMessage | undefined): string | undefined {
  return message === undefined ? undefined : Buffer.from(message.payload).toString("utf8");
}

export function bytesOf(words: string): Uint8Array {
  return Buffer.from(words, "utf8");
}

/** Expects a promise to reject with a FanfoldError of this code. */
export async function expectCode(promise: Promise<unknown>, code: FanfoldError["code"]): Promise<void> {
  const thrown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(thrown).toBeInstanceOf(FanfoldError);
  expect(thrown).toMatchObject({ code });
}

/**
 * Sends a marker through the broker and back, a few times: by then everything published before has had its chance to
 * arrive. It stands in for a clock where the thing awaited is that nothing happens.
 */
export async function roundTrips(transport: Transport, count: number): Promise<void> {
  const subject = `${freshPrefix()}.marker`;
  const subscription = await transport.subscribe(subject, WIDE);
  const reader = readerOf(subscription);
  for (let index = 0; index < count; index += 1) {
    await transport.publish(subject, numbered(index), { signal: NEVER });
    await reader.take(1);
  }
  await subscription.unsubscribe();
}
