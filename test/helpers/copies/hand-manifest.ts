import { type Entry, entryPath, type FileEntry, KEEPS_ALL, type Page } from "../../../src/protocol/frame/page.ts";
import { blake3 } from "../../../src/protocol/hash/blake3.ts";
import { type ManifestPage, type ManifestState, manifestStateOf } from "../../../src/sink/manifest/manifest.ts";
import type { ManifestWriter } from "../../../src/sink/manifest/manifest-writer.ts";
import { rowsOf } from "./rows-of.ts";

/** A page of a manifest, in objects. */
export interface HandPage {
  readonly page: Page;
  readonly states: readonly ManifestState[];
}

/** What was read of a manifest, in objects. */
export function handPage({ rows, states }: ManifestPage): HandPage {
  const { page, first, keeps } = rows;
  const entries = rows.entries();
  return { page: { page, first, keeps, entries }, states: entries.map((_, index) => manifestStateOf(states, index)) };
}

export const NOT_CARRIED: ManifestState = { state: "not-carried" };
export const MTIME = { seconds: 1, nanoseconds: 5432 };

/** Pages of delivered files in one directory; the root stands before the first. */
export function manifestOf(...lists: readonly (readonly string[])[]): HandPage[] {
  const root: Entry = { kind: "directory", entry: 0, directory: new Uint8Array(0), name: new Uint8Array(0), ...BASE };
  const files = lists.map((names) => names.map(fileNamed));
  return paged([[root, ...(files[0] ?? [])], ...files.slice(1)]);
}

export const BASE = { mode: 0o644, mtime: MTIME };
export function fileNamed(name: string): FileEntry {
  return { kind: "file", entry: 0, directory: Buffer.from("in"), name: Buffer.from(name), size: 10, ...BASE };
}

export function paged(lists: readonly (readonly Entry[])[]): HandPage[] {
  let first = 0;
  return lists.map((list, number) => {
    const entries = list.map((each, index): Entry => ({ ...each, entry: first + index }));
    const made = { page: { page: number, first, keeps: KEEPS_ALL, entries }, states: entries.map(deliveredState) };
    first += entries.length;
    return made;
  });
}

function deliveredState(each: Entry): ManifestState {
  if (each.kind !== "file") return { state: "as-listed" };
  const { size, mode, mtime } = each;
  return { state: "delivered", final: { size, mode, mtime, hash: hashFor(keyOf(each)) } };
}

/** The same entries, when nobody wanted their files. `changes` are laid over the files of these names. */
export function notRead(
  all: readonly HandPage[],
  changes: Readonly<Record<string, Partial<FileEntry>>> = {},
): HandPage[] {
  return all.map(({ page: each, states }) => ({
    page: {
      ...each,
      entries: each.entries.map((old) =>
        old.kind === "file" ? { ...old, ...changes[Buffer.from(old.name).toString()] } : old,
      ),
    },
    states: states.map((old) => (old.state === "delivered" ? { state: "not-read" } : old)),
  }));
}

/** The states of a page as an engine gives them: files that were not read are taken as unchanged where their hash is known. */
export function taken(writer: ManifestWriter, { page, states }: HandPage): ManifestState[] {
  const rows = rowsOf(page);
  return states.map((state, index) => {
    const each = page.entries[index];
    if (state.state !== "not-read" || each?.kind !== "file") return state;
    if (each.hash !== undefined) return { state: "unchanged", hash: each.hash };
    const known = writer.known(rows, index);
    if (known === undefined) return state;
    writer.take(each.size, known.provenMs);
    return { state: "unchanged", hash: known.hash };
  });
}

export function withoutHashes({ page: each, states }: HandPage): HandPage {
  const entries = each.entries.map((old): Entry => {
    if (old.kind !== "file") return old;
    const { hash: _, ...rest } = old;
    return rest;
  });
  return { page: { ...each, entries }, states };
}

export const keyOf = (each: Entry): string => entryPath(each).toString("latin1");
export const hashFor = (key: string): Uint8Array => blake3(Buffer.from(key));
