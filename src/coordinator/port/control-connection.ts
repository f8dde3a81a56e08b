import type { RawData, WebSocket } from "ws";
import type { Clock } from "../../lib/clock.ts";
import { FanfoldError, reasonOf } from "../../lib/errors.ts";
import { BoundedQueue } from "../../lib/memory/bounded-queue.ts";
import { askBucket, type Bucket } from "../../lib/net/token-bucket.ts";
import {
  type ClientMessage,
  type CoordinatorMessage,
  decodeClientMessage,
  encodeControl,
} from "../../protocol/messages/control.ts";
import { fitReason } from "../../protocol/messages/fit-message.ts";
import { withSafeText } from "../../protocol/names/peer-text.ts";
import { versionRefusal } from "../session/session-machine.ts";
import type { Departure } from "../session/session-slot.ts";
import type { Visitor } from "./visitor.ts";

/** A client that goes on faster than this after a burst is broken or hostile: a source sends five messages a second. */
const MESSAGES_PER_SECOND = 200;
const MESSAGES_BURST = 400;
/** Whoever has not proven who it is says `hello`, and then waits for the answer. */
const MESSAGES_OF_STRANGER_MAX = 2;
/** What a client has sent and nobody has read yet. */
const WAITING_CHARS_MAX = 4 * 1024 * 1024;
/** What may wait in memory for a client that does not read. */
const SEND_WAITING_BYTES_MAX = 4 * 1024 * 1024;
const PING_EVERY_MS = 5000;
/** Unanswered pings in a row after which a client counts as dead: 15 seconds. */
const PINGS_UNANSWERED_MAX = 3;
/** After `refused` or `ended`, a client has this long to close its side. */
const CLOSE_WITHIN_MS = 2000;
const CLOSE_REASON_BYTES_MAX = 123;

interface Received {
  readonly message: ClientMessage;
  readonly chars: number;
}

