import { type ReadonlySignal, signal } from "@preact/signals";
import type { ShownToken, TokenView } from "../../protocol/access/operator-api.ts";
import { API_PATHS } from "../../protocol/coordinator-port.ts";
import { pasteLine } from "../../words/paste-line.ts";
import { ask } from "./ask.ts";

/** The whole command lines that let a sink and a source in. */
interface Invitations {
  readonly sink: string | undefined;
  readonly source: string | undefined;
}

export const NO_INVITATIONS: Invitations = { sink: undefined, source: undefined };
const current = signal<Invitations>(NO_INVITATIONS);

export const invitations: ReadonlySignal<Invitations> = current;

/** The lines of the tokens that are still good, for an admin. @throws Refusal */
export async function readInvitations(): Promise<void> {
  const { tokens } = await ask<{ readonly tokens: readonly TokenView[] }>(API_PATHS.tokens);
  const [sink, source] = await Promise.all([lineOf(tokens, "sink"), lineOf(tokens, "source")]);
  current.value = { sink, source };
}

/** Makes what is missing, good for a day. @throws Refusal */
export async function makeInvitations(): Promise<void> {
  const { sink, source } = current.value;
  for (const role of ["sink", "source"] as const) {
    const isThere = (role === "sink" ? sink : source) !== undefined;
    if (!isThere) await ask<ShownToken>(API_PATHS.tokens, { method: "POST", body: { role, note: "made on the page" } });
  }
  await readInvitations();
}

export function forgetInvitations(): void {
  current.value = NO_INVITATIONS;
}

async function lineOf(tokens: readonly TokenView[], role: "sink" | "source"): Promise<string | undefined> {
  const good = tokens.filter((token) => token.role === role && token.state === "good");
  const latest = good.sort((one, other) => (one.created < other.created ? 1 : -1))[0];
  if (latest === undefined) return undefined;
  return pasteLine(await ask<ShownToken>(`${API_PATHS.tokens}/${encodeURIComponent(latest.id)}`));
}
