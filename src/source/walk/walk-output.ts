import { escapeName } from "../../lib/escape-name.ts";
import type { Problem } from "../../protocol/messages/progress.ts";
import type { WalkedPage } from "./page-maker.ts";
import type { WalkedScope } from "./walk-scope.ts";

export type WalkOutput =
  | WalkedPage
  | WalkedScope
  | { readonly type: "problem"; readonly problem: Problem }
  /** Entries of a kind that is skipped, or carried as something simpler; one, with its path, when there is no count. */
  | { readonly type: "not-carried"; readonly what: string; readonly count?: number; readonly path?: string }
  | { readonly type: "warning"; readonly code: string; readonly message: string };

export function notCarried(path: Buffer, what: string): WalkOutput {
  return { type: "not-carried", what, path: path.length === 0 ? "." : escapeName(path) };
}
