import { once } from "node:events";
import { get, type IncomingMessage, type RequestOptions } from "node:http";
import type { StreamEvent } from "../../src/protocol/api/event-schemas.ts";

/** One message of a stream of server-sent events. */
export interface StreamMessage {
  readonly id: string;
  readonly event: StreamEvent;
}

/** Reads the coordinator's stream of events as a browser does. */
export class EventStream implements Disposable {
  readonly response: IncomingMessage;
  /** All that came, and was no event. */
  readonly comments: string[] = [];
  readonly #messages: AsyncGenerator<StreamMessage>;

  private constructor(response: IncomingMessage) {
    this.response = response;
    this.#messages = this.#read();
  }

  static async open(port: number, headers: RequestOptions["headers"] = {}): Promise<EventStream> {
    const [response] = await once(get({ host: "127.0.0.1", port, path: "/api/v1/events", headers }), "response");
    return new EventStream(response);
  }

  /** The next one that fits. */
  async until(fits: (event: StreamEvent) => boolean): Promise<StreamMessage> {
    for (;;) {
      const next = await this.#messages.next();
      if (next.done === true) throw new Error("the stream of events ended before the one that was waited for");
      if (fits(next.value.event)) return next.value;
    }
  }

  async next(): Promise<StreamMessage> {
    return await this.until(() => true);
  }

  /** Resolves when the coordinator has ended it. */
  async ended(): Promise<void> {
    while ((await this.#messages.next()).done !== true);
  }

  [Symbol.dispose](): void {
    this.response.destroy();
  }

  async *#read(): AsyncGenerator<StreamMessage> {
    let text = "";
    try {
      for await (const piece of this.response.setEncoding("utf8")) {
        text += String(piece);
        for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
          const block = text.slice(0, end);
          text = text.slice(end + 2);
          const [, id, data] = /^id: (.*)\ndata: (.*)$/.exec(block) ?? [];
          if (id === undefined || data === undefined) this.comments.push(block);
          else yield { id, event: JSON.parse(data) as StreamEvent };
        }
      }
    } catch {
      // It was cut: what was whole has been given.
    }
  }
}
