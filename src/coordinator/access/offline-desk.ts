import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { type FilePath, pathIn, shownPath } from "../../lib/folder/file-path.ts";
import type { Random } from "../../lib/random.ts";
import { ShutOuts } from "../history/shut-outs.ts";
import { openStateDatabase, STATE_FILE } from "../history/state-database.ts";
import { AccessStore } from "./access-store.ts";
import { AccessDesk } from "./desk.ts";
import { openTokenKey } from "./token-key.ts";

interface OfflineDesk extends Disposable {
  readonly desk: AccessDesk;
  readonly database: DatabaseSync;
}

interface OfflineOptions {
  readonly stateDir: FilePath;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * The desk of a coordinator that does not run, at its state; undefined when one runs. While it is open none can start.
 *
 * @throws FanfoldError `usage` where no coordinator ever ran; `disk-failed` or `damaged`
 */
export async function openOfflineDesk({ stateDir, clock, random }: OfflineOptions): Promise<OfflineDesk | undefined> {
  if (isMissing(stateDir))
    throw new FanfoldError(
      "usage",
      `cannot find a coordinator by its state in "${shownPath(stateDir)}": none ever ran with it; start it first, name its --port or --state-dir, or use --coordinator with a token for an admin`,
    );
  try {
    const database = await openStateDatabase(stateDir, clock.date());
    const key = openTokenKey(stateDir, random);
    const shutOuts = new ShutOuts(database);
    // The clock may have been set back since its credentials were signed.
    const cut = (identity: string): void => {
      const now = clock.date();
      const signed = shutOuts.signedUpTo();
      shutOuts.add(identity, signed > now ? signed : now, now);
    };
    const desk = new AccessDesk({ store: new AccessStore(database), key, clock, random, cut });
    return { desk, database, [Symbol.dispose]: () => database.close() };
  } catch (thrown) {
    if (thrown instanceof FanfoldError && thrown.code === "state-busy") return undefined;
    throw thrown;
  }
}

/** What cannot be looked at is not missing: opening it says why. */
function isMissing(stateDir: FilePath): boolean {
  try {
    return statSync(pathIn(stateDir, STATE_FILE), { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}
