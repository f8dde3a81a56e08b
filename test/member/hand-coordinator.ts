import { expect } from "vitest";
import { SigningKey } from "../../src/lib/crypto/signing-key.ts";
import { FanfoldError } from "../../src/lib/errors.ts";
import { BoundedQueue } from "../../src/lib/memory/bounded-queue.ts";
import type { ControlLink } from "../../src/member/control-link.ts";
import { type HelloDraft, signedHello } from "../../src/member/credential.ts";
import { SteadyLink, type SteadyLinkOptions } from "../../src/member/steady-link.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/limits.ts";
import type { ClientMessage, CoordinatorMessage, Hello } from "../../src/protocol/messages/control.ts";
import type { LinkEvent } from "../../src/protocol/messages/events.ts";
import { handClock } from "../helpers/hand-clock.ts";

export const HELLO: HelloDraft = {
  type: "hello",
  version: PROTOCOL_VERSION,
  role: "sink",
  session: "default",
  label: "alpha",
  labelAsked: false,
};
const NONCE = "0".repeat(64);
const KEY = new SigningKey("1".repeat(64));
/** What a link says first: who it is, for a nonce of zeros. */
export function introduced(change: Partial<Hello> = {}): Hello {
  return signedHello({ ...HELLO, ...change }, { key: KEY }, { nonce: NONCE, pin: "", timeMs: expect.any(Number) });
}
export const member = { id: "aaaaaa", name: "alpha" };

export function welcome(rejoined = false): Extract<CoordinatorMessage, { type: "welcome" }> {
  const transport = { kind: "embedded", ticket: "t".repeat(16) } as const;
  const session = { session: "default", sessionId: "abcdefghijkl", epoch: 1 };
  const facts = { warnings: [], underWay: false, rejoined, sealing: "free" } as const;
  return { type: "welcome", version: 2, member, ...session, transport, ...facts, warnings: [] };
}

/** One connection in the hands of a test. */
export class Connection {
  readonly said: ClientMessage[] = [];
  readonly link: ControlLink;
  readonly #queue = new BoundedQueue<CoordinatorMessage>({ limit: 100, sizeOf: () => 1 });
  readonly #closed = Promise.withResolvers<FanfoldError>();

  constructor() {
    this.#queue.push({ type: "challenge", version: PROTOCOL_VERSION, nonce: NONCE });
    this.link = {
      pin: "",
      send: (message) => this.said.push(message),
      messages: this.#queue,
      closed: this.#closed.promise,
      close: async () => this.breaks("closed"),
    };
  }

  says(...messages: readonly CoordinatorMessage[]): void {
    for (const message of messages) this.#queue.push(message);
  }

  breaks(why: string, code: "coordinator-lost" | "damaged" = "coordinator-lost"): void {
    this.#closed.resolve(new FanfoldError(code, why));
    this.#queue.end();
  }
}

/** A steady link whose connections, and whose time, are in the hands of a test. */
export function begin(change: Partial<SteadyLinkOptions> = {}) {
  const clock = handClock();
  const events: LinkEvent[] = [];
  const waiting: PromiseWithResolvers<ControlLink>[] = [];
  let asked = Promise.withResolvers<void>();
  const abort = new AbortController();
  const link = new SteadyLink({
    address: { host: "backup", port: 7337 },
    hello: () => HELLO,
    credential: { key: KEY },
    connectTimeoutMs: undefined,
    lostTimeoutMs: () => undefined,
    emit: (event) => events.push(event),
    signal: abort.signal,
    clock,
    random: { fraction: () => 1, hex: () => "", id: () => "" },
    open: (_address, signal) => {
      const attempt = Promise.withResolvers<ControlLink>();
      signal.addEventListener("abort", () => attempt.reject(signal.reason));
      waiting.push(attempt);
      asked.resolve();
      return attempt.promise;
    },
    ...change,
  });
  /** The next try to connect; time goes on until it is made. */
  async function attempt(): Promise<PromiseWithResolvers<ControlLink>> {
    while (waiting.length === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      if (waiting.length === 0) clock.advance(10);
    }
    asked = Promise.withResolvers();
    return waiting.shift() ?? Promise.withResolvers();
  }
  return {
    ...{ link, clock, events, abort },
    async accept(): Promise<Connection> {
      const connection = new Connection();
      (await attempt()).resolve(connection.link);
      return connection;
    },
    async refuse(code: "coordinator-unreachable" | "not-a-coordinator" = "coordinator-unreachable"): Promise<void> {
      (await attempt()).reject(
        new FanfoldError(code, "cannot connect to the coordinator at backup:7337: connection refused"),
      );
    },
    ofType: <Type extends LinkEvent["type"]>(type: Type) =>
      events.filter((event): event is Extract<LinkEvent, { type: Type }> => event.type === type),
  };
}
