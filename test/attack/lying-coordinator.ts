import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, createServer as createPort, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { PORT_PATHS } from "../../src/protocol/coordinator-port.ts";
import {
  type ClientMessage,
  type CoordinatorMessage,
  decodeClientMessage,
  decodeCoordinatorMessage,
  encodeControl,
} from "../../src/protocol/messages/control.ts";
import { GREETING } from "../../src/transport/embedded/handshake.ts";

/** What this coordinator says in the place of what an honest one would, to whom introduced itself in this role. */
export type Lies = (message: CoordinatorMessage, role: "source" | "sink") => readonly CoordinatorMessage[];

/**
 * A coordinator in the hands of a test: a real one does its work, and what it says on control channels may be altered. Of
 * what members say it hears all, as every coordinator does. What goes to the relay passes through.
 */
export class LyingCoordinator {
  /** What members have said. */
  readonly heard: ClientMessage[] = [];
  /** What the honest one has said. */
  readonly truth: CoordinatorMessage[] = [];
  lies: Lies = (message) => [message];
  readonly #honestPort: number;
  readonly #port = createPort((socket) => this.#take(socket));
  readonly #server = createServer();
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  readonly #open = new Set<{ destroy(): unknown }>();

  private constructor(honestPort: number) {
    this.#honestPort = honestPort;
    this.#server.on("upgrade", (request, socket: Socket, head) => this.#upgrade(request, socket, head));
  }

  /** In front of an honest one, without TLS. It ends with the test. */
  static async before(honestPort: number): Promise<LyingCoordinator> {
    const liar = new LyingCoordinator(honestPort);
    const port = liar.#port;
    await new Promise<void>((resolve) => port.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      for (const each of liar.#open) each.destroy();
      port.close();
    });
    return liar;
  }

  get port(): number {
    return (this.#port.address() as AddressInfo).port;
  }

  get coordinator(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The first byte tells the relay's links from requests. */
  #take(socket: Socket): void {
    this.#open.add(socket);
    socket.on("error", () => undefined);
    socket.once("data", (first) => {
      socket.pause();
      socket.unshift(first);
      if (first[0] === GREETING[0]) this.#pass(socket);
      else this.#server.emit("connection", socket);
      socket.resume();
    });
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    if (request.url !== PORT_PATHS.control) throw new Error(`want the control channel, found ${request.url}`);
    this.#sockets.handleUpgrade(request, socket, head, (member) => this.#converse(member));
  }

  #converse(member: WebSocket): void {
    const honest = new WebSocket(`ws://127.0.0.1:${this.#honestPort}${PORT_PATHS.control}`);
    let role: "source" | "sink" = "sink";
    const early: string[] = [];
    honest.on("open", () => {
      for (const text of early) honest.send(text);
    });
    member.on("message", (data) => {
      const message = decodeClientMessage(data.toString());
      this.heard.push(message);
      if (message.type === "hello") role = message.role;
      if (honest.readyState === WebSocket.OPEN) honest.send(data.toString());
      else early.push(data.toString());
    });
    honest.on("message", (data) => {
      const message = decodeCoordinatorMessage(data.toString());
      this.truth.push(message);
      for (const each of this.lies(message, role)) member.send(encodeControl(each));
    });
    for (const [one, other] of [
      [member, honest],
      [honest, member],
    ] as const) {
      one.on("error", () => undefined);
      one.on("close", (code, reason) => (code === 1006 ? other.terminate() : other.close(code, reason)));
    }
  }

  /** As it comes, to the honest one. */
  #pass(socket: Socket): void {
    const target = connect(this.#honestPort, "127.0.0.1");
    this.#open.add(target);
    target.on("error", () => socket.destroy());
    target.on("close", () => socket.destroy());
    socket.on("close", () => target.destroy());
    target.pipe(socket).pipe(target);
  }
}
