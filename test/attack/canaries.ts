import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadNative } from "../../src/lib/disk/native.ts";
import { content } from "../helpers/trees/tree.ts";

/** Attributes are carried with native calls only. */
const native = loadNative();
const ATTRIBUTE = { name: "user.canary-attribute-2a9c", value: "canary-value-6e0d" };

/** What the tree of a session holds, and nothing else in the world. */
export const TREE_TEXTS: Readonly<Record<string, string>> = {
  directory: "canary-directory-51c1",
  file: "canary-file-name-90f4",
  linkTarget: "/canary/target/7d11",
  /** In a file that can be compressed. */
  line: "canary-line-of-a-file-8c21",
  ...(native === undefined ? {} : { attribute: ATTRIBUTE.name, attributeValue: ATTRIBUTE.value }),
};

/** Bytes of the tree's file, which cannot be compressed. */
export const FILE_BYTES = 300_000;
const FILE = content(FILE_BYTES, 7);
const PIECE_BYTES = 32;

/** The tree's file at its beginning, in its middle and at its end. */
export const CONTENT: readonly Buffer[] = [0, FILE_BYTES / 2, FILE_BYTES - PIECE_BYTES].map((at) =>
  FILE.subarray(at, at + PIECE_BYTES),
);

export function makeCanaryTree(folder: string): void {
  const inner = join(folder, "canary-directory-51c1");
  const file = join(inner, "canary-file-name-90f4");
  mkdirSync(inner, { recursive: true });
  writeFileSync(file, FILE);
  writeFileSync(join(inner, "lines"), "canary-line-of-a-file-8c21\n".repeat(2_000));
  symlinkSync("/canary/target/7d11", join(inner, "link"));
  native?.setAttribute(Buffer.from(file), Buffer.from(ATTRIBUTE.name), Buffer.from(ATTRIBUTE.value));
}

/** Bytes as others may write them: in hex, and in base64 with any number of bytes before them. */
export function everyForm(text: string | Buffer): Buffer[] {
  const bytes = Buffer.from(text);
  const base64 = [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    // The characters at both ends depend on what is beside the text.
    const inner = whole.slice(Math.ceil((before * 4) / 3), Math.floor(((before + bytes.length) * 4) / 3));
    return [inner, inner.replaceAll("+", "-").replaceAll("/", "_")];
  });
  const hex = bytes.toString("hex");
  return [bytes, ...[hex, hex.toUpperCase(), ...base64].map((form) => Buffer.from(form))];
}
