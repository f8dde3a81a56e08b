import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { freePort } from "./free-ports.ts";

/** One request that came, whole. */
export interface Received {
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

type Answer = (response: ServerResponse, count: number) => void;

const OK: Answer = (response) => void response.writeHead(204).end();

/** A real receiver of webhooks on this machine, which answers as a test wants it. */
export class WebhookReceiver implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly port: number;
  readonly #close: () => Promise<void>;
  #waiting: (() => void)[] = [];

  private constructor(port: number, close: () => Promise<void>) {
    this.port = port;
    this.#close = close;
  }

  static async open({ answer = OK, port }: { readonly answer?: Answer; readonly port?: number } = {}) {
    const server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      request.on("end", () => {
        receiver.#take({ headers: request.headers, body });
        answer(response, receiver.received.length);
      });
    });
    const own = port ?? (await freePort());
    server.listen(own, "127.0.0.1");
    await once(server, "listening");
    const receiver: WebhookReceiver = new WebhookReceiver(own, async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    });
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook?key=not-for-logs`;
  }

  /** Resolves when so many requests have come. */
  async count(wanted: number): Promise<readonly Received[]> {
    while (this.received.length < wanted) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.received;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  #take(received: Received): void {
    this.received.push(received);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
