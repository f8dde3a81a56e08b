import { FanfoldError } from "../../lib/errors.ts";
import { ByteReader, ByteWriter, damaged } from "../frame/bytes.ts";
import { PAGE_BYTES_MAX, PATH_BYTES_MAX } from "../limits.ts";
import type { DeleteLimit } from "../messages/deletion.ts";
import type { FilterGroup, FilterRule } from "./filter.ts";
import { parsePattern } from "./pattern.ts";
import { checkPath } from "./relative-path.ts";

/**
 * What of a sink's folder is the source's to delete [P-8.1]: everything that is in no page, but for what these say.
 *
 *   scope = 1(u8) group count *rule                   ; given with the source's command; a group may come in several
 *         | 2(u8) directory(string) count *rule       ; that stand in a directory, for what is in it
 *         | 3(u8) count *path(string)                 ; not looked into, or not carried: left alone with all that is below
 *         | 4(u8) limit                               ; all that is left may go, if it is not too much
 *   rule  = sign(u8) pattern(string)                  ; sign: 1 leave out, 0 do not
 *   limit = 0(u8) | 1(u8) entries | 2(u8) percent
 */
export type Scope =
  | { readonly kind: "rules"; readonly group: number; readonly rules: readonly FilterRule[] }
  | { readonly kind: "directory"; readonly directory: Uint8Array; readonly rules: readonly FilterRule[] }
  | { readonly kind: "spared"; readonly paths: readonly Uint8Array[] }
  | { readonly kind: "delete"; readonly limit: DeleteLimit };

const KINDS = { rules: 1, directory: 2, spared: 3, delete: 4 } as const;
/** Least bytes of a rule, and of a path: what a count can stand for is no more than what comes. */
const RULE_BYTES_MIN = 3;

/** The groups of a command, each in as many tables as it takes. */
export function* encodeGroups(groups: readonly FilterGroup[]): Generator<Buffer, void, undefined> {
  for (const [group, { rules }] of groups.entries()) {
    let part: FilterRule[] = [];
    let bytes = 0;
    for (const rule of rules) {
      const more = rule.pattern.bytes.length + RULE_BYTES_MIN;
      if (bytes + more > PAGE_BYTES_MAX - 16) {
        yield encodeScope({ kind: "rules", group, rules: part });
        [part, bytes] = [[], 0];
      }
      part.push(rule);
      bytes += more;
    }
    yield encodeScope({ kind: "rules", group, rules: part });
  }
}

export function encodeScope(scope: Scope): Buffer {
  const out = new ByteWriter(4096);
  out.u8(KINDS[scope.kind]);
  switch (scope.kind) {
    case "rules":
      out.varint(scope.group);
      encodeRules(out, scope.rules);
      break;
    case "directory":
      out.string(scope.directory);
      encodeRules(out, scope.rules);
      break;
    case "spared":
      out.varint(scope.paths.length);
      for (const path of scope.paths) out.string(path);
      break;
    case "delete":
      encodeLimit(out, scope.limit);
      break;
    default:
      scope satisfies never;
  }
  return Buffer.from(out.view());
}

/** @throws FanfoldError `damaged`; its paths stay below the root, and its patterns are understood */
export function decodeScope(table: Uint8Array): Scope {
  const bytes = new ByteReader(table);
  const scope = decodeKind(bytes);
  bytes.end();
  return scope;
}

function decodeKind(bytes: ByteReader): Scope {
  const kind = bytes.u8();
  switch (kind) {
    case KINDS.rules:
      return { kind: "rules", group: bytes.varint(), rules: decodeRules(bytes) };
    case KINDS.directory:
      return { kind: "directory", directory: decodePath(bytes), rules: decodeRules(bytes) };
    case KINDS.spared: {
      const paths: Uint8Array[] = [];
      for (let left = decodeCount(bytes, 2); left > 0; left -= 1) {
        const path = decodePath(bytes);
        if (path.length === 0) throw damaged("leaves the root itself alone");
        paths.push(path);
      }
      return { kind: "spared", paths };
    }
    case KINDS.delete:
      return { kind: "delete", limit: decodeLimit(bytes) };
    default:
      throw damaged(`says of the deletion something of the unknown kind ${kind}`);
  }
}

function encodeRules(out: ByteWriter, rules: readonly FilterRule[]): void {
  out.varint(rules.length);
  for (const { isExclude, pattern } of rules) {
    out.u8(isExclude ? 1 : 0);
    out.string(pattern.bytes);
  }
}

function decodeRules(bytes: ByteReader): FilterRule[] {
  const rules: FilterRule[] = [];
  for (let left = decodeCount(bytes, RULE_BYTES_MIN); left > 0; left -= 1) {
    const sign = bytes.u8();
    if (sign > 1) throw damaged(`holds a rule of the unknown kind ${sign}`);
    const pattern = Buffer.from(bytes.string(PATH_BYTES_MAX));
    rules.push({ isExclude: sign === 1, pattern: understood(pattern) });
  }
  return rules;
}

function understood(pattern: Uint8Array): FilterRule["pattern"] {
  try {
    return parsePattern(pattern, "a pattern of the source,");
  } catch (thrown) {
    throw damaged(`holds an invalid rule: ${FanfoldError.from(thrown).message}`);
  }
}

function decodeCount(bytes: ByteReader, bytesMin: number): number {
  const count = bytes.varint();
  if (count * bytesMin > bytes.left) throw damaged(`announces ${count} rules or paths, and ends before`);
  return count;
}

function decodePath(bytes: ByteReader): Uint8Array {
  const path = bytes.string(PATH_BYTES_MAX);
  checkPath(path);
  return path;
}

function encodeLimit(out: ByteWriter, limit: DeleteLimit): void {
  if (limit.kind === "default") out.u8(0);
  else {
    out.u8(limit.kind === "entries" ? 1 : 2);
    out.varint(limit.value);
  }
}

function decodeLimit(bytes: ByteReader): DeleteLimit {
  const kind = bytes.u8();
  if (kind === 0) return { kind: "default" };
  const value = bytes.varint();
  if (kind === 1) return { kind: "entries", value };
  if (kind === 2 && value <= 100) return { kind: "percent", value };
  throw damaged(`holds a limit of the unknown kind ${kind}, or ${value} percent`);
}
