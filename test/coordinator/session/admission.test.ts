import { expect, test } from "vitest";
import type { ControlConnection } from "../../../src/coordinator/port/control-connection.ts";
import { MemberAdmission } from "../../../src/coordinator/session/admission.ts";
import type { Client } from "../../../src/coordinator/session/effects.ts";
import { PROTOCOL_VERSION } from "../../../src/protocol/limits.ts";
import type { Hello } from "../../../src/protocol/messages/control.ts";

/** Of a connection only what an admission asks of it. */
function connectionOf(refusals: string[]): ControlConnection {
  const connection = {
    gone: new AbortController().signal,
    hold: () => undefined,
    refuse: (code: string) => refusals.push(code),
    answers: async () => true,
  };
  return connection as unknown as ControlConnection;
}

test("of two connections of one sink that wait for the broker together, one is let in", async () => {
  const broker = Promise.withResolvers<void>();
  const clients = new Map<string, Client>();
  const refusals: string[] = [];
  const admission = new MemberAdmission(
    {
      entrance: { letsIn: async () => true },
      ready: () => broker.promise,
      history: { past: () => undefined } as never,
      offer: () => ({}) as never,
      revoke: () => undefined,
      over: () => undefined,
    },
    {
      slots: new Map(),
      effects: { clients },
      connections: new Map(),
      gone: () => undefined,
      cancel: () => undefined,
      standBy: async () => undefined,
      join: (connection, { session, role, key }) => {
        const client = { memberId: session, slot: session, identity: key, role, connection, facts: {} };
        clients.set(session, client);
        return client;
      },
    },
  );
  const key = "ab".repeat(32);
  const admit = (session: string) => {
    const hello = { type: "hello", version: PROTOCOL_VERSION, role: "sink", session, key } as unknown as Hello;
    const messages = (async function* () {})();
    return admission.admit(connectionOf(refusals), { first: hello, nonce: "", messages });
  };
  const [one, other] = [admit("photos"), admit("music")];
  broker.resolve();
  expect((await Promise.all([one, other])).filter((client) => client !== undefined)).toHaveLength(1);
  expect([clients.size, refusals]).toEqual([1, ["refused"]]);
});
