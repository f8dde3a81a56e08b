import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type WebSocket, WebSocketServer } from "ws";
import { FanfoldError, reasonOf, systemCode } from "../../lib/errors.ts";
import { plainAddress } from "../../lib/host-port.ts";
import { PORT_PATHS } from "../../protocol/coordinator-port.ts";
import { CONTROL_BYTES_MAX } from "../../protocol/limits.ts";
import { type HostRules, hostRefusal, upgradeRefusal } from "./hosts.ts";
import { type Answer, NOT_FOUND, type Route, type TextAnswer, textAnswer } from "./routes.ts";

/** A request line and its headers must be complete by then: what holds a connection open without a word is cut. */
const REQUEST_WITHIN_MS = 10_000;
const HEADER_BYTES_MAX = 16 * 1024;
/** Control and relay connections of a few thousand members. */
const CONNECTIONS_MAX = 16_384;

const NOT_READY = "This fanfold coordinator is just being started";

/** Takes over a connection that asked for an upgrade. `head` holds bytes that came with the request. */
export type TakeUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

interface CoordinatorServerOptions {
  readonly host: string;
  readonly port: number;
  readonly rules: HostRules;
}

/** What stands behind the port. */
export interface Services {
  /** One client's control channel, from its remote address. */
  readonly control: (socket: WebSocket, address: string) => void;
  /** The embedded relay, when there is one. */
  readonly relay?: TakeUpgrade | undefined;
  /** What answers plain requests, by path. */
  readonly routes: ReadonlyMap<string, Route>;
}

/** The one port of the coordinator (D3): health over HTTP, the control channel, the embedded relay. */
export class CoordinatorServer implements AsyncDisposable {
  readonly #options: CoordinatorServerOptions;
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
  /** `close` and `closeAllConnections` of an HTTP server leave upgraded sockets open. */
  readonly #sockets = new Set<Socket>();
  #services: Services | undefined;

  constructor(options: CoordinatorServerOptions) {
    this.#options = options;
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: CONTROL_BYTES_MAX,
      perMessageDeflate: false,
    });
    this.#http = createServer({
      headersTimeout: REQUEST_WITHIN_MS,
      requestTimeout: REQUEST_WITHIN_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    });
    this.#http.maxConnections = CONNECTIONS_MAX;
    this.#http.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.#http.on("request", (request: IncomingMessage, response: ServerResponse) => {
      void this.#answer(request, response);
    });
    this.#http.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
  }

  /** Takes the port. Until `serve` every request is told to come again. @throws FanfoldError `port-taken` or `usage` */
  async listen(): Promise<AddressInfo> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const fail = (cause: Error) => reject(listenFailure(cause, { host, port }));
      this.#http.once("error", fail);
      this.#http.listen({ host, port }, () => {
        this.#http.off("error", fail);
        // Later ones are of single connections that could not be accepted; the others go on.
        this.#http.on("error", () => undefined);
        resolve();
      });
    });
    const address = this.#http.address();
    if (address === null || typeof address === "string")
      throw new FanfoldError("internal", "cannot listen: the server has no address");
    return address;
  }

  serve(services: Services): void {
    this.#services = services;
  }

  /** Takes no more connections, and cuts those there are. Idempotent. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once("close", () =>
      gone.abort(new FanfoldError("closed", "cannot answer a request: the client has gone")),
    );
    const { status, type, body } = this.#answerOf(request, gone.signal);
    response.writeHead(status, {
      "content-type": `${type}; charset=utf-8`,
      ...(typeof body === "string" ? { "content-length": Buffer.byteLength(body) } : {}),
      "x-content-type-options": "nosniff",
      // A body that was sent along is not read.
      connection: "close",
    });
    if (request.method === "HEAD") response.end();
    else if (typeof body === "string") response.end(body);
    // Whoever goes before the end of a stream misses the rest; that is no failure of the server.
    else await pipeline(Readable.from(body), response, { signal: gone.signal }).catch(() => response.destroy());
  }

  #answerOf(request: IncomingMessage, signal: AbortSignal): Answer {
    const refusal = hostRefusal(request.headers, this.#options.rules);
    if (refusal !== undefined) return textAnswer(403, refusal);
    if (this.#services === undefined) return textAnswer(503, NOT_READY);
    const reads = request.method === "GET" || request.method === "HEAD";
    const route = reads ? this.#services.routes.get(pathOf(request)) : undefined;
    return route?.(signal) ?? NOT_FOUND;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Without a listener, the failure of one connection would end the process.
    socket.on("error", () => socket.destroy());
    const refusal = upgradeRefusal(request.headers, this.#options.rules);
    if (refusal !== undefined) {
      turnAway(socket, "403 Forbidden", textAnswer(403, refusal));
      return;
    }
    if (this.#services === undefined) {
      turnAway(socket, "503 Service Unavailable", textAnswer(503, NOT_READY));
      return;
    }
    const { control, relay } = this.#services;
    const path = pathOf(request);
    if (path === PORT_PATHS.control) {
      const address = plainAddress(request.socket.remoteAddress ?? "");
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => control(webSocket, address));
    } else if (path === PORT_PATHS.relay && relay !== undefined) {
      relay(request, socket, head);
    } else {
      turnAway(socket, "404 Not Found", NOT_FOUND);
    }
  }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "").split("?", 1)[0] ?? "";
}

function turnAway(socket: Duplex, status: string, { type, body }: TextAnswer): void {
  const headers = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  socket.end(headers + body, () => socket.destroy());
}

function listenFailure(cause: Error, { host, port }: { readonly host: string; readonly port: number }): FanfoldError {
  const what = `cannot listen on "${host}" port ${port}`;
  switch (systemCode(cause)) {
    case "EADDRINUSE":
      return new FanfoldError(
        "port-taken",
        `${what}: another program uses this port; choose another with --port, or 0 for any free one`,
        { cause },
      );
    case "EACCES":
      return new FanfoldError(
        "usage",
        `${what}: this user may not use this port; choose one from 1024 on with --port`,
        { cause },
      );
    case "EADDRNOTAVAIL":
      return new FanfoldError(
        "usage",
        `${what}: this machine does not have this address; give an address of this machine with --host, or 0.0.0.0 for all`,
        { cause },
      );
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new FanfoldError("usage", `${what}: the name is not known; give an address of this machine with --host`, {
        cause,
      });
    default:
      return new FanfoldError(
        "usage",
        `${what}: ${reasonOf(cause)}; give an address of this machine with --host and a port from 0 to 65535 with --port`,
        { cause },
      );
  }
}
