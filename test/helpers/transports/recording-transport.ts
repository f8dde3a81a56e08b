import type { Transport } from "../../../src/transport/transport.ts";

export interface RecordingTransport extends Transport {
  /** Copies of what was published, with the subject. */
  readonly published: { readonly subject: string; readonly payload: Buffer }[];
  /** From now on a publish waits until `release`. */
  hold(): void;
  release(): void;
  /** From now on every publish fails. */
  fail(error: Error): void;
}

/** A transport whose link is in the hands of a test: it publishes to a list, waits, or fails, as it is told. */
export function recordingTransport(): RecordingTransport {
  const published: { subject: string; payload: Buffer }[] = [];
  let gate: PromiseWithResolvers<void> | undefined;
  let failure: Error | undefined;
  return {
    published,
    capabilities: { kind: "memory", payloadLimitBytes: 2 ** 22, preferredPayloadBytes: 2 ** 18, ordered: true },
    async publish(subject, payload) {
      if (failure !== undefined) throw failure;
      published.push({ subject, payload: Buffer.concat(payload instanceof Uint8Array ? [payload] : payload) });
      await gate?.promise;
    },
    hold() {
      gate ??= Promise.withResolvers();
    },
    release() {
      gate?.resolve();
      gate = undefined;
    },
    fail(error) {
      failure = error;
    },
    subscribe: () => Promise.reject(new Error("This transport only publishes")),
    async *status() {},
    drain: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
