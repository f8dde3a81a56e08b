import type { SessionRates } from "../../protocol/api/answer-schemas.ts";
import type { RatePoint } from "../../protocol/api/trail.ts";
import { API_PATHS } from "../../protocol/coordinator-port.ts";
import { ask } from "./ask.ts";
import type { ShownSession } from "./shown-session.ts";

/** How fast a copy went, as the coordinator kept it; empty where it has nothing, or cannot be asked. */
export async function ratesOf(id: string): Promise<readonly RatePoint[]> {
  try {
    return (await ask<SessionRates>(`${API_PATHS.sessions}/${encodeURIComponent(id)}/rates`)).rates;
  } catch {
    // The page then goes on from what it has seen itself.
    return [];
  }
}

/** Lets the chart of a session begin with its copy, and not with the page. */
export async function readRates(session: ShownSession, epoch: number): Promise<void> {
  const points = await ratesOf(session.id);
  if (points.length > 0) session.takeRates(points, epoch);
}
