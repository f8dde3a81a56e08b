import { readFile, stat } from "node:fs/promises";
import { FanfoldError, reasonOf } from "../../lib/errors.ts";
import { type FilePath, pathBytes, shownPath } from "../../lib/folder/file-path.ts";

interface CredentialsFile {
  /** `user:password`, or a token. */
  readonly credentials: string;
  /** Something a person should change about the file. */
  readonly warning?: string;
}

/** Far more than any password or token; a file that is larger is another file. */
const CREDENTIALS_BYTES_MAX = 64 * 1024;

/**
 * Reads credentials from a file of one line. They never stand in the text of an error.
 *
 * @throws FanfoldError `usage`
 */
export async function readCredentialsFile(path: FilePath, option: string): Promise<CredentialsFile> {
  const file = pathBytes(path);
  const shown = `cannot read ${option} "${shownPath(path)}"`;
  const info = await stat(file).catch((cause: unknown) => {
    throw new FanfoldError("usage", `${shown}: ${reasonOf(cause)}`, { cause });
  });
  if (!info.isFile() || info.size > CREDENTIALS_BYTES_MAX)
    throw new FanfoldError("usage", `${shown}: found something else, want a file with one line`);
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new FanfoldError("usage", `${shown}: ${reasonOf(cause)}`, { cause });
  });
  const credentials = text.replace(/^\uFEFF/, "").replace(/\r?\n$/, "");
  if (credentials === "" || /[\r\n\0]/.test(credentials)) {
    throw new FanfoldError(
      "usage",
      `${shown}: found ${credentials === "" ? "nothing" : "more than one line"}, want one line: user:password, or a token`,
    );
  }
  if ((info.mode & 0o077) === 0) return { credentials };
  const mode = (info.mode & 0o777).toString(8).padStart(3, "0");
  return {
    credentials,
    warning: `others on this machine may read the credentials in "${shownPath(path)}" (mode ${mode}): chmod 600 it`,
  };
}
