import { basename } from "node:path";
import { escapeName } from "../lib/escape-name.ts";
import { DIRECTORY_NAME_CHARS_MAX } from "../protocol/limits.ts";
import { cutMiddle } from "../protocol/messages/cut-text.ts";

/** How a directory is called, for people elsewhere: the last name of its canonical path, and nothing of the rest. */
export function directoryName(root: Buffer): string {
  const name = Buffer.from(basename(root.toString("latin1")), "latin1");
  return name.length === 0 ? "/" : cutMiddle(escapeName(name), DIRECTORY_NAME_CHARS_MAX);
}
