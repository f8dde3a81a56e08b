/** A WebSocket client masks what it sends with four bytes, again and again. */
const MASK_BYTES = 4;

const FROM_TARGET = " from the target";
const TO_TARGET = " to the target";
const CONTROL = "GET /control";

/** All that went over the wire, in each way of each link on its own. */
export class Capture {
  readonly #ways = new Map<string, Buffer[]>();

  readonly saw = (way: string, bytes: Buffer): void => {
    const seen = this.#ways.get(way) ?? [];
    seen.push(Buffer.from(bytes));
    this.#ways.set(way, seen);
  };

  get bytes(): number {
    return [...this.#ways.values()].flat().reduce((sum, { length }) => sum + length, 0);
  }

  /** What the coordinator has said on control channels without TLS. */
  get control(): string {
    const isSaid = (way: string): boolean => way.endsWith(FROM_TARGET);
    return [...this.#ways]
      .flatMap(([way, pieces]) => (isSaid(way) ? [Buffer.concat(pieces).toString()] : []))
      .join("\n");
  }

  /** What a coordinator without TLS has told the sinks of a sealed session to open it by. */
  get secret(): Buffer {
    const [, secret = ""] = /"by":"coordinator","secret":"([\w-]{43})"/.exec(this.control) ?? [];
    return Buffer.from(secret, "base64url");
  }

  /** The links on which the control channel does not go, but frames do. */
  get ofFrames(): Capture {
    const capture = new Capture();
    const links = [...this.#ways.keys()]
      .filter((way) => way.endsWith(TO_TARGET))
      .map((way) => way.slice(0, -TO_TARGET.length));
    for (const link of links) {
      const ways = [...this.#ways].filter(([way]) => way.startsWith(`${link} `));
      const request = Buffer.concat(this.#ways.get(link + TO_TARGET) ?? []);
      if (request.subarray(0, CONTROL.length).toString() === CONTROL) continue;
      for (const [way, pieces] of ways) for (const piece of pieces) capture.saw(way, piece);
    }
    return capture;
  }

  /** The names of the texts that somebody who listens finds, as they are or under any mask. */
  found(canaries: Readonly<Record<string, readonly Buffer[]>>): string[] {
    const seen = [...this.#ways.values()].map((pieces) => withoutMask(Buffer.concat(pieces)));
    const isSeen = (text: Buffer): boolean => seen.some((bytes) => bytes.includes(withoutMask(text)));
    return Object.keys(canaries).filter((name) => canaries[name]?.some(isSeen));
  }
}

/** The differences of bytes that the same byte of a mask covers: no mask changes them. */
function withoutMask(bytes: Buffer): Buffer {
  const differences = Buffer.alloc(Math.max(0, bytes.length - MASK_BYTES));
  for (let at = 0; at < differences.length; at += 1) differences[at] = (bytes[at] ?? 0) ^ (bytes[at + MASK_BYTES] ?? 0);
  return differences;
}
