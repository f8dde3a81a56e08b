import { connect, type Socket } from "node:net";
import { abortError } from "../../lib/abort.ts";
import type { Clock } from "../../lib/clock.ts";
import { FanfoldError, reasonOf } from "../../lib/errors.ts";
import { UpgradeAnswer, upgradeRequest } from "./handshake.ts";
import { type MessageHandler, MessageReader } from "./message-reader.ts";

export interface LinkTarget {
  readonly host: string;
  readonly port: number;
  readonly ticket: string;
}

interface LinkOptions {
  readonly clientName: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A piece that the system cannot take many of unless the relay reads. */
const BULK_BYTES = 64 * 1024;

/**
 * Connects to the relay.
 *
 * @throws FanfoldError `broker-unreachable`, `broker-denied`, or the reason of the signal
 */
export async function openLink(target: LinkTarget, handler: MessageHandler, options: LinkOptions): Promise<Link> {
  if (options.signal.aborted) throw abortError(options.signal);
  const request = upgradeRequest({ ...target, clientName: options.clientName });
  const done = new AbortController();
  const link = new Link(target, handler);
  const abort = (): void => link.destroy(abortError(options.signal));
  options.signal.addEventListener("abort", abort, { once: true });
  options.clock.sleep(HANDSHAKE_TIMEOUT_MS, done.signal).then(
    () => link.destroy(unreachable(target, `found no answer within ${HANDSHAKE_TIMEOUT_MS / 1000} s`)),
    () => undefined,
  );
  try {
    await link.open(request);
    return link;
  } finally {
    done.abort();
    options.signal.removeEventListener("abort", abort);
  }
}

/** One TCP connection to the relay, from its connect to its end. It does not come back. */
export class Link {
  readonly #target: LinkTarget;
  readonly #reader: MessageReader;
  readonly #answer = new UpgradeAnswer();
  readonly #over = Promise.withResolvers<FanfoldError>();
  #socket: Socket | undefined;
  #opened: { resolve: () => void; reject: (error: FanfoldError) => void } | undefined;
  #isOpen = false;
  #reason: FanfoldError | undefined;
  #activity = 0;

  constructor(target: LinkTarget, handler: MessageHandler) {
    this.#target = target;
    this.#reader = new MessageReader("relay", handler);
  }

  /** Grows whenever the relay says something or takes something. */
  get activity(): number {
    return this.#activity;
  }

  /** Resolves with the reason when the link has ended, however it did. */
  get over(): Promise<FanfoldError> {
    return this.#over.promise;
  }

  /** Connects and shakes hands. Called once, by `openLink`. */
  async open(request: string): Promise<void> {
    const { host, port } = this.#target;
    const opened = new Promise<void>((resolve, reject) => {
      this.#opened = { resolve, reject };
    });
    const socket = connect({
      host,
      port,
      noDelay: true,
      onread: { buffer: () => this.#reader.target(), callback: (bytes, buffer) => this.#read(bytes, buffer) },
    });
    this.#socket = socket;
    socket.on("error", (cause) => {
      this.#reason ??= unreachable(this.#target, reasonOf(cause), cause);
    });
    socket.on("end", () => socket.destroy());
    socket.on("close", () => this.#closed());
    socket.write(request);
    await opened;
  }

  /** Writes pieces as one; `done` tells when the operating system has them, or that the link is over. */
  write(pieces: readonly Uint8Array[], done: (failed: boolean) => void = () => undefined): void {
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) {
      process.nextTick(done, true);
      return;
    }
    const last = pieces.length - 1;
    const isBulk = pieces.some((piece) => piece.byteLength >= BULK_BYTES);
    const written = (error?: Error | null): void => {
      // The system takes small frames whether or not the relay is still there: only bulk shows that it reads.
      if (isBulk) this.#activity += 1;
      done(error !== undefined && error !== null);
    };
    socket.cork();
    for (const [index, piece] of pieces.entries()) socket.write(piece, index === last ? written : undefined);
    socket.uncork();
  }

  /** Ends the link at once; `reason` is what `over` gives. */
  destroy(reason: FanfoldError): void {
    this.#reason ??= reason;
    this.#socket?.destroy();
  }

  #read(bytes: number, buffer: Uint8Array): boolean {
    this.#activity += 1;
    try {
      if (this.#isOpen) this.#reader.read(bytes, buffer);
      else this.#shakeHands(buffer.subarray(0, bytes));
    } catch (thrown) {
      this.destroy(FanfoldError.from(thrown));
    }
    return true;
  }

  #shakeHands(chunk: Uint8Array): void {
    const rest = this.#answer.push(chunk);
    if (rest === undefined) return;
    this.#isOpen = true;
    this.#opened?.resolve();
    this.#reader.push(rest);
  }

  #closed(): void {
    const reason = this.#reason ?? unreachable(this.#target, "the relay ended the connection");
    this.#opened?.reject(reason);
    this.#over.resolve(reason);
  }
}

function unreachable({ host, port }: LinkTarget, found: string, cause?: unknown): FanfoldError {
  const text = `cannot connect to the relay at "${host}:${port}": ${found}; want a running fanfold coordinator there`;
  return new FanfoldError("broker-unreachable", text, { cause });
}
