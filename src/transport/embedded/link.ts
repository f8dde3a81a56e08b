import type { Socket } from "node:net";
import { abortError } from "../../lib/async/abort.ts";
import type { Clock } from "../../lib/clock.ts";
import { FanfoldError, reasonOf } from "../../lib/errors.ts";
import type { Random } from "../../lib/random.ts";
import { openSocket } from "../../lib/tls/open-socket.ts";
import type { ServerPlace } from "../../lib/tls/server-place.ts";
import { tlsFailure } from "../../lib/tls/tls-failure.ts";
import type { EmbeddedTarget } from "../target.ts";
import { ClientHandshake, GREETING, NONCE_BYTES } from "./handshake.ts";
import { type MessageHandler, MessageReader } from "./message-reader.ts";

/** How one link is made. */
interface LinkTarget extends Pick<EmbeddedTarget, "host" | "port" | "ticket" | "tls"> {
  readonly isExposed: boolean;
}

interface LinkOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Pick<Random, "hex">;
}

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A piece that the system cannot take many of unless the relay reads. */
const BULK_BYTES = 64 * 1024;

/**
 * Connects to the relay: without TLS where nothing needs it. Where that fails, something in between may let only TLS pass,
 * or pretend to be the relay, so TLS is tried.
 *
 * @throws FanfoldError `broker-unreachable`, `broker-denied`, as `openSocket` does, or the reason of the signal
 */
export async function openLink(target: EmbeddedTarget, handler: MessageHandler, options: LinkOptions): Promise<Link> {
  const { host, port, ticket, tls, isSealed = false } = target;
  const usual = { host, port, ticket, tls, isExposed: false };
  if (tls === undefined || !isSealed) return await shakeHands(usual, handler, options);
  try {
    return await shakeHands({ ...usual, tls: undefined, isExposed: true }, handler, options);
  } catch (thrown) {
    if (options.signal.aborted) throw thrown;
    return await shakeHands(usual, handler, options);
  }
}

async function shakeHands(target: LinkTarget, handler: MessageHandler, options: LinkOptions): Promise<Link> {
  const { signal, clock, random } = options;
  if (signal.aborted) throw abortError(signal);
  const nonce = Buffer.from(random.hex(NONCE_BYTES), "hex");
  const link = new Link(target, new ClientHandshake({ ticket: target.ticket, nonce }), handler);
  const done = new AbortController();
  const abort = (): void => link.destroy(abortError(signal));
  signal.addEventListener("abort", abort, { once: true });
  clock.sleep(HANDSHAKE_TIMEOUT_MS, done.signal).then(
    () => link.destroy(serverOf(target).unreachable(`found no answer within ${HANDSHAKE_TIMEOUT_MS / 1000} s`)),
    () => undefined,
  );
  try {
    await link.open();
    return link;
  } finally {
    done.abort();
    signal.removeEventListener("abort", abort);
  }
}

/** One TCP connection to the relay, from its connect to its end. It does not come back. */
export class Link {
  /** It goes without TLS where there could be: somebody on the way may have said what comes over it. */
  readonly isExposed: boolean;
  readonly #server: ServerPlace;
  readonly #reader: MessageReader;
  readonly #handshake: ClientHandshake;
  readonly #over = Promise.withResolvers<FanfoldError>();
  readonly #connecting = new AbortController();
  #socket: Socket | undefined;
  #opened: { resolve: () => void; reject: (error: FanfoldError) => void } | undefined;
  #isOpen = false;
  #reason: FanfoldError | undefined;
  #activity = 0;

  constructor(target: LinkTarget, handshake: ClientHandshake, handler: MessageHandler) {
    this.isExposed = target.isExposed;
    this.#server = serverOf(target);
    this.#handshake = handshake;
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
  async open(): Promise<void> {
    const opened = new Promise<void>((resolve, reject) => {
      this.#opened = { resolve, reject };
    });
    // Whoever destroys it while it connects has the reason already.
    opened.catch(() => undefined);
    try {
      const { socket } = await openSocket(this.#server, {
        signal: this.#connecting.signal,
        onread: { buffer: () => this.#reader.target(), callback: (bytes, buffer) => this.#read(bytes, buffer) },
      });
      this.#follow(socket);
      if (this.#connecting.signal.aborted) socket.destroy();
      else socket.write(GREETING);
    } catch (thrown) {
      this.#reason ??= FanfoldError.from(thrown);
      this.#closed();
    }
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
    this.#connecting.abort(reason);
    this.#socket?.destroy();
  }

  #follow(socket: Socket): void {
    this.#socket = socket;
    socket.on("error", (cause) => {
      const { what, trust, unreachable } = this.#server;
      this.#reason ??= tlsFailure(what, cause, trust) ?? unreachable(reasonOf(cause), cause);
    });
    socket.on("end", () => socket.destroy());
    socket.on("close", () => this.#closed());
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
    const step = this.#handshake.push(chunk);
    if (step === undefined) return;
    if ("send" in step) {
      this.#socket?.write(step.send);
      return;
    }
    this.#isOpen = true;
    this.#opened?.resolve();
    this.#reader.push(step.rest);
  }

  #closed(): void {
    const reason = this.#reason ?? this.#server.unreachable("the relay ended the connection");
    this.#opened?.reject(reason);
    this.#over.resolve(reason);
  }
}

function serverOf({ host, port, tls: trust }: LinkTarget): ServerPlace {
  const what = `cannot connect to the relay at "${host}:${port}"`;
  const unreachable = (found: string, cause?: unknown): FanfoldError =>
    new FanfoldError("broker-unreachable", `${what}: ${found}; want a running fanfold coordinator there`, { cause });
  return { host, port, trust, what, unreachable };
}
