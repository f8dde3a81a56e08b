import { WINDOW_BYTES_MAX } from "../../src/protocol/limits.ts";
import { RESUMABLE_BYTES_MIN } from "../../src/sink/own/partial-files.ts";
import { type Cast, progressOf } from "./cast.ts";
import type { Victim } from "./scenario.ts";

const MIB = 1024 * 1024;
/** A frame goes beyond the window by its own length at most. */
const FRAME_BYTES = MIB;

/**
 * How many bytes a blow may cause to be sent again, at most. `bytes` of the tree:
 *
 * - source: what it had published and the slowest sink had not stored is the window, and one frame. What any sink lacks lies
 *   in that, and the union of it is sent once, however many sinks there are. A file that was cut off is sent from its
 *   beginning when too little of it was stored to be gone on with.
 * - coordinator, broker: the window again, but what each sink has lost of it may be sent to it alone; and once more, when it
 *   was not stored 250 ms after it was sent again, as on a busy machine.
 * - a sink: everything that it has not stored, on a lane of its own, since the others go on meanwhile, or when it alone is
 *   left to be sent to; what it had begun and cannot go on with; and the window.
 *   The same for a sink that is put on a lane because the trouble made it fall behind (`detached`).
 *
 * What a killed source published since its last progress event is in no count, and so needs no allowance.
 */
export function resendBound(cast: Cast, victims: readonly Victim[], bytes: number): number {
  return victims.map((victim) => boundOf(cast, victim, bytes)).reduce((sum, bound) => sum + bound, 0);
}

function boundOf({ sinks }: Cast, victim: Victim, bytes: number): number {
  const inFlight = WINDOW_BYTES_MAX + FRAME_BYTES;
  if (victim === "source") return inFlight + RESUMABLE_BYTES_MIN;
  const sink = sinks.find(({ name }) => name === victim);
  if (sink === undefined) return 2 * inFlight * sinks.length;
  const stored = sink.current === undefined ? 0 : (progressOf(sink.current)?.bytesDone ?? 0);
  return bytes - Math.min(stored, bytes) + inFlight + RESUMABLE_BYTES_MIN;
}
