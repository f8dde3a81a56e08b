import type { FilePath } from "../../lib/folder/file-path.ts";
import type { Retention } from "./retention.ts";
import { openStore, type Store } from "./store.ts";

/** The state of a coordinator that starts, and how much of it is kept. */
export interface StatePart {
  readonly store: Store;
  readonly stateDir: FilePath;
  readonly retention: Retention;
}

interface StateMoment {
  /** That was taken. */
  readonly port: number;
  readonly retention: Retention;
  readonly at: Date;
}

/** @throws FanfoldError as `openStore` does */
export async function openState(
  stateDir: FilePath | ((port: number) => FilePath),
  { port, retention, at }: StateMoment,
): Promise<StatePart> {
  const folder = typeof stateDir === "function" ? stateDir(port) : stateDir;
  return { store: await openStore(folder, at, retention), stateDir: folder, retention };
}
