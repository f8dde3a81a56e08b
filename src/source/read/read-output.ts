import type { CutterKind } from "../../delta/cutting.ts";
import type { PieceBits } from "../../delta/piece-bits.ts";
import type { TreeDigest } from "../../protocol/hash/tree-digest.ts";
import type { Problem } from "../../protocol/messages/progress.ts";
import type { DeltaChoice } from "../delta/recipe-choice.ts";
import type { TreeFolder } from "../disk/tree-folder.ts";
import type { ContentMemory } from "../memory/content-memory.ts";
import type { RecipeMemory } from "../memory/recipe-memory.ts";
import type { HeldEnd } from "./content-plan.ts";
import type { BuiltFrame, FrameBuilder } from "./frame-builder.ts";

/** What is done once this output is stored: bytes as the pages announced them, and files. */
export interface Done {
  readonly doneBytes: number;
  readonly doneFiles: number;
}
export type ReadOutput =
  | ({ readonly type: "frame"; readonly frame: BuiltFrame; readonly current: string } & Done)
  /** Delivered. `grew`: only up to its size when it was opened; it has become longer since. */
  | { readonly type: "file"; readonly path: string; readonly bytes: number; readonly grew?: true }
  | { readonly type: "grew"; readonly path: string }
  /** Changed while it was read, for the first time: withdrawn here, to be read again at the end. */
  | { readonly type: "again"; readonly path: Uint8Array }
  | { readonly type: "problem"; readonly problem: Problem }
  /** The next slice of the recipe of a file, which has so many pieces. */
  | { readonly type: "recipe"; readonly entry: number; readonly pieces: number; readonly body: Uint8Array }
  /** Says nothing: it is to be seen how long it takes. */
  | { readonly type: "padding"; readonly body: Uint8Array }
  /** Nothing comes for so long: time to see what else there is to do. */
  | { readonly type: "pause"; readonly ms: number }
  /** Nothing more comes before the sinks have said what they lack of these files. */
  | { readonly type: "waits"; readonly entries: readonly number[] }
  | ({
      readonly type: "trailer";
      readonly page: number;
      readonly body: Uint8Array;
      /** Of files that nobody wanted. */
      readonly notReadBytes: number;
    } & Done);

/** Files that travel as recipes [P-17]. */
export interface RecipeOptions {
  /** By their index in the page: how they are cut. */
  readonly cutters: ReadonlyMap<number, CutterKind>;
  /** What at least one sink lacks of a file whose answers were waited for. */
  readonly lackedOf: (entry: number) => PieceBits | undefined;
  /** Which of them do so at this moment. All do without. */
  readonly choice?:
    | Pick<DeltaChoice, "takes" | "turns" | "begins" | "padding" | "waits" | "isUseless" | "goesOn">
    | undefined;
  /** What was cut before. All are cut without. */
  readonly memory?: Pick<RecipeMemory, "find" | "keep"> | undefined;
}

export interface ReadPageOptions {
  readonly folder: TreeFolder;
  readonly builder: FrameBuilder;
  /** Of all pages so far: takes this one. */
  readonly tree: Pick<TreeDigest, "page" | "again">;
  /** What is known of the content of files that nobody wants. Without it they are read. */
  readonly memory?: ContentMemory | undefined;
  /** Traits of the files of the page, as the walk found them; none are known without. */
  readonly traits?: Uint8Array | undefined;
  /** Whether some sink wants the entry at this index of the page. */
  readonly isWanted: (index: number) => boolean;
  /** What the sinks that want this entry hold of it, when all of them hold something. */
  readonly heldOf?: ((index: number) => readonly HeldEnd[] | undefined) | undefined;
  /** Of the page's wanted files. None without. */
  readonly recipes?: RecipeOptions | undefined;
  /** The page is of files that changed before: one that changes now is given up, and its bytes were counted already. */
  readonly isLastTry?: boolean | undefined;
  /** Whether a `file` output is wanted for each file. @default true */
  readonly tellsFiles?: boolean | undefined;
}
