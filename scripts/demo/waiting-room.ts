import type { DemoEvent } from "./demo-process.ts";

/** Starting processes takes well under a second; a broker may take a little longer. */
const START_MS = 20_000;

/** A reason to end that is no defect: said in one line. */
export class DemoFailure extends Error {}

/** What the demo waits for before it starts the source. */
export class WaitingRoom {
  readonly address: Promise<string>;
  summary: DemoEvent["summary"];
  readonly #failed: Promise<never>;
  #arrive: (address: string) => void = () => undefined;
  #fail: (reason: DemoFailure) => void = () => undefined;
  #sinks = 0;
  #watch: () => void = () => undefined;

  constructor() {
    this.address = new Promise((resolve) => {
      this.#arrive = resolve;
    });
    this.#failed = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => undefined);
  }

  take(event: DemoEvent): void {
    if (event.type === "listening") this.#arrive(event.addresses?.[0] ?? "localhost");
    if (event.type === "broker" && event.status === "unreachable")
      this.#fail(new DemoFailure(`the broker does not answer: ${event.reason ?? "no reason given"}`));
    if (event.type === "error") this.#fail(new DemoFailure(event.message ?? "the coordinator failed"));
    if (event.type === "finished") this.summary = event.summary;
    if (event.type === "registered" && event.role === "sink") {
      this.#sinks += 1;
      this.#watch();
    }
  }

  async registered(count: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#watch = () => {
        if (this.#sinks >= count) resolve();
      };
      this.#watch();
    });
  }

  /** Gives up after a while: whoever waits for nothing should know. */
  async within<T>(waiting: Promise<T>): Promise<T> {
    const timeout = new Promise<never>((_resolve, reject) => {
      setTimeout(() => reject(new DemoFailure("the processes did not come together in time")), START_MS).unref();
    });
    return Promise.race([waiting, this.#failed, timeout]);
  }
}
