import type { RawData, WebSocket } from "ws";
import { BoundedQueue } from "../../lib/bounded-queue.ts";
import type { Clock } from "../../lib/clock.ts";
import { FanfoldError, reasonOf } from "../../lib/errors.ts";
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

/** A client that goes on faster than this after a burst is broken or hostile: a source sends five messages a second. */
const MESSAGES_PER_SECOND = 200;
const MESSAGES_BURST = 400;
/** What may wait in memory for a client that does not read. */
const SEND_WAITING_BYTES_MAX = 4 * 1024 * 1024;
const PING_EVERY_MS = 5000;
/** Unanswered pings in a row after which a client counts as dead: 15 seconds. */
const PINGS_UNANSWERED_MAX = 3;
/** After `refused` or `ended`, a client has this long to close its side. */
const CLOSE_WITHIN_MS = 2000;
const CLOSE_REASON_BYTES_MAX = 123;

/** One client's control channel [P-1.1]: decoded messages in, encoded messages out, and how it ended. Iterate it once. */
export class ControlConnection {
  /** Where the client is, for people: `10.0.0.3`. */
  readonly address: string;
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #messages = new BoundedQueue<ClientMessage>({ limit: MESSAGES_BURST, sizeOf: () => 1 });
  readonly #closing = new AbortController();
  readonly #pongWaiters = new Set<() => void>();
  readonly #closed = Promise.withResolvers<void>();
  #departure: Departure | undefined;
  #tokens = MESSAGES_BURST;
  #tokensAtMs: number;
  #unanswered = 0;

  constructor(socket: WebSocket, { address, clock }: { readonly address: string; readonly clock: Clock }) {
    this.#socket = socket;
    this.address = address;
    this.#clock = clock;
    this.#tokensAtMs = clock.nowMs();
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

  /** The messages of the client, until it has gone. */
  messages(): AsyncIterator<ClientMessage> {
    return this.#messages[Symbol.asyncIterator]();
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

  /** Tells the client why it is not served, and closes. */
  refuse(code: string, reason: string): void {
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
      if (!this.#messages.push(withSafeText(decodeClientMessage(text))))
        this.refuse("refused", `cannot read control messages: ${MESSAGES_BURST} wait already`);
    } catch (thrown) {
      const other = otherVersion(text);
      if (other !== undefined) this.refuse("protocol-version", other);
      else this.refuse("damaged", FanfoldError.from(thrown).message);
    }
  }

  #takeToken(): boolean {
    const now = this.#clock.nowMs();
    this.#tokens = Math.min(MESSAGES_BURST, this.#tokens + ((now - this.#tokensAtMs) * MESSAGES_PER_SECOND) / 1000);
    this.#tokensAtMs = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
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
