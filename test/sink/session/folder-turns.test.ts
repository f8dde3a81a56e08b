import { expect, test } from "vitest";
import { FolderTurns } from "../../../src/sink/session/folder-turns.ts";
import { handClock } from "../../helpers/hand-clock.ts";

test("a session that ended while a check made way does not take the folder any more", async () => {
  const over = new AbortController();
  const gone = Promise.withResolvers<void>();
  const did: string[] = [];
  const folder = {
    path: Buffer.from("/folder"),
    claim: () => did.push("claim") > 0,
    lend: () => void did.push("lend"),
  };
  const turns = new FolderTurns(folder, { begin: () => undefined, yield: () => gone.promise });
  const taken = turns.take({ clock: handClock(), emit: () => undefined, signal: over.signal });
  over.abort(new Error("the session is over"));
  turns.lend();
  gone.resolve();
  await expect(taken).rejects.toThrow("the session is over");
  expect(did).toEqual(["lend"]);
});
