import { readdirSync, readFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { PAGE_PATHS } from "../../protocol/coordinator-port.ts";
import { type Answer, type PageRoute, textAnswer } from "../port/routes.ts";
import { SECURITY_HEADERS } from "../port/security-headers.ts";

/** Where `npm run build` has put the page: beside the programs. */
const FOLDER = new URL(import.meta.url.endsWith(".ts") ? "../../../dist/web/" : "../web/", import.meta.url);
const DOCUMENT = "index.html";
const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  js: "text/javascript",
  css: "text/css",
  svg: "image/svg+xml",
};
/** By the endings of the files that the build has compressed, the smallest first. */
const ENCODINGS = [
  ["br", "br"],
  ["gz", "gzip"],
] as const;

/** The document loads its own files and asks its own coordinator. It runs no text as a script, and shows in no frame. */
const DOCUMENT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");
/** Their names change with their content. */
const KEPT_FOR_EVER = "public, max-age=31536000, immutable";

const MISSING = textAnswer(
  500,
  "cannot show the web page: its files are missing in this installation; install fanfold again",
);

/** The web page, read once and kept in memory. */
export function readPage(): PageRoute {
  const files = readFiles();
  return (path, headers) => {
    if (files.size === 0) return MISSING;
    const isFile = path.startsWith(PAGE_PATHS.files);
    return answerOf(files, isFile ? path.slice(PAGE_PATHS.files.length) : DOCUMENT, headers);
  };
}

function readFiles(): ReadonlyMap<string, Buffer> {
  try {
    return new Map(readdirSync(FOLDER).map((name) => [name, readFileSync(new URL(name, FOLDER))]));
  } catch {
    return new Map();
  }
}

function answerOf(files: ReadonlyMap<string, Buffer>, name: string, headers: IncomingHttpHeaders): Answer | undefined {
  const type = TYPES[name.slice(name.lastIndexOf(".") + 1)];
  const plain = files.get(name);
  if (type === undefined || plain === undefined) return undefined;
  const taken = String(headers["accept-encoding"] ?? "");
  const [ending, encoding] = ENCODINGS.find((each) => takes(taken, each[1])) ?? [];
  const compressed = files.get(`${name}.${ending}`);
  const kept = name === DOCUMENT ? "no-cache" : KEPT_FOR_EVER;
  return {
    status: 200,
    type,
    body: compressed ?? plain,
    headers: {
      "content-security-policy": name === DOCUMENT ? DOCUMENT_POLICY : SECURITY_HEADERS["content-security-policy"],
      "cache-control": kept,
      vary: "accept-encoding",
      ...(compressed === undefined || encoding === undefined ? {} : { "content-encoding": encoding }),
    },
  };
}

/** Whether a list like `gzip, br;q=0.5` names the encoding, and not to refuse it. */
function takes(list: string, encoding: string): boolean {
  return list.split(",").some((each) => {
    const [name = "", ...weights] = each.split(";").map((part) => part.trim().toLowerCase());
    return name === encoding && !weights.some((weight) => /^q=0(\.0*)?$/.test(weight));
  });
}
