/**
 * The house rules that the linter cannot express. It refuses remarks that switch a check or the coverage off.
 * It refuses files that grow beyond the limit, and folders of src that no layer rule of biome.json names. It refuses types
 * of src that share a name, and exports that only tests use. In documents it refuses long sentences and lines, and paths
 * and links that lead nowhere.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { documentProblems } from "./lint/documents.ts";
import { exportProblems } from "./lint/exports.ts";
import { proseProblems } from "./lint/prose.ts";
import { typeNameProblems } from "./lint/type-names.ts";

const LINES_MAX = 350;
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
  .filter((file) => file !== "" && !deleted.has(file));

function documentsProblems(): string[] {
  return files
    .filter((file) => file.endsWith(".md"))
    .flatMap((file) => {
      const text = readFileSync(file, "utf8");
      return [...proseProblems(file, text), ...documentProblems(file, text, files)];
    });
}

function codeProblems(): string[] {
  const sources = files.filter((file) => /\.(tsx?|mjs)$/.test(file));
  const texts = new Map(sources.map((file) => [file, readFileSync(file, "utf8")]));
  return [...typeNameProblems(texts), ...exportProblems(texts)];
}

const problems = [
  ...files.filter((file) => CHECKED.test(file)).flatMap(problemsOf),
  ...foldersWithoutRule(),
  ...documentsProblems(),
  ...codeProblems(),
];
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
