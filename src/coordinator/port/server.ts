import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type WebSocket, WebSocketServer } from "ws";
import { FanfoldError } from "../../lib/errors.ts";
import { isApiPath, isPagePath, PORT_PATHS } from "../../protocol/coordinator-port.ts";
import { CONTROL_BYTES_MAX } from "../../protocol/limits.ts";
import type { RelayVisitor } from "../../transport/embedded/relay.ts";
import type { TlsMaterial } from "../tls/tls-front.ts";
import { Door, type DoorOptions } from "./door.ts";
import { type HostRules, hostRefusal, upgradeRefusal } from "./hosts.ts";
import { portRequest, targetOf } from "./port-request.ts";
import { type Answer, type Api, NOT_FOUND, PAGE_GONE, type PageRoute, type Route, textAnswer } from "./routes.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";
import { turnAway } from "./turn-away.ts";
import type { Guest, Visitor } from "./visitor.ts";

const HEADER_BYTES_MAX = 16 * 1024;
const HEADERS_MAX = 64;
/** How long the client of a stream may take nothing of what waits for it. */
const STALLED_MS = 60_000;

/** Takes a connection that begins as one to the relay, with its first bytes. */
export type RelayGate = (socket: Duplex, first: Uint8Array, visitor: RelayVisitor) => void;

interface CoordinatorServerOptions extends Omit<DoorOptions, "enter" | "enterRelay"> {
  readonly rules: HostRules;
}

/** What stands behind the port. */
export interface Services {
  /** One client's control channel. */
  readonly control: (socket: WebSocket, visitor: Visitor) => void;
  /** The embedded relay, when there is one. */
  readonly relay?: RelayGate | undefined;
  /** What answers plain requests, by path. */
  readonly routes: ReadonlyMap<string, Route>;
  /** What answers under `/api/`, and the metrics; it never rejects. */
  readonly api?: Api | undefined;
  /** The web page; loaded when somebody opens it. */
  readonly page?: (() => Promise<PageRoute>) | undefined;
  /** What TLS shows, where it is on. */
  readonly tls?: TlsMaterial | undefined;
}

/** The one port of the coordinator (D3): health and API over HTTP, the control channel, the embedded relay. */
export class CoordinatorServer implements AsyncDisposable {
  readonly #options: CoordinatorServerOptions;
  readonly #door: Door;
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
  readonly #guests = new WeakMap<Duplex, Guest>();
  #services: Services | undefined;

  constructor(options: CoordinatorServerOptions) {
    this.#options = options;
    this.#door = new Door({
      ...options,
      enter: (socket, guest) => this.#enter(socket, guest),
      enterRelay: (socket, first, guest) => this.#enterRelay(socket, first, guest),
    });
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: CONTROL_BYTES_MAX,
      perMessageDeflate: false,
    });
    // It never listens: the door hands it the connections, and has its own deadlines.
    this.#http = createServer({ maxHeaderSize: HEADER_BYTES_MAX });
    this.#http.maxHeadersCount = HEADERS_MAX;
    // Every answer closes its connection: what a client has sent behind its request is not worked on.
    this.#http.maxRequestsPerSocket = 1;
    this.#http.on("request", (request: IncomingMessage, response: ServerResponse) => {
      void this.#answer(request, response);
    });
    this.#http.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
  }

  /** Takes the port. Until `serve` whoever comes has to wait. @throws FanfoldError `port-taken` or `usage` */
  async listen(): Promise<AddressInfo> {
    return await this.#door.listen();
  }

  serve(services: Services): void {
    this.#services = services;
    this.#door.open(services.tls);
  }

  /** New connections see another certificate from now on. */
  show(material: TlsMaterial): void {
    this.#door.show(material);
  }

  /** Takes no more connections, and cuts those there are. Idempotent. */
  async close(): Promise<void> {
    await this.#door.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #enter(socket: Socket, guest: Guest): void {
    this.#guests.set(socket, guest);
    this.#http.emit("connection", socket);
  }

  #enterRelay(socket: Socket, first: Uint8Array, guest: Guest): void {
    const relay = this.#services?.relay;
    const isExposed = this.#options.tls !== "off" && guest.pin === "";
    if (relay === undefined) socket.destroy();
    else relay(socket, first, { address: guest.address, isExposed, authenticated: () => guest.authenticated() });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once("close", () =>
      gone.abort(new FanfoldError("closed", "cannot answer a request: the client has gone")),
    );
    const guest = this.#guests.get(request.socket);
    guest?.begins("answer");
    const { status, type, body, headers } = await this.#answerOf(request, guest, gone.signal);
    response.writeHead(status, {
      ...SECURITY_HEADERS,
      ...headers,
      "content-type": `${type}; charset=utf-8`,
      ...(isWhole(body) ? { "content-length": Buffer.byteLength(body) } : {}),
      // A body that was sent along is not read.
      connection: "close",
    });
    if (request.method === "HEAD") response.end();
    else if (isWhole(body)) response.end(body);
    else {
      response.setTimeout(STALLED_MS, () => response.destroy());
      // Whoever goes before the end of a stream misses the rest; that is no failure of the server.
      await pipeline(Readable.from(body), response, { signal: gone.signal }).catch(() => response.destroy());
    }
  }

  async #answerOf(request: IncomingMessage, visitor: Visitor | undefined, signal: AbortSignal): Promise<Answer> {
    const { path } = targetOf(request);
    const { headers } = request;
    // No page can show a token that it does not know, so whoever shows one gave the name of this machine on purpose.
    const isProgram = isApiPath(path) && headers.authorization !== undefined;
    const refusal = (isProgram ? upgradeRefusal : hostRefusal)(headers, this.#options.rules);
    if (refusal !== undefined) return textAnswer(403, refusal);
    const { api, page, routes } = this.#services ?? { routes: new Map<string, Route>() };
    if (api !== undefined && visitor !== undefined && isApiPath(path))
      return await api(portRequest(request, { visitor, signal }));
    const reads = request.method === "GET" || request.method === "HEAD";
    const route = reads ? routes.get(path) : undefined;
    if (route !== undefined) return route(signal);
    if (!reads || page === undefined || !isPagePath(path)) return NOT_FOUND;
    try {
      return (await page())(path, headers) ?? NOT_FOUND;
    } catch {
      return PAGE_GONE;
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Without a listener, the failure of one connection would end the process.
    socket.on("error", () => socket.destroy());
    const refusal = upgradeRefusal(request.headers, this.#options.rules);
    if (refusal !== undefined) {
      turnAway(socket, "403 Forbidden", { text: `${refusal}\n` });
      return;
    }
    const { path } = targetOf(request);
    const guest = this.#guests.get(socket);
    const { control } = this.#services ?? {};
    if (guest !== undefined && path === PORT_PATHS.control && control !== undefined) {
      guest.begins("hello");
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => control(webSocket, guest));
    } else {
      turnAway(socket, "404 Not Found", { text: NOT_FOUND.body });
    }
  }
}

function isWhole(body: Answer["body"]): body is string | Uint8Array {
  return typeof body === "string" || body instanceof Uint8Array;
}
