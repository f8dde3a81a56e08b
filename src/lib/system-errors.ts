import { getSystemErrorMessage } from "node:util";

/*
 * What failed calls of the system say, in plain words: a code such as `ENOENT` never reaches a person. Each is a clause
 * that says what was found. It fits behind what was tried: `cannot read the directory "x": no such file or directory`.
 */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EBUSY: "it is in use",
  EDQUOT: "the disk quota is used up",
  EEXIST: "something is there already",
  EFBIG: "it is too large for the file system",
  EILSEQ: "its name does not fit the file system",
  EINVAL: "the system does not take it",
  EIO: "the disk failed (input/output error)",
  EISDIR: "it is a directory",
  ELOOP: "its symbolic links form a circle, or there are too many",
  EMFILE: "this process has too many files open",
  ENAMETOOLONG: "its name is too long for the system",
  ENFILE: "this machine has too many files open",
  ENODEV: "its device is gone",
  ENOENT: "no such file or directory",
  ENOMEM: "no memory left",
  ENOSPC: "no space left on its file system",
  ENOSYS: "the system cannot do this",
  ENOTCONN: "its file system has no connection any more",
  ENOTDIR: "a part of its path is not a directory",
  ENOTEMPTY: "the directory is not empty",
  ENOTSUP: "the file system cannot do this",
  ENXIO: "its device is gone",
  EOPNOTSUPP: "the file system cannot do this",
  EPERM: "the system does not permit it",
  EROFS: "its file system is read-only",
  ESTALE: "its file server no longer knows it",
  ETXTBSY: "it is a program that runs",
  EXDEV: "it is on another file system",

  EADDRINUSE: "another program has this port",
  EADDRNOTAVAIL: "this machine does not have this address",
  EAI_AGAIN: "the host name does not resolve",
  ECONNABORTED: "the connection was broken off",
  ECONNREFUSED: "connection refused: nothing listens there",
  ECONNRESET: "the other side broke the connection",
  EHOSTDOWN: "the host is down",
  EHOSTUNREACH: "no route to the host",
  ENETDOWN: "the network is down",
  ENETUNREACH: "no route to the network",
  ENOTFOUND: "no such host",
  EPIPE: "the other side has closed the connection",
  ETIMEDOUT: "no answer in time",
};

/** Whose paths say nothing to a person. */
const INNER_PATH = /^\/proc\/self\/fd\//;

/** The code of a failed call of the system (`ENOENT`), or undefined for any other value. */
export function systemCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || thrown.name === "FanfoldError" || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}

/** Why it failed, in words without a code. An error whose message names no code of the system has its own words. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return reasonOf(thrown.errors[0]);
  const code = systemCode(thrown) ?? codeIn(thrown.message);
  if (code === undefined || !thrown.message.includes(code))
    return thrown.message === "" ? "no reason given" : thrown.message;
  return REASONS[code] ?? wordsOfSystem(thrown);
}

/** The path of a call that failed, where it says something to a person. */
export function pathOfFailure(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("path" in thrown) || typeof thrown.path !== "string") return undefined;
  return thrown.path === "" || INNER_PATH.test(thrown.path) ? undefined : thrown.path;
}

/** Libraries put the system's words into their own, and drop its code. */
function codeIn(message: string): string | undefined {
  return Object.keys(REASONS).find((code) => new RegExp(`\\b${code}\\b`).test(message));
}

/** For the many codes that nobody meets. */
function wordsOfSystem(thrown: Error): string {
  const number = "errno" in thrown && typeof thrown.errno === "number" ? thrown.errno : undefined;
  const words = number === undefined ? undefined : getSystemErrorMessage(number);
  if (words !== undefined && !words.startsWith("Unknown")) return words;
  return number === undefined
    ? "the system does not say why"
    : `the system gives number ${Math.abs(number)} as the reason`;
}
