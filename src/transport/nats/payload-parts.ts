import { FRAME_BYTES_MAX } from "../../protocol/limits.ts";
import { joined } from "../payload.ts";

/** Header of a message that is a part of a payload [P-2.5]. */
export const PART_HEADER = "Fanfold-Part";
/** What the headers of a part take at most: the server counts them with the payload. */
const PART_HEADERS_BYTES_MAX = 128;
/** Least content of a part: below it the parts of one payload are too many. */
const PART_BYTES_MIN = 1024;
/** Parts of incomplete payloads that one subscription holds; the oldest payload goes first. */
const PARTS_HELD_BYTES_MAX = 2 * FRAME_BYTES_MAX;
const PARTS_MAX = FRAME_BYTES_MAX / PART_BYTES_MIN + 1;

/** Where a part belongs: `<payload id>.<index>.<count>`. */
interface PartPlace {
  readonly id: string;
  readonly index: number;
  readonly count: number;
}

/** A part on its way: the text of its header, and its bytes. */
interface Part {
  readonly place: string;
  readonly bytes: Uint8Array;
}

/** Cuts a payload for a server that takes `limitBytes`; undefined when it takes too little. */
export function cutPayload(payload: Uint8Array, id: string, limitBytes: number): Part[] | undefined {
  const partBytes = limitBytes - PART_HEADERS_BYTES_MAX;
  if (partBytes < PART_BYTES_MIN) return undefined;
  const count = Math.ceil(payload.length / partBytes);
  return Array.from({ length: count }, (_, index) => ({
    place: `${id}.${index}.${count}`,
    bytes: payload.subarray(index * partBytes, (index + 1) * partBytes),
  }));
}

interface Incomplete {
  readonly id: string;
  readonly count: number;
  readonly parts: Uint8Array[];
  bytes: number;
}

/**
 * Puts the parts of payloads together again. The parts of one payload follow one another on its subject. When one is
 * missing the payload is dropped, and the session asks for its frame again. Pure.
 */
export class PayloadParts {
  readonly #incomplete = new Map<string, Incomplete>();
  #heldBytes = 0;

  /** Takes the next part of a subject; returns a payload that is whole with it. */
  take(subject: string, place: string, bytes: Uint8Array): Uint8Array | undefined {
    const at = placeOf(place);
    const before = this.#incomplete.get(subject);
    this.#drop(subject);
    if (at === undefined) return undefined;
    // What is held is counted by its bytes: parts of nothing, on ever more subjects, would fill the memory.
    if (at.index < at.count - 1 && bytes.length < PART_BYTES_MIN) return undefined;
    const whole: Incomplete =
      at.index === 0 ? { id: at.id, count: at.count, parts: [], bytes: 0 } : (before ?? NOTHING);
    if (whole.id !== at.id || whole.count !== at.count || whole.parts.length !== at.index) return undefined;
    whole.parts.push(bytes);
    whole.bytes += bytes.length;
    if (whole.bytes > FRAME_BYTES_MAX) return undefined;
    if (whole.parts.length === whole.count) return joined(whole.parts, whole.bytes);
    this.#incomplete.set(subject, whole);
    this.#heldBytes += whole.bytes;
    for (const oldest of this.#incomplete.keys()) {
      if (this.#heldBytes <= PARTS_HELD_BYTES_MAX) break;
      this.#drop(oldest);
    }
    return undefined;
  }

  #drop(subject: string): void {
    this.#heldBytes -= this.#incomplete.get(subject)?.bytes ?? 0;
    this.#incomplete.delete(subject);
  }
}

const NOTHING: Incomplete = { id: "", count: 0, parts: [], bytes: 0 };

function placeOf(text: string): PartPlace | undefined {
  const [, id, index, count] = /^([a-z0-9]{1,32})\.(\d{1,6})\.(\d{1,6})$/.exec(text) ?? [];
  if (id === undefined || Number(count) > PARTS_MAX) return undefined;
  return { id, index: Number(index), count: Number(count) };
}
