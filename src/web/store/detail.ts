import { type ReadonlySignal, signal } from "@preact/signals";
import type { SessionDetail } from "../../protocol/api/answer-schemas.ts";
import { API_PATHS } from "../../protocol/coordinator-port.ts";
import { ask, Refusal } from "./ask.ts";

/** What is kept of one session, or why it cannot be told. */
type Detail =
  | { readonly state: "asking" }
  | { readonly state: "known"; readonly session: SessionDetail }
  | { readonly state: "unknown"; readonly why: string };

const current = signal<Detail>({ state: "asking" });
let wanted = "";

export const detail: ReadonlySignal<Detail> = current;

/** What was known of the same session stays in sight until it is told anew. */
export async function readDetail(id: string): Promise<void> {
  if (wanted !== id) current.value = { state: "asking" };
  wanted = id;
  let next: Detail;
  try {
    const session = await ask<SessionDetail>(`${API_PATHS.sessions}/${encodeURIComponent(id)}`);
    next = { state: "known", session };
  } catch (thrown) {
    const isGone = thrown instanceof Refusal && thrown.status === 404;
    // Of a connection that broke the banner tells, and it is asked again when it is back.
    if (!isGone && current.value.state === "known") return;
    next = { state: "unknown", why: isGone ? "Nothing is known of this session." : String((thrown as Error).message) };
  }
  if (wanted === id) current.value = next;
}
