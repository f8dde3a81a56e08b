import { type ReadonlySignal, signal } from "@preact/signals";
import type { LoginView } from "../../protocol/access/operator-api.ts";
import { API_PATHS } from "../../protocol/coordinator-port.ts";
import { forgetAnnounced } from "./announce.ts";
import { ask, Refusal } from "./ask.ts";
import { follow } from "./follow.ts";
import { forgetInvitations } from "./invitations.ts";
import { isPrivatePlace } from "./private-place.ts";
import { refreshFleet, refreshRecords } from "./records.ts";
import { onChange, takeEvent } from "./sessions.ts";

/**
 * How the page stands to the coordinator. `locked`: a token is asked for. `lost`: what is shown is how it was at
 * `sinceMs`, by the clock of the wall. Undefined when nothing was ever shown.
 */
type Standing =
  | { readonly state: "connecting" }
  | { readonly state: "live" }
  | { readonly state: "locked"; readonly why: string | undefined }
  | { readonly state: "lost"; readonly why: string; readonly since: Date | undefined };

const current = signal<Standing>({ state: "connecting" });
const who = signal<LoginView | undefined>(undefined);
let stream = new AbortController();

export const link: ReadonlySignal<Standing> = current;
export const login: ReadonlySignal<LoginView | undefined> = who;

/** Whether what is shown is how it is now. */
export function isLive(): boolean {
  return current.value.state === "live";
}

export function mayChange(): boolean {
  return who.value?.role === "admin";
}

/** Learns who looks, and shows what happens from then on. */
export async function connect(): Promise<void> {
  stream.abort();
  stream = new AbortController();
  const { signal: ends } = stream;
  onChange(refreshRecords, refreshFleet);
  while (!ends.aborted) {
    try {
      who.value = await ask<LoginView>(API_PATHS.login, { signal: ends });
      break;
    } catch (thrown) {
      if (ends.aborted) return;
      if (thrown instanceof Refusal && thrown.status === 401) return lock(thrown.message);
      lose(thrown);
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
  if (who.value?.access === "guarded" && who.value.role === undefined) return lock(undefined);
  await follow(
    {
      live: () => {
        current.value = { state: "live" };
        void refreshRecords();
      },
      lost: (why) => (why.status === 401 ? lock(why.message) : lose(why)),
      take: takeEvent,
    },
    ends,
  );
}

/** The token goes to the coordinator once. Then the browser has a cookie, which no script can read. @throws Refusal */
export async function logIn(token: string): Promise<void> {
  if (!isPrivatePlace(location))
    throw new Refusal(
      0,
      "refused",
      "The token would go over the network in plain text. Open the page over https://, or on the coordinator's machine.",
    );
  await ask(API_PATHS.login, { method: "POST", token });
  void connect();
}

/** The page begins anew, so that nothing stays in it of what was shown: somebody else may log in. @throws Refusal */
export async function logOut(): Promise<void> {
  await ask(API_PATHS.login, { method: "DELETE" });
  stream.abort();
  location.reload();
}

function lock(why: string | undefined): void {
  who.value = who.value === undefined ? undefined : { access: who.value.access };
  current.value = { state: "locked", why };
  forgetAnnounced();
  forgetInvitations();
}

function lose(why: unknown): void {
  const { value } = current;
  if (value.state === "lost") return;
  const message = why instanceof Error ? why.message : String(why);
  current.value = { state: "lost", why: message, since: value.state === "live" ? new Date() : undefined };
}
