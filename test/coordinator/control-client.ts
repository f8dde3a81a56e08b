import { once } from "node:events";
import { type ClientOptions, WebSocket } from "ws";
import { BoundedQueue } from "../../src/lib/bounded-queue.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/limits.ts";
import {
  type CoordinatorMessage,
  decodeCoordinatorMessage,
  encodeControl,
  type Hello,
} from "../../src/protocol/messages/control.ts";

let clients = 0;

/** A client of the control channel as the protocol describes it, without a source or a sink behind it. */
export class ControlClient implements Disposable {
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
  /** Known once it is closed. */
  closeReason = "";
  readonly #messages: AsyncIterator<CoordinatorMessage>;
  readonly #secret: string;

  constructor(socket: WebSocket) {
    clients += 1;
    this.#secret = clients.toString(16).padStart(64, "0");
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
    await once(client.socket, "open");
    return client;
  }

  hello(role: "source" | "sink", options: Partial<Hello> = {}): void {
    const hello = { version: PROTOCOL_VERSION, session: "default", label: "alpha", labelAsked: false };
    this.raw(encodeControl({ type: "hello", role, secret: this.#secret, ...hello, ...options }));
  }

  ready(): void {
    this.raw('{"type":"ready"}');
  }

  raw(data: string | Buffer): void {
    this.socket.send(data);
  }

  /** The next message, whatever it is. */
  async next(): Promise<CoordinatorMessage> {
    const next = await this.#messages.next();
    if (next.done === true) throw new Error("the coordinator closed the connection instead of sending something");
    return next.value;
  }

  /** The next message, which must be of this type. */
  async expect<T extends CoordinatorMessage["type"]>(type: T): Promise<Extract<CoordinatorMessage, { type: T }>> {
    const next = await this.#messages.next();
    if (next.done === true) throw new Error(`the coordinator closed the connection instead of sending "${type}"`);
    if (next.value.type !== type) throw new Error(`want "${type}", found ${JSON.stringify(next.value)}`);
    return next.value as Extract<CoordinatorMessage, { type: T }>;
  }

  /** Joins and registers. */
  async enter(role: "source" | "sink", options: Partial<Hello> = {}) {
    this.hello(role, options);
    const welcome = await this.expect("welcome");
    this.ready();
    return welcome;
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}
