import { dirname, join, normalize } from "node:path";

const EXPORTED = /^export (?:abstract )?(?:async )?(const|function\*?|class|interface|type) (\w+)/gm;
const NAMED = /^(?:import|export)\s+(?:type\s+)?\{([^}]*)\}\s+from\s+"(\.[^"]*)"/gm;
const WHOLE = /\bimport\(\s*"(\.[^"]*)"\s*\)|\bimport\s+\*\s+as\s+\w+\s+from\s+"(\.[^"]*)"/g;
/** Limits may be exported for tests, and types of what tests hand over. Code may not. */
const CODE = /^(function\*?|class)$/;
/** Others are changing them at the moment. */
const LEFT_ALONE = /^src\/(sink\/(engine|stream)|source\/(walk|read|publish)|protocol\/frame|transport\/embedded)\//;

/** What src exports must be used by another file that is no test. `sources` are all files of code, by their paths. */
export function exportProblems(sources: ReadonlyMap<string, string>): string[] {
  const users = usersOf(sources);
  const problems: string[] = [];
  for (const [file, text] of sources) {
    if (!file.startsWith("src/") || LEFT_ALONE.test(file)) continue;
    for (const [, kind = "", name = ""] of text.matchAll(EXPORTED)) {
      const others = users(file, name).filter((user) => user !== file);
      if (others.some((user) => !user.startsWith("test/"))) continue;
      if (others.length === 0) problems.push(`${file}: no other file uses "${name}": do not export it, or delete it`);
      else if (CODE.test(kind))
        problems.push(`${file}: only tests use "${name}" beside this file: test it by what others use, or move it`);
    }
  }
  return problems;
}

function usersOf(sources: ReadonlyMap<string, string>): (file: string, name: string) => readonly string[] {
  const byName = new Map<string, string[]>();
  const byFile = new Map<string, string[]>();
  const add = (users: Map<string, string[]>, key: string, user: string) =>
    users.set(key, [...(users.get(key) ?? []), user]);
  for (const [user, text] of sources) {
    const pathOf = (target: string) => normalize(join(dirname(user), target));
    for (const [, names = "", target = ""] of text.matchAll(NAMED))
      for (const [name] of names.matchAll(/(?<!\bas\s+)\b(?!type\b|as\b)\w+/g))
        add(byName, `${pathOf(target)} ${name}`, user);
    for (const [, called, starred] of text.matchAll(WHOLE)) add(byFile, pathOf(called ?? starred ?? ""), user);
  }
  return (file, name) => [
    ...(byName.get(`${file} ${name}`) ?? []),
    ...(byFile.get(file) ?? []).filter((user) => new RegExp(`\\b${name}\\b`).test(sources.get(user) ?? "")),
  ];
}
