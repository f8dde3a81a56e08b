/**
 * The house rules that the linter cannot express: remarks that switch a check or the coverage off are refused, and so
 * are files of any kind that grow beyond the limit, and folders of src that no layer rule of biome.json names.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const LINES_MAX = 300;
const CHECKED = /(\.(ts|js|mjs|cjs|sh|css|html)|^\.ci\/run)$/;
const PRAGMAS: readonly (readonly [RegExp, string])[] = [
  [/\b(v8|c8|istanbul)\s+ignore\b/, "coverage is never switched off: test the line or remove it"],
  [/@ts-(ignore|nocheck)\b/, "type checks are never switched off"],
  [/@ts-expect-error\s*$/, "say why the type error is expected, on the same line"],
  [/biome-ignore-(all|start)\b/, "lint rules are never switched off for a stretch of a file"],
];

function problemsOf(file: string): string[] {
  if (file === "scripts/check-style.ts") return [];
  const lines = readFileSync(file, "utf8").replace(/\n$/, "").split("\n");
  const problems = lines.flatMap((line, index) =>
    PRAGMAS.filter(([pattern]) => pattern.test(line)).map(([, advice]) => `${file}:${index + 1}: ${advice}`),
  );
  if (lines.length > LINES_MAX) problems.push(`${file}: ${lines.length} lines, the limit is ${LINES_MAX}: split it`);
  return problems;
}

function foldersWithoutRule(): string[] {
  const rules = readFileSync("biome.json", "utf8");
  const folders = readdirSync("src", { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders
    .filter(({ name }) => !rules.includes(`"src/${name}/**"`))
    .map(({ name }) => `src/${name}: no layer rule in biome.json: say there what it may import`);
}

const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]);
const deleted = new Set(execFileSync("git", ["ls-files", "-z", "--deleted"], { encoding: "utf8" }).split("\0"));
const files = listed
  .toString()
  .split("\0")
  .filter((file) => CHECKED.test(file) && !deleted.has(file));
const problems = [...files.flatMap(problemsOf), ...foldersWithoutRule()];
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
