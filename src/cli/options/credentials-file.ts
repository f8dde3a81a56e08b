import { readFile, stat } from "node:fs/promises";
import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { escapeText } from "../../lib/escape-name.ts";

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
export async function readCredentialsFile(path: string, option: string): Promise<CredentialsFile> {
  const shown = `Read ${option} "${escapeText(path)}"`;
  const info = await stat(path).catch((cause: unknown) => {
    throw new FanfoldError(
      "usage",
      `${shown}: ${systemCode(cause) === "ENOENT" ? "found no such file" : reason(cause)}`,
      { cause },
    );
  });
  if (!info.isFile() || info.size > CREDENTIALS_BYTES_MAX)
    throw new FanfoldError("usage", `${shown}: found something else, want a file with one line`);
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new FanfoldError("usage", `${shown}: ${reason(cause)}`, { cause });
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
    warning: `others on this machine may read the credentials in "${escapeText(path)}" (mode ${mode}): chmod 600 it`,
  };
}

function reason(cause: unknown): string {
  return `cannot be read (${systemCode(cause) ?? "unknown reason"})`;
}
