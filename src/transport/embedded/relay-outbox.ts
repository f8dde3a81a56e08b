import type { Duplex } from "node:stream";

interface RelayOutboxOptions {
  /** Bytes of messages that may wait for the socket before whole ones are refused. */
  readonly limitBytes: number;
  /** Called when the outbox has room again after a refusal. */
  readonly relieved: () => void;
  /** Called when a client does not even read the answers to its own frames. */
  readonly flooded: () => void;
}

/** One frame, as the pieces it is written in. Pieces may be shared with other outboxes. */
interface OutboxFrame {
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
  /** Called once the operating system has the frame, or the connection is over. */
  readonly done: () => void;
}

/**
 * Bytes given to the socket at one time. The rest waits here. So a message counts only until it is on its way, and not
 * until everything that was written with it is.
 */
const IN_FLIGHT_BYTES = 2 * 1024 * 1024;
/** Answers (subok, pong, refused) are small and follow a client's own frames; a flood of them is an attack. */
const ANSWER_BYTES_MAX = 256 * 1024;
/** Small frames go into one write, large ones into a list: each piece of a list costs. */
const FRAME_OVERHEAD_BYTES = 64;

/** What waits to be written to one client. It never holds the relay: what does not fit is refused. */
export class RelayOutbox {
  readonly #socket: Duplex;
  readonly #options: RelayOutboxOptions;
  #waiting: OutboxFrame[] = [];
  #next = 0;
  #messageBytes = 0;
  #answerBytes = 0;
  #inFlightBytes = 0;
  #refused = false;

  constructor(socket: Duplex, options: RelayOutboxOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** Whether a message of this size, its head included, would be taken now. A refusal is remembered. */
  hasRoomFor(bytes: number): boolean {
    const cost = bytes + FRAME_OVERHEAD_BYTES;
    if (this.#messageBytes === 0 || this.#messageBytes + cost <= this.#options.limitBytes) return true;
    this.#refused = true;
    return false;
  }

  /** Takes a message for the client; there must be room for it. */
  message(frame: OutboxFrame): void {
    const cost = frame.bytes + FRAME_OVERHEAD_BYTES;
    this.#messageBytes += cost;
    this.#append({
      ...frame,
      done: () => {
        this.#messageBytes -= cost;
        frame.done();
      },
    });
  }

  /** Sends an answer to one of the client's frames, after what waits. */
  answer(bytes: Buffer): void {
    this.#answerBytes += bytes.length;
    if (this.#answerBytes > ANSWER_BYTES_MAX) {
      this.#options.flooded();
      return;
    }
    const done = (): void => {
      this.#answerBytes -= bytes.length;
    };
    this.#append({ pieces: [bytes], bytes: bytes.length, done });
  }

  #append(frame: OutboxFrame): void {
    this.#waiting.push(frame);
    this.#pump();
  }

  #pump(): void {
    if (this.#next === this.#waiting.length || this.#inFlightBytes >= IN_FLIGHT_BYTES) return;
    this.#socket.cork();
    for (let frame = this.#waiting[this.#next]; frame !== undefined; frame = this.#waiting[this.#next]) {
      if (this.#inFlightBytes >= IN_FLIGHT_BYTES) break;
      this.#next += 1;
      this.#write(frame);
    }
    this.#forgetWritten();
    this.#socket.uncork();
  }

  #write({ pieces, bytes, done }: OutboxFrame): void {
    this.#inFlightBytes += bytes;
    const written = (): void => {
      this.#inFlightBytes -= bytes;
      done();
      if (this.#refused && this.#messageBytes <= this.#options.limitBytes / 2) {
        this.#refused = false;
        this.#options.relieved();
      }
      this.#pump();
    };
    const last = pieces.length - 1;
    for (const [index, piece] of pieces.entries()) this.#socket.write(piece, index === last ? written : undefined);
  }

  #forgetWritten(): void {
    if (this.#next === this.#waiting.length) this.#waiting = [];
    else if (this.#next > 256) this.#waiting = this.#waiting.slice(this.#next);
    else return;
    this.#next = 0;
  }
}
