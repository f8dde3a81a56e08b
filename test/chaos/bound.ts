import { type Cast, progressOf } from "./cast.ts";
import type { Victim } from "./scenario.ts";

const MIB = 1024 * 1024;
/** The largest window of the source: published, and not stored by the slowest sink. */
const WINDOW_BYTES = 16 * MIB;
/** What lies in links, queues and threads beyond the window's own count, and what is counted since the last progress event. */
const IN_FLIGHT_BYTES = 16 * MIB;

/**
 * How many bytes a blow may cause to be sent again, at most. `bytes` of the tree:
 *
 * - source, coordinator, broker: for each sink the window, and what was in flight. What is stored is never sent again.
 * - a sink: everything that it has not stored, on a lane of its own, since the others go on meanwhile; and the window.
 *   The same for a sink that is put on a lane because the trouble made it fall behind (`detached`).
 */
export function resendBound(cast: Cast, victims: readonly Victim[], bytes: number): number {
  return victims.map((victim) => boundOf(cast, victim, bytes)).reduce((sum, bound) => sum + bound, 0);
}

function boundOf({ sinks }: Cast, victim: Victim, bytes: number): number {
  const inFlight = WINDOW_BYTES + IN_FLIGHT_BYTES;
  const sink = sinks.find(({ name }) => name === victim);
  if (sink === undefined) return inFlight * sinks.length;
  const stored = sink.current === undefined ? 0 : (progressOf(sink.current)?.bytesDone ?? 0);
  return bytes - Math.min(stored, bytes) + inFlight;
}