/** One client's control channel [P-1.1]: decoded messages in, encoded messages out, and how it ended. Iterate it once. */
export class ControlConnection {
  /** Where the client is, for people: `10.0.0.3`. */
  readonly address: string;
  /** Names the key of the certificate that the client sees here; empty without TLS. */
  readonly pin: string;
  readonly #visitor: Visitor;
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #messages = new BoundedQueue<Received>({
    limit: WAITING_CHARS_MAX,
    sizeOf: ({ chars }) => Math.max(chars, WAITING_CHARS_MAX / MESSAGES_BURST),
  });
  readonly #closing = new AbortController();
  readonly #pongWaiters = new Set<() => void>();
  readonly #closed = Promise.withResolvers<void>();
  #departure: Departure | undefined;
  #isStranger = true;
  #received = 0;
  #bucket: Bucket | undefined;
  #unanswered = 0;

  constructor(socket: WebSocket, { clock, ...visitor }: Visitor & { readonly clock: Clock }) {
    this.#socket = socket;
    this.address = visitor.address;
    this.pin = visitor.pin;
    this.#visitor = visitor;
    this.#clock = clock;
  }

  /** Begins to listen. */
  open(): void {
    const socket = this.#socket;
    const pings = this.#clock.every(PING_EVERY_MS, () => this.#ping());
    socket.on("message", (data, isBinary) => this.#receive(data, isBinary));
    socket.on("pong", () => this.#answered());
    socket.on("error", (cause) => this.#depart("connection", `its connection failed: ${reasonOf(cause)}`));
    socket.on("close", () => {
      pings[Symbol.dispose]();
      this.#depart("connection", "its connection broke");
      this.#closed.resolve();
    });
  }

  /** To be called once the client has proven who it is: its connection then counts among those of members. */
  authenticated(): void {
    this.#isStranger = false;
    this.#visitor.authenticated();
  }

  /** The messages of the client, until it has gone. */
  async *messages(): AsyncGenerator<ClientMessage, void, undefined> {
    for await (const { message } of this.#messages) yield message;
  }

  /** Aborts as soon as nothing more is expected from the client. */
  get gone(): AbortSignal {
    return this.#closing.signal;
  }

  /** Resolves once the socket is closed. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Why it ended; `connection` as code when nobody said why. */
  get departure(): Departure {
    return this.#departure ?? { code: "connection", reason: "its connection broke" };
  }

  send(message: CoordinatorMessage): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > SEND_WAITING_BYTES_MAX) {
      this.#kill("it does not read what it is sent");
      return;
    }
    this.#socket.send(encodeControl(message));
  }

  /** Tells the client why its `hello` is not answered yet. */
  hold(code: string, reason: string): void {
    this.send({ type: "hold", code, reason: fitReason(reason) });
  }

  /** Tells the client why it is not served, and closes. What it sent may stand in the reason, which others are told, too. */
  refuse(code: string, why: string): void {
    const reason = fitReason(withSafeText(why));
    this.send({ type: "refused", code, reason });
    this.close(1008, { code, reason });
  }

  /** Closes in order: what was sent before still arrives. Idempotent. */
  close(status: number, departure: Departure): void {
    this.#depart(departure.code, departure.reason);
    this.#socket.close(status, closeReason(departure.reason));
    const closed = new AbortController();
    this.#socket.once("close", () => closed.abort());
    if (this.#socket.readyState === this.#socket.CLOSED) return;
    this.#clock.sleep(CLOSE_WITHIN_MS, closed.signal).then(
      () => this.#socket.terminate(),
      () => undefined,
    );
  }

  /** Refuses the client unless `said()` holds after `ms`: a connection that stays silent costs a place. */
  async expect(ms: number, said: () => boolean): Promise<void> {
    try {
      await this.#clock.sleep(ms, this.gone);
    } catch {
      return;
    }
    if (!said())
      this.refuse(
        "refused",
        `cannot wait longer for "hello": nothing came within ${ms / 1000} seconds after the connection`,
      );
  }

  /** Whether the client goes within this time; not waited for any longer when `signal` aborts. */
  async goes(withinMs: number, signal: AbortSignal): Promise<boolean> {
    await this.#clock.sleep(withinMs, AbortSignal.any([this.gone, signal])).catch(() => undefined);
    return this.gone.aborted;
  }

  /** Whether the client's machine answers now: a killed one leaves a connection that only looks alive. */
  async answers(withinMs: number): Promise<boolean> {
    if (this.#socket.readyState !== this.#socket.OPEN) return false;
    const settled = new AbortController();
    return await new Promise<boolean>((resolve) => {
      const settle = (answer: boolean) => {
        this.#pongWaiters.delete(alive);
        this.gone.removeEventListener("abort", dead);
        settled.abort();
        resolve(answer);
      };
      const alive = () => settle(true);
      const dead = () => settle(false);
      this.#pongWaiters.add(alive);
      this.gone.addEventListener("abort", dead);
      this.#clock.sleep(withinMs, settled.signal).then(dead, () => undefined);
      this.#socket.ping();
    });
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.gone.aborted) return;
    this.#unanswered = 0;
    this.#received += 1;
    if (this.#isStranger && this.#received > MESSAGES_OF_STRANGER_MAX) {
      this.refuse("damaged", 'cannot read a control message: want "hello", and nothing more until it is answered');
      return;
    }
    if (!this.#takeToken()) {
      this.refuse("refused", `cannot read control messages: more than ${MESSAGES_PER_SECOND} a second`);
      return;
    }
    if (isBinary) {
      this.refuse("damaged", "cannot read a control message: found binary data, want JSON text");
      return;
    }
    const text = textOf(data);
    try {
      if (!this.#messages.push({ message: withSafeText(decodeClientMessage(text)), chars: text.length }))
        this.refuse("refused", "cannot read control messages: too much waits already");
    } catch (thrown) {
      const other = otherVersion(text);
      if (other !== undefined) this.refuse("protocol-version", other);
      else this.refuse("damaged", FanfoldError.from(thrown).message);
    }
  }

  #takeToken(): boolean {
    const limits = { burst: MESSAGES_BURST, perSecond: MESSAGES_PER_SECOND };
    const { bucket, passes } = askBucket(this.#bucket, limits, this.#clock.nowMs());
    this.#bucket = bucket;
    return passes;
  }

  #ping(): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#unanswered >= PINGS_UNANSWERED_MAX) {
      this.#kill(`it did not answer for ${(PING_EVERY_MS * PINGS_UNANSWERED_MAX) / 1000} seconds`);
      return;
    }
    // Counted, not timed: a coordinator that was itself suspended must not find everyone else dead.
    this.#unanswered += 1;
    this.#socket.ping();
  }

  #answered(): void {
    this.#unanswered = 0;
    for (const alive of [...this.#pongWaiters]) alive();
  }

  #kill(reason: string): void {
    this.#depart("connection", reason);
    this.#socket.terminate();
  }

  /** The first reason stands. */
  #depart(code: string, reason: string): void {
    if (this.#departure !== undefined) return;
    this.#departure = { code, reason };
    this.#messages.end();
    this.#closing.abort();
  }
}

/** As much of a text as a close frame takes, without cutting a character in two (RFC 6455, 5.5). */
function closeReason(text: string): string {
  return text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(CLOSE_REASON_BYTES_MAX)).read);
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString("utf8");
  return data instanceof ArrayBuffer ? Buffer.from(data).toString("utf8") : data.toString("utf8");
}

/** The `hello` of another version need not decode: it is looked at for its version alone. */
function otherVersion(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("type" in value) || !("version" in value)) return undefined;
    return value.type === "hello" && typeof value.version === "number" ? versionRefusal(value.version) : undefined;
  } catch {
    return undefined;
  }
}
