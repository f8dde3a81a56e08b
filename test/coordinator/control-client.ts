import { once } from "node:events";
import { type ClientOptions, WebSocket } from "ws";
import { SigningKey } from "../../src/lib/crypto/signing-key.ts";
import { BoundedQueue } from "../../src/lib/memory/bounded-queue.ts";
import { signedHello } from "../../src/member/credential.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/limits.ts";
import {
  type CoordinatorMessage,
  decodeCoordinatorMessage,
  encodeControl,
  type Hello,
} from "../../src/protocol/messages/control.ts";
import { awaited } from "../helpers/open-waits.ts";

export type HelloOptions = Partial<Hello> & { readonly seed?: string };

let clients = 0;

/** A client of the control channel as the protocol describes it, without a source or a sink behind it. */
export class ControlClient implements Disposable {
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
  /** Known once it is closed. */
  closeReason = "";
  /** Of the coordinator's challenge. */
  nonce = "";
  /** Of the certificate that it saw, over TLS. */
  pin = "";
  readonly #messages: AsyncIterator<CoordinatorMessage>;
  readonly #seed: string;

  constructor(socket: WebSocket) {
    clients += 1;
    this.#seed = clients.toString(16).padStart(64, "0");
    this.socket = socket;
    const queue = new BoundedQueue<CoordinatorMessage>({ limit: 1000, sizeOf: () => 1 });
    this.#messages = queue[Symbol.asyncIterator]();
    socket.on("message", (data) => queue.push(decodeCoordinatorMessage(data.toString())));
    socket.on("error", () => undefined);
    this.closed = once(socket, "close").then(([code, reason]) => {
      this.closeReason = String(reason);
      queue.end();
      return Number(code);
    });
  }

  static async connect(port: number, options: ClientOptions = {}): Promise<ControlClient> {
    const client = new ControlClient(new WebSocket(`ws://127.0.0.1:${port}/control`, options));
    client.nonce = (await client.expect("challenge")).nonce;
    return client;
  }

  /** `seed`: whose key it has; by default one of its own. The challenge was read before. */
  hello(role: "source" | "sink", { seed = this.#seed, ...options }: HelloOptions = {}): void {
    const draft = { type: "hello", role, version: PROTOCOL_VERSION, session: "default", label: "alpha" } as const;
    const credential = { key: new SigningKey(seed) };
    const moment = { nonce: this.nonce, pin: this.pin, timeMs: Date.now() };
    const hello = signedHello({ ...draft, labelAsked: false, ...options }, credential, moment);
    this.raw(encodeControl({ ...hello, ...options }));
  }

  ready(): void {
    this.raw('{"type":"ready"}');
  }

  raw(data: string | Buffer): void {
    this.socket.send(data);
  }

  /** The next message, whatever it is. */
  async next(): Promise<CoordinatorMessage> {
    const next = await awaited(() => "any message from a coordinator", this.#messages.next());
    if (next.done === true) throw new Error("the coordinator closed the connection instead of sending something");
    return next.value;
  }

  /** The next message, which must be of this type. */
  async expect<T extends CoordinatorMessage["type"]>(type: T): Promise<Extract<CoordinatorMessage, { type: T }>> {
    const next = await awaited(() => `"${type}" from a coordinator`, this.#messages.next());
    if (next.done === true) throw new Error(`the coordinator closed the connection instead of sending "${type}"`);
    if (next.value.type !== type) throw new Error(`want "${type}", found ${JSON.stringify(next.value)}`);
    return next.value as Extract<CoordinatorMessage, { type: T }>;
  }

  /** Joins and registers. */
  async enter(role: "source" | "sink", options: HelloOptions = {}) {
    this.hello(role, options);
    const welcome = await this.expect("welcome");
    this.ready();
    return welcome;
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}
