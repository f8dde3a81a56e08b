import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What stands under one path: kind, mode, time in microseconds, and content. */
export type TreeFacts = Readonly<Record<string, string>>;

const OWN_FOLDER = ".fanfold";

/** Everything below `root`, by a path of one character a byte; knows nothing of fanfold but the name of its folder. */
export function treeFacts(root: string | Buffer): TreeFacts {
  const facts: Record<string, string> = {};
  describe(Buffer.from(root), "", facts);
  return facts;
}

/** Contents only: files by path, `<dir>` for directories. */
export function treeContents(root: string | Buffer): TreeFacts {
  return Object.fromEntries(
    Object.entries(treeFacts(root)).map(([path, fact]) => [path, fact.replace(/ mode \d+ time -?\d+/, "")]),
  );
}

function describe(path: Buffer, relative: string, facts: Record<string, string>): void {
  const stats = lstatSync(path, { bigint: true });
  const when = `mode ${(Number(stats.mode) & 0o7777).toString(8)} time ${stats.mtimeNs / 1000n}`;
  const key = relative === "" ? "." : relative;
  if (stats.isSymbolicLink()) {
    facts[key] = `link ${readlinkSync(path, { encoding: "buffer" }).toString("latin1")} time ${stats.mtimeNs / 1000n}`;
  } else if (stats.isDirectory()) {
    facts[key] = `directory ${when}`;
    for (const name of readdirSync(path, { encoding: "buffer" })) {
      if (relative === "" && name.toString("latin1") === OWN_FOLDER) continue;
      const below = relative === "" ? name.toString("latin1") : `${relative}/${name.toString("latin1")}`;
      describe(Buffer.concat([path, Buffer.from("/"), name]), below, facts);
    }
  } else if (stats.isFile()) {
    facts[key] = `file ${when} ${describeContent(readFileSync(path))}`;
  } else facts[key] = "special";
}

function describeContent(content: Buffer): string {
  if (content.length <= 40) return JSON.stringify(content.toString("latin1"));
  return `${content.length} bytes ${createHash("sha256").update(content).digest("hex").slice(0, 16)}`;
}
