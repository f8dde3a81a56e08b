import { isAbsolute } from "node:path";
import { FanfoldError } from "../errors.ts";
import { escapeName } from "../escape-name.ts";

/** A path as it is given to us: its bytes, or text that stands for its UTF-8. */
export type FilePath = string | Uint8Array;

const SLASH = Buffer.from("/");

/** The bytes of a path. @throws FanfoldError `usage` for text that no bytes stand for */
export function pathBytes(path: FilePath): Buffer {
  if (typeof path !== "string") return Buffer.from(path.buffer, path.byteOffset, path.byteLength);
  // It would be written as U+FFFD, which names something else.
  if (!path.isWellFormed())
    throw new FanfoldError(
      "usage",
      `cannot use the path "${shownPath(path)}": it holds half of a character; give its bytes`,
    );
  return Buffer.from(path);
}

/** What is under this name in a directory. */
export function pathIn(directory: FilePath, ...names: readonly string[]): Buffer {
  return Buffer.concat([pathBytes(directory), ...names.flatMap((name) => [SLASH, Buffer.from(name)])]);
}

/** For a message. */
export function shownPath(path: FilePath): string {
  return escapeName(typeof path === "string" ? Buffer.from(path) : path);
}

/** A path as a URL of a file, for who takes no bytes; a relative one is refused. */
export function fileUrl(path: Uint8Array): URL {
  const text = Buffer.from(path).toString("latin1");
  if (!isAbsolute(text))
    throw new FanfoldError("internal", `cannot make a URL of "${shownPath(path)}": it is a relative path`);
  return new URL(`file://${text.replaceAll(/[^A-Za-z0-9/._~-]/g, (byte) => `%${hexOf(byte)}`)}`);
}

function hexOf(byte: string): string {
  return byte.charCodeAt(0).toString(16).padStart(2, "0");
}
