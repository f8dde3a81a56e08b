import { expect, onTestFinished, test } from "vitest";
import { openCoordinator } from "../../../src/coordinator/coordinator.ts";
import { openStore, type Store } from "../../../src/coordinator/history/store.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { WebhookReceiver } from "../../helpers/webhook-receiver.ts";
import { coordinatorOf, stateFolder } from "../coordinator-fixture.ts";

const at = new Date("2026-01-02T03:04:05Z");
const SESSION = "abc123abc123";

/** The state that a coordinator left while a session ran that cannot go on: nothing is known of its source. */
async function stateOfOneThatRan(): Promise<string> {
  const folder = await stateFolder();
  using store: Store = await openStore(folder, at);
  store.opened({ id: SESSION, epoch: 1 }, "photos", at);
  store.database.exec("UPDATE sessions SET state = 'running'");
  return folder;
}

test("what was interrupted is told, also when the start in between has failed", async () => {
  const stateDir = await stateOfOneThatRan();
  const receiver = await WebhookReceiver.open();
  onTestFinished(() => receiver[Symbol.asyncDispose]());
  const stop = new AbortController();
  const failing = openCoordinator({
    ...{ port: 0, webhook: receiver.url, signal: stop.signal },
    stateDir: () => {
      stop.abort(new FanfoldError("interrupted", "stopped while it started"));
      return stateDir;
    },
  });
  await expect(failing).rejects.toMatchObject({ code: "interrupted" });
  await coordinatorOf({ stateDir, webhook: receiver.url });
  const [told] = await receiver.count(1);
  expect(JSON.parse(told?.body ?? "")).toMatchObject({
    ...{ type: "ended", session: "photos", sessionId: SESSION, result: "interrupted" },
  });
});

test("a session is not written down as interrupted without its notice", async () => {
  const stateDir = await stateOfOneThatRan();
  using store: Store = await openStore(stateDir, at);
  expect(() =>
    store.interrupt(at, () => {
      throw new Error("the disk is full");
    }),
  ).toThrow("the disk is full");
  expect(store.running()).toMatchObject([{ id: SESSION, state: "running" }]);
  store.interrupt(at, () => undefined);
  expect(store.sessions(9)).toMatchObject([{ id: SESSION, state: "ended", result: "interrupted" }]);
});
